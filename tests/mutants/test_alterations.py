"""Members of answers, and the ways to make them wrong."""

from __future__ import annotations

from typing import Any

import pytest

from mlconform.conformance.mutants.alterations import (
    Kind,
    Member,
    Mutant,
    Place,
    altered,
    mutants_of,
    places,
    remember,
)
from mlconform.conformance.mutants.altering import NO_OPERATION, Altering
from mlconform.conformance.targets.exchange import Answer, OutgoingRequest
from mlconform.conformance.targets.transport import InProcessTransport

BODY = {"hits": [{"_id": "a", "n": 1}, {"_id": "b", "n": 2}], "TaGS_qEB79rhJ8XPScId": {"ok": True}}


def test_elements_and_ids_are_alike() -> None:
    found = {"/".join(path) for path, _ in places(BODY)}
    assert found == {"hits", "hits/[]", "hits/[]/_id", "hits/[]/n", "*", "*/ok"}


@pytest.mark.parametrize(
    ("path", "kind", "changed"),
    [
        (("hits", "[]", "n"), Kind.LEFT_OUT, {"hits": [{"_id": "a"}, {"_id": "b"}]}),
        (("hits", "[]", "n"), Kind.TYPE, {"hits": [{"_id": "a", "n": "1"}, {"_id": "b", "n": "2"}]}),
        (("hits", "[]", "n"), Kind.VALUE, {"hits": [{"_id": "a", "n": 0}, {"_id": "b", "n": 0}]}),
        (("hits",), Kind.TYPE, {"hits": {"0": BODY["hits"]}}),
        (("*", "ok"), Kind.VALUE, {"TaGS_qEB79rhJ8XPScId": {"ok": False}}),
    ],
)
def test_every_member_at_a_place_is_altered(path: tuple[str, ...], kind: Kind, changed: Any) -> None:
    assert altered(BODY, path, kind, ()) == (BODY | changed, True)


def test_a_place_that_is_not_there_is_told() -> None:
    assert altered(BODY, ("gone",), Kind.TYPE, ()) == (BODY, False)


def test_a_word_becomes_another_word_of_the_same_list() -> None:
    assert altered({"s": "A"}, ("s",), Kind.VALUE, ["A", "B"])[0] == {"s": "B"}


def test_each_member_has_its_mutants() -> None:
    members: dict[Place, Member] = {}
    remember(members, Place("get", 200), {"list": ["x"]})
    assert {(mutant.place.path, mutant.kind) for mutant in mutants_of(members)} == {
        (("list",), Kind.LEFT_OUT),
        (("list",), Kind.TYPE),
        (("list", "[]"), Kind.TYPE),
        (("list", "[]"), Kind.VALUE),
    }


class _Routes:
    def operation(self, method: str, path: str) -> str:
        return f"{method} {path}"


@pytest.fixture
def writes() -> list[str]:
    return []


@pytest.fixture
def altering(writes: list[str]) -> Altering:
    def handle(method: str, path: str, *_: object) -> tuple[int, list[tuple[str, str]], bytes]:
        writes.append(path)
        del method
        return 200, [("content-type", "application/json")], b'{"done": true}'

    return Altering(InProcessTransport(handle), _Routes())  # type: ignore[arg-type]


def test_a_write_is_answered_and_not_done(altering: Altering, writes: list[str]) -> None:
    altering.mutant = Mutant(Place("PUT /a", 200), Kind.UNDONE)
    assert altering.send(OutgoingRequest("PUT", "/a")).body == b'{"done": true}'
    assert (writes, altering.struck) == ([], True)


def test_other_operations_are_left_alone(altering: Altering, writes: list[str]) -> None:
    altering.mutant = Mutant(Place("PUT /a", 200), Kind.UNDONE)
    assert altering.send(OutgoingRequest("PUT", "/b")) == Answer(
        200, {"content-type": "application/json"}, b'{"done": true}'
    )
    assert (writes, altering.struck) == (["/b"], False)


def test_without_a_mutant_it_remembers_what_came(altering: Altering) -> None:
    altering.send(OutgoingRequest("PUT", "/a"))
    assert altering.met == {Place("PUT /a", 200), Place("PUT /a", 200, ("done",))}


class _NoRoutes:
    def operation(self, method: str, path: str) -> None:
        del method, path


def test_what_asks_for_no_operation_has_no_members_and_can_be_answered_otherwise(altering: Altering) -> None:
    altering.routes = _NoRoutes()  # type: ignore[assignment]
    altering.send(OutgoingRequest("PUT", "/a"))
    assert (altering.members, altering.met) == ({}, {Place(NO_OPERATION, 200)})
    altering.mutant = Mutant(Place(NO_OPERATION, 200), Kind.STATUS)
    assert altering.send(OutgoingRequest("PUT", "/a")).status == 400


def test_the_control_of_the_mock_is_left_alone(altering: Altering) -> None:
    altering.routes = _NoRoutes()  # type: ignore[assignment]
    altering.mutant = Mutant(Place(NO_OPERATION, 200), Kind.STATUS)
    assert altering.send(OutgoingRequest("GET", "/_mock/clock")).status == 200
