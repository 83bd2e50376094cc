"""What a run writes is read back whole, and what was not written whole is not taken for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlconform.conformance.report.events import Outcome
from mlconform.conformance.report.exit_code import ReportError
from mlconform.conformance.report.stream import EventWriter, Run, gather, read

Write = Callable[[Run], Path]


def test_reads_back_what_was_written(sample: Run, write: Write) -> None:
    assert read(write(sample)) == sample


def test_reads_back_hostile_text(hostile_run: Run, write: Write) -> None:
    assert read(write(hostile_run)) == hostile_run


def test_an_event_is_one_line_of_ascii(build: Any, hostile: str, tmp_path: Path) -> None:
    path = tmp_path / "run.ndjson"
    with EventWriter(path) as writer:
        writer.write(build.check(build.decide("fail", reason=hostile), log="a\nb\r\nc"))
    content = path.read_bytes()
    assert content.isascii()
    assert content.count(b"\n") == 1
    assert content.endswith(b"\n")


def test_an_event_is_in_the_file_before_the_writer_is_closed(build: Any, tmp_path: Path) -> None:
    path = tmp_path / "new" / "run.ndjson"
    with EventWriter(path) as writer:
        writer.write(build.header())
        assert read(path).header == build.header()


def test_a_writer_appends(build: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.ndjson"
    for event in (build.header(), build.footer()):
        with EventWriter(path) as writer:
            writer.write(event)
    assert read(path).complete


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match=r"can't be written .* choose another folder"):
        EventWriter(tmp_path / "file" / "run.ndjson")


def test_without_a_footer_a_run_is_incomplete(build: Any, write: Write) -> None:
    run = read(write(build.run(build.requirement(), ended=False)))
    assert not run.complete
    assert len(run.requirements) == 1


def test_a_cut_off_last_line_is_left_out(sample: Run, write: Write) -> None:
    path = write(sample)
    path.write_bytes(path.read_bytes()[:-20])
    run = read(path)
    assert run.cut_off
    assert not run.complete
    assert run.footer is None
    assert run.checks == sample.checks


def test_wherever_a_stream_is_cut_the_rest_is_read(build: Any, write: Write) -> None:
    path = write(build.decided("pass"))
    whole = path.read_bytes()
    first_line = whole.index(b"\n")
    for length in range(first_line, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert read(path).complete is False


def test_a_whole_last_line_needs_no_newline(sample: Run, write: Write) -> None:
    path = write(sample)
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))
    assert read(path).complete


def test_unknown_events_are_kept(build: Any, write: Write) -> None:
    path = write(build.decided("pass"))
    path.write_text(path.read_text() + '{"event":"later","member":[1]}\n')
    run = read(path)
    assert run.complete
    assert run.unknown == ({"event": "later", "member": [1]},)


def test_unknown_members_are_ignored(build: Any, write: Write) -> None:
    path = write(build.run())
    lines = [json.dumps({**json.loads(line), "later": 1}) for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines) + "\n")
    assert read(path) == build.run()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected one run_started event, came 0"),
        (b"hello\n", ":1: expected a line of JSON"),
        (b"\xff\xfe\x00\n", ":1: expected a line of JSON"),
        (b"[1]\n", ":1: expected an object with a string member `event`"),
        (b"{}\n", ":1: expected an object with a string member `event`"),
        (b'{"event":"later"}\n', ":1: expected the event run_started on the first line"),
        (b"[" * 100_000 + b"\n", ":1: expected a line of JSON"),
        (b'{"event":"run_started"}\n', ":1: run_started: expected a member `run_id`"),
    ],
)
def test_what_is_no_stream_is_refused_by_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "run.ndjson"
    path.write_bytes(content)
    with pytest.raises(ReportError) as error:
        read(path)
    assert str(path) in str(error.value)
    assert message in str(error.value)
    assert "; give" in str(error.value)


def test_a_bad_line_in_the_middle_is_refused(sample: Run, write: Write) -> None:
    path = write(sample)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], lines[3][:40] + b"\n", *lines[4:]]))
    with pytest.raises(ReportError, match=r"run\.ndjson:4: expected a line of JSON"):
        read(path)


@pytest.mark.parametrize(
    ("member", "value", "message"),
    [
        ("level", "strict", "level: expected one of documented"),
        ("level", 1, "run_started.level: expected a value of type str, came 1"),
        ("seed", True, "run_started.seed: expected a value of type int, came True"),
        ("profiles", "opensearch-ml", "run_started.profiles: expected a list"),
        ("profiles", ["a", None], "run_started.profiles[1]: expected a value of type str"),
        ("docs_versions", [], "run_started.docs_versions: expected an object"),
        ("max_wait_seconds", "1", "run_started.max_wait_seconds: expected a finite number"),
        ("max_wait_seconds", 10**400, "run_started.max_wait_seconds: expected a finite number"),
        ("started_at", "yesterday", "started_at: expected an ISO 8601 time, came 'yesterday'"),
        ("schema_version", 2, "expected schema_version 1 or less, came 2; use the version"),
    ],
)
def test_a_bad_member_is_named(build: Any, write: Write, member: str, value: object, message: str) -> None:
    path = write(build.run())
    header, *rest = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps({**json.loads(header), member: value}), *rest]) + "\n")
    with pytest.raises(ReportError) as error:
        read(path)
    assert message in str(error.value)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_a_number_that_is_none_is_refused(build: Any, write: Write, number: str) -> None:
    path = write(build.run())
    path.write_text(path.read_text().replace('"duration":221.4', f'"duration":{number}'))
    with pytest.raises(ReportError, match=":2:"):
        read(path)


def test_an_unknown_outcome_is_refused(build: Any, write: Write) -> None:
    path = write(build.decided(Outcome.PASS))
    path.write_text(path.read_text().replace('"outcome":"pass"', '"outcome":"fine"'))
    with pytest.raises(ReportError, match=r"decisions\[0\]\.outcome: expected one of fail, error"):
        read(path)


def test_two_runs_in_one_file_are_refused(build: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.ndjson"
    with EventWriter(path) as writer:
        writer.write(build.header())
        writer.write(build.header())
    with pytest.raises(ReportError, match="expected one run_started event, came 2"):
        read(path)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"can't be read .* give the run\.ndjson of a run"):
        read(tmp_path / "run.ndjson")


def test_the_last_footer_counts(build: Any) -> None:
    late = replace(build.footer(), exit_code=5)
    assert gather([build.header(), build.footer(), late]).footer == late
