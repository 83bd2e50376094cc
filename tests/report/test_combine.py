"""Runs side by side: shards join, targets stand beside each other."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mlconform.conformance.report.combine import combine, to_html, to_json, to_text
from mlconform.conformance.report.exit_code import ExitCode
from mlconform.conformance.report.verdicts import Judgement, Kind, judge


def judged(
    build: Any, target: str = "http://127.0.0.1:9200", *, ended: bool = True, **outcomes: str
) -> Judgement:
    listed = [build.requirement(f"osml.a.{name}", checks=[f"a::{name}"]) for name in outcomes]
    checks = [
        build.check(build.decide(outcome, f"osml.a.{name}"), check=f"a::{name}")
        for name, outcome in outcomes.items()
    ]
    header = replace(build.header(), target=target)
    return judge(build.run(*listed, *checks, header=header, ended=ended))


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [("pass", "fail", "fail"), ("untestable", "pass", "pass"), ("untestable", "inapplicable", "untestable")],
)
def test_shards_of_a_target_are_one_column(build: Any, first: str, second: str, joined: str) -> None:
    matrix = combine([judged(build, r=first, a="pass"), judged(build, r=second, b="pass")])
    (column,) = matrix.columns
    assert column.kinds == {"osml.a.r": Kind(joined), "osml.a.a": Kind.PASS, "osml.a.b": Kind.PASS}


def test_targets_stand_side_by_side(build: Any) -> None:
    matrix = combine([judged(build, "http://a", r="pass"), judged(build, "http://b", r="fail", s="pass")])
    assert matrix.row("osml.a.r") == (Kind.PASS, Kind.FAIL)
    assert matrix.row("osml.a.s") == (None, Kind.PASS)


@pytest.mark.parametrize(
    ("outcome", "ended", "code"),
    [
        ("pass", True, ExitCode.CONFORMANT),
        ("fail", False, ExitCode.NOT_CONFORMANT),
        ("error", True, ExitCode.OWN_ERROR),
        ("pass", False, ExitCode.INCOMPLETE),
    ],
)
def test_its_exit_code_is_that_of_the_worst(build: Any, outcome: str, ended: bool, code: ExitCode) -> None:
    good = judged(build, "http://a", r="pass")
    assert combine([good, judged(build, "http://b", r=outcome, ended=ended)]).exit_code is code


def test_its_forms_tell_the_same(build: Any) -> None:
    matrix = combine(
        [judged(build, "http://a", r="pass", s="pass"), judged(build, "http://b", r="fail", s="pass")]
    )
    text = to_text(matrix)
    assert "[1] http://a: not discovered" in text
    assert "osml.a.r  pass          fail" in text
    assert "osml.a.s" not in text
    rows = {each["id"]: each["verdicts"] for each in json.loads(to_json(matrix))["requirements"]}
    assert rows == {"osml.a.r": ["pass", "fail"], "osml.a.s": ["pass", "pass"]}
    assert to_html(matrix).count("osml.a.s") == 1


def test_hostile_text_stays_text(hostile_run: Any) -> None:
    matrix = combine([judge(hostile_run)])
    assert "<img" not in to_html(matrix)
    assert not set(to_text(matrix)) & set("\x00\x1b\x85\u202e\u2028")


def test_what_would_let_a_target_decide_more_is_told_with_its_price(build: Any) -> None:
    left = build.check(replace(build.decide("untestable", reason="because"), remedy="nodes"))
    undecided, passed = judge(build.run(build.requirement(), left)), judge(build.decided("pass"))
    matrix, price = combine([undecided]), "a second node (+1: --target)"
    assert f"decides more with {price}\n" in to_text(matrix)
    assert json.loads(to_json(matrix))["targets"][0]["more"][0]["price"] == price
    assert price in to_html(matrix)
    # Another shard decided it.
    assert combine([undecided, passed]).columns[0].offers == ()
