"""What may break a requirement: the answers of its own operation first, then the members that it names."""

from __future__ import annotations

from typing import Any

import pytest

from mlconform.conformance.contract.model import Level, Requirement
from mlconform.conformance.mutants.alterations import Kind, Members, Mutant, Place, remember
from mlconform.conformance.mutants.altering import NO_OPERATION
from mlconform.conformance.mutants.candidates import candidates, undone
from mlconform.conformance.mutants.matrix import Baseline

CHECK = "test_a.py::test"
REGISTER = Place("register", 200)
READ = Place("read", 200)
UNKNOWN = Place(NO_OPERATION, 400)


def requirement(**fields: Any) -> Requirement:
    told = {"id": "a.register.field.name", "statement": "A registration may have `name` as string."}
    given: dict[str, Any] = {**told, "operation": "register", **fields}
    return Requirement(profile="a", level=Level.DOCUMENTED, sources=(), **given)


@pytest.fixture
def baseline() -> Baseline:
    members: Members = {}
    remember(members, REGISTER, {"id": "x"})
    remember(members, READ, {"kind": "flow", "name": "n"})
    methods = {REGISTER: "POST", READ: "GET", UNKNOWN: "POST", Place(NO_OPERATION, 200): "PUT"}
    met = {CHECK: frozenset({*members, *methods})}
    return Baseline(members, methods, {CHECK: 2}, met, {CHECK: frozenset({"a.register.field.name"})})


def test_the_own_operation_comes_first_then_the_named_member(baseline: Baseline) -> None:
    found = list(candidates(requirement(), baseline, [CHECK]))
    named = Place("read", 200, ("name",))
    assert found[:5] == [
        Mutant(REGISTER, Kind.STATUS),
        Mutant(REGISTER, Kind.NO_ROUTE),
        Mutant(REGISTER, Kind.UNDONE),
        Mutant(named, Kind.VALUE),
        Mutant(named, Kind.LEFT_OUT),
    ]


def test_a_member_is_named_by_the_statement_too(baseline: Baseline) -> None:
    asked = requirement(id="a.states", operation=None, statement="The `kind` is one of two.")
    assert next(candidates(asked, baseline, [CHECK])) == Mutant(Place("read", 200, ("kind",)), Kind.VALUE)


def test_each_is_given_once(baseline: Baseline) -> None:
    found = list(candidates(requirement(), baseline, [CHECK]))
    assert len(found) == len(set(found))


def test_what_asks_for_no_operation_is_answered_otherwise_and_is_no_write(baseline: Baseline) -> None:
    assert Mutant(UNKNOWN, Kind.STATUS) in candidates(requirement(), baseline, [CHECK])
    assert undone(baseline) == [Mutant(REGISTER, Kind.UNDONE)]
