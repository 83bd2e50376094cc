"""All files of a report come from run.ndjson alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mlconform.conformance.report.events import Waiver
from mlconform.conformance.report.exit_code import ReportError
from mlconform.conformance.report.findings import findings
from mlconform.conformance.report.render import render
from mlconform.conformance.report.reproduction import reproduction
from mlconform.conformance.report.stream import Run
from mlconform.conformance.report.verdicts import Kind


def test_writes_all_formats_into_a_new_folder(
    sample: Run, write: Callable[[Run], Path], tmp_path: Path
) -> None:
    judgement, paths = render(write(sample), tmp_path / "new" / "folder")
    for path in (paths.html, paths.markdown, paths.junit):
        assert "osml.delete.group" in path.read_text(encoding="utf-8")
    assert judgement.summary.counts[Kind.FAIL] == 2


def test_each_finding_has_a_script_beside_the_report(
    sample: Run, write: Callable[[Run], Path], tmp_path: Path
) -> None:
    folder = tmp_path / "findings"
    folder.mkdir()
    (folder / "of-the-run-before.sh").touch()
    judgement, _ = render(write(sample), tmp_path)
    scripts = {path.stem: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    told = {finding.name: finding for finding in findings(judgement) if finding.kind is not Kind.ERROR}
    assert scripts.keys() == told.keys()
    for name, finding in told.items():
        first, _, rest = scripts[name].partition("\n")
        assert (first, rest) == ("#!/usr/bin/env bash", reproduction(finding, judgement.run))


def test_is_the_same_each_time(sample: Run, write: Callable[[Run], Path], tmp_path: Path) -> None:
    stream = write(sample)
    _, first = render(stream, tmp_path / "first")
    _, second = render(stream, tmp_path / "second")
    assert first.html.read_bytes() == second.html.read_bytes()
    assert first.markdown.read_bytes() == second.markdown.read_bytes()
    assert first.junit.read_bytes() == second.junit.read_bytes()


def test_writes_what_a_hostile_target_sent(
    hostile_run: Run, write: Callable[[Run], Path], tmp_path: Path
) -> None:
    _, paths = render(write(hostile_run), tmp_path)
    for path in (paths.html, paths.markdown, paths.junit):
        text = path.read_text(encoding="utf-8")
        assert not set(text) & set("\x00\x1b\x85\u202e\u2028\uffff")
        assert "\\x1b[31mred" in text.replace("\\\\", "\\").replace("\\[", "[")


def test_waivers_can_be_given_anew(sample: Run, write: Callable[[Run], Path], tmp_path: Path) -> None:
    waiver = Waiver(requirement="osml.delete.group", reason="accepted")
    judgement, _ = render(write(sample), tmp_path, [waiver])
    kinds = {verdict.requirement.id: verdict.kind for verdict in judgement.verdicts}
    assert kinds["osml.delete.group"] is Kind.KNOWN
    assert kinds["osml.update.rate-limiter.no-reset"] is Kind.FAIL


def test_a_folder_that_is_a_file_is_said(sample: Run, write: Callable[[Run], Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="choose another folder"):
        render(write(sample), tmp_path / "file")
