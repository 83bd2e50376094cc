"""What changed between two runs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mlconform.conformance.report.diff import Change, Diff, compare, to_html, to_json, to_text
from mlconform.conformance.report.stream import Run
from mlconform.conformance.report.verdicts import Judgement, Kind, judge


def judged(build: Any, **outcomes: str) -> Judgement:
    """A judged run with a requirement for each name."""
    return judge(
        build.run(
            *(build.requirement(f"osml.a.{name}") for name in outcomes),
            build.check(
                *(
                    build.decide(outcome, f"osml.a.{name}", reason="because")
                    for name, outcome in outcomes.items()
                )
            ),
        )
    )


@pytest.mark.parametrize(
    ("before", "after", "direction"),
    [
        ("fail", "pass", "better"),
        ("untestable", "pass", "better"),
        ("flaky", "pass", "better"),
        ("error", "untestable", "better"),
        ("pass", "fail", "worse"),
        ("untestable", "fail", "worse"),
        ("untestable", "flaky", "worse"),
        ("pass", "untestable", "undecided"),
        ("fail", "untestable", "undecided"),
        ("fail", "error", "undecided"),
        ("pass", "flaky", "undecided"),
    ],
)
def test_a_change_has_a_direction(build: Any, before: str, after: str, direction: str) -> None:
    diff = compare(judged(build, r=before), judged(build, r=after))
    assert getattr(diff, direction) == (Change("osml.a.r", Kind(before), Kind(after), "because"),)
    assert sum(len(changes) for changes in (diff.better, diff.worse, diff.undecided)) == 1


def test_a_warning_is_better_than_a_failure_and_worse_than_a_pass(build: Any) -> None:
    warn, fail = (
        judge(build.decided("fail", level="example")),
        judge(build.decided("fail")),
    )
    assert len(compare(fail, warn).better) == 1
    assert len(compare(judge(build.decided("pass")), warn).worse) == 1


def test_requirements_come_and_go(build: Any) -> None:
    diff = compare(judged(build, old="pass", both="pass"), judged(build, new="fail", both="pass"))
    assert diff == Diff(
        better=(),
        worse=(),
        undecided=(),
        new=(Change("osml.a.new", None, Kind.FAIL, "because"),),
        gone=(Change("osml.a.old", Kind.PASS, None),),
        unchanged=1,
    )


def test_a_run_equals_itself(sample: Run) -> None:
    judgement = judge(sample)
    assert compare(judgement, judgement) == Diff((), (), (), (), (), unchanged=57)


def test_as_text(build: Any) -> None:
    before, after = judged(build, a="pass", b="fail"), judged(build, a="fail", b="pass")
    lines = to_text(compare(before, after), before, after).splitlines()
    assert lines[0].startswith("before: http://127.0.0.1:9200 (not discovered), 2025-06-03")
    assert "worse (1)" in lines
    assert "  osml.a.a  pass -> fail: because" in lines
    assert "  osml.a.b  fail -> pass: because" in lines
    assert lines[-1] == "0 unchanged"


def test_as_json(build: Any) -> None:
    before, after = judged(build, a="pass"), judged(build, a="fail", b="pass")
    document = json.loads(to_json(compare(before, after), before, after))
    assert document["worse"] == [
        {"requirement": "osml.a.a", "before": "pass", "after": "fail", "reason": "because"}
    ]
    assert document["new"][0]["before"] is None
    assert document["before"]["conclusion"] == "conformant"
    assert document["after"]["conclusion"] == "not conformant"


def test_hostile_text_can_not_move_the_terminal(hostile_run: Run, build: Any) -> None:
    before, after = judge(build.decided("pass")), judge(hostile_run)
    diff = compare(before, after)
    for document in (to_text(diff, before, after), to_json(diff, before, after)):
        assert not set(document) & set("\x00\x1b\x85\u202e\u2028\ud800")


@pytest.mark.parametrize(
    ("before", "after", "strict", "lenient"),
    [
        ({"r": "pass"}, {"r": "fail"}, 1, 1),
        ({"r": "pass"}, {"r": "untestable"}, 1, 0),
        ({"r": "pass"}, {}, 1, 0),
        ({"r": "untestable"}, {}, 0, 0),
        ({}, {"r": "fail"}, 1, 1),
        ({}, {"r": "pass"}, 0, 0),
        ({"r": "fail"}, {"r": "pass"}, 0, 0),
    ],
)
def test_a_regression_is_what_got_worse_or_is_no_longer_decided(
    build: Any, before: dict[str, str], after: dict[str, str], strict: int, lenient: int
) -> None:
    diff = compare(judged(build, **before), judged(build, **after))
    assert len(diff.regressions(allow_undecided=False)) == strict
    assert len(diff.regressions(allow_undecided=True)) == lenient


def test_another_finding_of_a_requirement_that_fails_already_is_worse(build: Any) -> None:
    def failing(*signatures: str) -> Judgement:
        decisions = [replace(build.decide("fail"), signature=signature) for signature in signatures]
        return judge(build.run(build.requirement(), build.check(*decisions)))

    (change,) = compare(failing("a"), failing("a", "b")).worse
    assert change.reason == "another finding: b"
    assert compare(failing("a", "b"), failing("a")).worse == ()


def test_as_html(build: Any, hostile_run: Run) -> None:
    before, after = judge(build.decided("pass")), judge(hostile_run)
    page = to_html(compare(before, after), before, after)
    assert "<h1>What changed</h1>" in page
    assert "<img" not in page


def test_what_would_let_the_second_run_decide_more_is_told_with_its_price(build: Any) -> None:
    undecided = build.check(replace(build.decide("untestable", reason="because"), remedy="nodes"))
    before, after = judged(build, r="pass"), judge(build.run(build.requirement(), undecided))
    diff = compare(before, after)
    price = "a second node (+1: --target)"
    assert f"the second decides more with {price}\n" in to_text(diff, before, after)
    told = json.loads(to_json(diff, before, after))
    assert (told["before"]["more"], [each["price"] for each in told["after"]["more"]]) == ([], [price])
    assert price in to_html(diff, before, after)
