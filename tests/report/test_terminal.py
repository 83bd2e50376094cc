"""The summary at the end of a run."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mlconform.conformance.contract.model import Impact
from mlconform.conformance.report.events import KnownDeviation, Problem, Waiver
from mlconform.conformance.report.stream import Run
from mlconform.conformance.report.terminal import print_summary
from mlconform.conformance.report.verdicts import Judgement, judge


def printed(judgement: Judgement, *, terminal: bool = False) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal or None, width=60)
    print_summary(judgement, Path("out/report.html"), console)
    return file.getvalue()


def test_says_what_came_out_in_a_few_lines(sample: Run) -> None:
    lines = printed(judge(sample)).splitlines()
    assert lines[0] == "Not conformant: 91 % decided (51 of 56 requirements)"
    assert lines[1] == ("  2 fail, 1 error, 1 flaky, 2 warn, 1 known, 3 untestable, 1 inapplicable, 46 pass")
    assert "  fail   osml.delete.group  wrong answer: The group can still be read" in "\n".join(lines)
    assert lines[-2] == "report: out/report.html"
    assert lines[-1].startswith("exit code 1: not conformant")
    assert "2 of 32 documented requirements failed" in lines[-1]
    assert len(lines) == 9


def test_a_pipe_gets_no_colours(sample: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    assert "\x1b" not in printed(judge(sample))


def test_a_terminal_gets_colours(sample: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[1;31m" in printed(judge(sample), terminal=True)


def test_no_color_is_respected(sample: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[1;31m" not in printed(judge(sample), terminal=True)
    assert "31m" not in printed(judge(sample), terminal=True)


def test_hostile_text_can_not_move_the_terminal(hostile_run: Run) -> None:
    text = printed(judge(hostile_run))
    assert not set(text) & set("\x00\x1b\x85\u202e\u2028\ud800")
    assert max(map(len, text.splitlines())) < 400


def test_brackets_are_no_markup(build: Any) -> None:
    run = build.run(
        build.requirement(), build.check(build.decide("fail", reason="[bold]x[/bold] [/] :smile:"))
    )
    assert "[bold]x[/bold] [/] :smile:" in printed(judge(run))


def test_of_many_failures_it_lists_some(build: Any) -> None:
    names = [f"osml.a.r{number}" for number in range(50)]
    run = build.run(
        *(build.requirement(name) for name in names),
        build.check(*(build.decide("fail", name) for name in names)),
    )
    lines = printed(judge(run)).splitlines()
    assert sum("osml.a.r" in line for line in lines) == 20
    assert "  and 30 more" in lines


def test_findings_of_one_requirement_are_told_apart_by_signature_the_gravest_first(build: Any) -> None:
    names = {"osml.a": Impact.FORM, "osml.b": Impact.LETS_IN, "osml.c": Impact.LOSES}
    differences = [("osml.a", "a 500"), ("osml.b", "a 200"), ("osml.b", "a 201"), ("osml.c", "")]
    run = build.run(
        *(replace(build.requirement(name), impact=impact) for name, impact in names.items()),
        build.check(*(replace(build.decide("fail", name), signature=s) for name, s in differences)),
    )
    lines = [line for line in printed(judge(run)).splitlines() if line.startswith("  fail ")]
    assert [line.split()[1] for line in lines] == ["osml.b", "osml.b", "osml.c", "osml.a"]
    assert lines[0].startswith("  fail   osml.b  lets somebody in: A deploy answers")
    assert [line.partition("  [")[2] for line in lines] == ["a 200]", "a 201]", "", "a 500]"]


def test_what_the_version_is_known_for_has_its_option(build: Any) -> None:
    known = KnownDeviation("osml.deploy.answer", "opensearch-2.19", "a 500")
    failed = [replace(build.decide("fail"), signature=signature) for signature in ("a 500", "a 404")]
    lines = printed(judge(build.run(build.requirement(), known, build.check(*failed)))).splitlines()
    assert "this version is known for 1 of 2: --known opensearch-2.19 accepts it" in lines


@pytest.mark.parametrize(
    ("outcome", "meaning"), [("fail", "not conformant"), ("untestable", "too little decided to say")]
)
def test_the_exit_code_says_which_of_its_meanings_it_has(build: Any, outcome: str, meaning: str) -> None:
    last = printed(judge(build.decided(outcome))).splitlines()[-1]
    assert last.partition("; ")[0] == f"exit code 1: {meaning}"


def test_what_a_problem_says_is_said_once(build: Any) -> None:
    lines = printed(judge(build.run(Problem("unreachable", "nobody at h:1")))).splitlines()
    assert [line for line in lines if "nobody at h:1" in line] == ["unreachable: nobody at h:1"]
    assert lines[-1].startswith("exit code 3: the target could not be reached")


def test_a_note_has_a_line(build: Any) -> None:
    waiver = Waiver("osml.deploy.answer", "agreed", until="2025-01-01")
    assert "note: the waiver of osml.deploy.answer ended on" in printed(
        judge(build.decided("pass"), [waiver])
    )


def test_an_incomplete_run_says_so(build: Any) -> None:
    text = printed(judge(replace(build.decided("fail"), footer=None)))
    assert text.startswith("Not conformant, and incomplete")
    assert "exit code 5: interrupted or incomplete" in text


def test_nothing_judged_is_said(build: Any) -> None:
    assert "  no requirement was judged" in printed(judge(build.run())).splitlines()


def test_what_would_let_it_decide_more_has_a_price(build: Any) -> None:
    names = ["osml.a", "osml.b", "osml.c", "osml.d"]
    remedies = ["users", "users", "restart", None]
    undecided = [
        replace(build.decide("untestable", name, reason="why"), remedy=remedy)
        for name, remedy in zip(names, remedies, strict=True)
    ]
    run = build.run(*(build.requirement(name) for name in names), build.check(*undecided))
    users, restart = (
        "further users (+2: --user or --create-users)",
        "a restart command (+1: --restart-command)",
    )
    assert f"decides more with {users}, {restart}" in printed(judge(run)).splitlines()
