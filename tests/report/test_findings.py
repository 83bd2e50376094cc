"""Differences told apart, the gravest first, each with what a reader needs to act on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mlconform.conformance.report.events import KnownDeviation, Waiver
from mlconform.conformance.report.findings import findings, groups, known_set
from mlconform.conformance.report.verdicts import Kind, judge


def failed(build: Any, signature: str, name: str = "osml.deploy.answer", **more: Any) -> Any:
    return replace(build.decide("fail", name, expected="this", came="that"), signature=signature, **more)


def of_impacts(build: Any, impacts: dict[str, str]) -> Any:
    listed = [replace(build.requirement(name), impact=impact) for name, impact in impacts.items()]
    return build.run(*listed, build.check(*(failed(build, "x", name) for name in impacts)))


def test_each_signature_of_a_requirement_is_a_finding(build: Any) -> None:
    run = build.run(build.requirement(), build.check(failed(build, "POST: 500"), failed(build, "GET: 404")))
    found = findings(judge(run))
    assert [(each.name, each.signature) for each in found] == [
        ("osml.deploy.answer", "GET: 404"),
        ("osml.deploy.answer-2", "POST: 500"),
    ]


def test_checks_that_met_the_same_are_one_finding_with_how_often(build: Any) -> None:
    often = failed(build, "x", seen=2, tries=10)
    run = build.run(
        build.requirement(), build.check(often, check="a"), build.check(failed(build, "x"), check="b")
    )
    (found,) = findings(judge(run))
    assert (found.seen, found.tries) == (3, 11)
    assert [each.check.check for each in found.evidence] == ["a", "b"]


def test_the_gravest_come_first(build: Any) -> None:
    meanings = {
        "osml.a": "wrong form",
        "osml.b": "lets somebody in",
        "osml.c": "wrong state",
        "osml.d": "loses data",
        "osml.e": "wrong answer",
    }
    found = findings(judge(of_impacts(build, meanings)))
    assert [each.name for each in found] == ["osml.b", "osml.d", "osml.c", "osml.e", "osml.a"]
    assert [group.title for group in groups(found)] == [
        "Lets somebody in",
        "Loses data",
        "Wrong state",
        "Wrong answer",
        "Wrong form",
    ]


def test_what_is_known_and_our_own_errors_stand_behind(build: Any) -> None:
    run = build.run(
        replace(build.requirement("osml.a"), impact="lets somebody in"),
        build.requirement("osml.b"),
        build.requirement("osml.c"),
        Waiver("osml.a", "agreed"),
        build.check(
            failed(build, "x", "osml.a"), build.decide("error", "osml.b"), failed(build, "x", "osml.c")
        ),
    )
    found = findings(judge(run))
    assert [(each.name, each.kind) for each in found] == [
        ("osml.c", Kind.FAIL),
        ("osml.b", Kind.ERROR),
        ("osml.a", Kind.KNOWN),
    ]


@pytest.mark.parametrize(("signature", "known"), [(None, "v"), ("x", "v"), ("y", "")])
def test_says_which_known_set_would_accept_it(build: Any, signature: str | None, known: str) -> None:
    deviation = KnownDeviation("osml.deploy.answer", "v", signature)
    found = findings(judge(build.run(build.requirement(), deviation, build.check(failed(build, "x")))))
    assert found[0].known == known
    assert known_set(found) == ((known, 1) if known else None)


def test_a_waived_and_an_open_finding_of_one_requirement_are_two(build: Any) -> None:
    run = build.run(
        build.requirement(),
        Waiver("osml.deploy.answer", "agreed", signature="x"),
        build.check(failed(build, "x"), failed(build, "y")),
    )
    assert [(each.kind, each.signature) for each in findings(judge(run))] == [
        (Kind.FAIL, "y"),
        (Kind.KNOWN, "x"),
    ]
