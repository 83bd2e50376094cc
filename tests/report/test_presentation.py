"""How all formats show hostile text, long text, requests and times."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import pytest

from mlconform.conformance.report import presentation
from mlconform.conformance.report.verdicts import judge


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain äöü 漢字 😀\n\ttab", "plain äöü 漢字 😀\n\ttab"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\x00b\rc\x7f", "a\\x00b\\x0dc\\x7f"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\ud800", "\\ud800"),
        ("\uffff", "\\uffff"),
    ],
)
def test_characters_that_hide_or_move_text_are_escaped(text: str, shown: str) -> None:
    assert presentation.visible(text) == shown


def test_a_body_of_4000_characters_is_shown_whole() -> None:
    assert presentation.clip("x" * 4000) == "x" * 4000


def test_a_longer_body_is_cut_with_a_note() -> None:
    first, note = presentation.clip("x" * 1_234_567).split("\n")
    assert first == "x" * 4000
    assert note == "[cut: 4,000 of 1,234,567 characters are shown; run.ndjson has them all]"


def test_one_line_joins_and_cuts() -> None:
    assert presentation.one_line("a\n  b\tc") == "a b c"
    assert presentation.one_line("x" * 10**7) == "x" * 199 + "…"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.04, "0.0 s"), (9.4, "9.4 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (3725, "1 h 02 min")],
)
def test_durations(seconds: float, told: str) -> None:
    assert presentation.duration(seconds) == told


def test_a_sequence_of_curls_tells_its_waits(build: Any) -> None:
    exchanges = [
        build.exchange("POST", "/a", 0.0),
        build.exchange("POST", "/b", 0.9),
        build.exchange("GET", "/c", 61.0),
    ]
    assert presentation.curl_sequence(build.check(exchanges=exchanges)).splitlines() == [
        "curl -X POST 'http://127.0.0.1:9200/a'",
        "curl -X POST 'http://127.0.0.1:9200/b'",
        "# 1 min 00 s later",
        "curl -X GET 'http://127.0.0.1:9200/c'",
    ]


def test_of_a_long_sequence_the_end_is_shown(build: Any) -> None:
    check = build.check(exchanges=[build.exchange(path=f"/{number}") for number in range(70)])
    first, *rest = presentation.curl_sequence(check).splitlines()
    assert first == "# the first 10 requests are left out here; run.ndjson has them"
    assert len(rest) == 60
    assert rest[-1].endswith("/69'")


def test_an_answer_that_did_not_come_says_why(build: Any) -> None:
    exchange = build.exchange(status=None, problem="connection reset")
    assert presentation.answer(exchange) == "no answer: connection reset"


def test_the_command_repeats_the_run(build: Any) -> None:
    header = replace(
        build.header(level="example", selection="ttl and not slow", require_decided=90.0),
        options=("--known", "opensearch-2.19"),
    )
    assert shlex.split(presentation.repeat_command(header)) == [
        "mlconform", "run", "--target", "http://127.0.0.1:9200", "--profile", "opensearch-ml",
        "--docs-version", "2.19", "--level", "example", "--seed", "20250603", "--max-wait", "120",
        "--select", "ttl and not slow", "--require-decided", "90", "--known", "opensearch-2.19",
    ]  # fmt: skip


def test_the_command_of_several_profiles_names_no_single_version(build: Any) -> None:
    header = replace(
        build.header(),
        profiles=("opensearch-ml", "nugen"),
        docs_versions={"opensearch-ml": "2.19", "nugen": "1"},
    )
    command = presentation.repeat_command(header)
    assert "--profile all" in command
    assert "--docs-version" not in command


def test_the_percent_is_rounded_down(build: Any) -> None:
    names = [f"osml.a.r{number}" for number in range(2000)]
    run = build.run(
        *(build.requirement(name) for name in names),
        build.check(*(build.decide("pass", name) for name in names[1:])),
    )
    assert presentation.decided(judge(run)) == "99.9 % decided (1999 of 2000 requirements)"


def test_areas_are_the_second_part_of_the_id(build: Any) -> None:
    run = build.run(
        build.requirement("osml.undeploy.b"),
        build.requirement("osml.deploy.z.y"),
        build.requirement("osml.deploy.a"),
        build.requirement("nugen.auth.required", profile="nugen"),
        build.requirement("odd"),
    )
    assert [
        (area.profile, area.name, [verdict.requirement.id for verdict in area.verdicts])
        for area in presentation.areas(judge(run))
    ] == [
        ("nugen", "auth", ["nugen.auth.required"]),
        ("opensearch-ml", "deploy", ["osml.deploy.a", "osml.deploy.z.y"]),
        ("opensearch-ml", "odd", ["odd"]),
        ("opensearch-ml", "undeploy", ["osml.undeploy.b"]),
    ]


def test_an_incomplete_run_says_so_in_the_headline(build: Any) -> None:
    run = build.decided("fail")
    assert presentation.headline(judge(run)) == "Not conformant"
    assert presentation.headline(judge(replace(run, footer=None))) == "Not conformant, and incomplete"


def test_how_many_of_the_decided_were_seen_to_be_broken(build: Any) -> None:
    names = ("osml.a.one", "osml.a.two", "osml.a.three")
    listed = [build.requirement(id=name, broken_by="fault x" if name == names[0] else None) for name in names]
    listed.append(build.requirement(id="osml.a.shown", level="example", broken_by="fault y"))
    passed = [build.decide("pass", name) for name in (*names, "osml.a.shown")]
    told = presentation.can_fail(judge(build.run(*listed, build.check(*passed))))
    assert told is not None
    assert told.startswith("33 % of the documented requirements that were decided (1 of 3)")


def test_where_nobody_tried_to_break_anything_nothing_is_said(build: Any) -> None:
    assert presentation.can_fail(judge(build.decided("pass"))) is None
