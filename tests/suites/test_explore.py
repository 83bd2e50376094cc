"""Exploration: repeatable by its seed, and leaving nothing behind."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from mlconform.conformance.outcomes import Nonconformance, Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.explore import TRIES, Explore
from mlconform.conformance.targets.connect import TargetOptions, connect
from mlconform.conformance.targets.session import Session
from mlconform.conformance.targets.tracker import Resource


@pytest.fixture
def session() -> Iterator[Session]:
    session = connect("opensearch-ml", TargetOptions())
    # However busy this machine is, the target is one that answers at once.
    session._seconds, session._requests = 0.0, 1_000_000
    yield session
    session.close()


def cases(session: Session, seed: int) -> list[Any]:
    seen: list[Any] = []
    Explore(session, seed=seed).every(st.lists(st.integers()), most=10)(seen.append)
    return seen


def test_the_same_seed_makes_the_same_cases(session: Session) -> None:
    assert cases(session, 1) == cases(session, 1)


def test_another_seed_makes_other_cases(session: Session) -> None:
    assert cases(session, 1) != cases(session, 2)


def test_the_same_seed_makes_the_same_steps(session: Session) -> None:
    def steps() -> list[int]:
        seen: list[int] = []

        class Machine(RuleBasedStateMachine):
            @rule(number=st.integers())
            def step(self, number: int) -> None:
                seen.append(number)

        Explore(session, seed=3).machine(Machine, steps=5, most=5)
        return seen

    assert steps() == steps()


def test_what_an_example_makes_is_gone_before_the_next(session: Session) -> None:
    there: set[int] = set()

    def prop(number: int) -> None:
        assert there == set()
        there.add(number)
        session.tracker.add(Resource("thing", str(number), lambda: there.discard(number)))

    Explore(session, seed=0).every(st.integers(), most=5)(prop)
    assert there == set()


def test_a_difference_keeps_the_evidence_of_the_smallest_case_and_of_what_was_made_for_all(
    session: Session,
) -> None:
    session.begin_sequence()
    session.request("GET", "/for-all")

    def prop(number: int) -> None:
        session.request("GET", f"/number/{number}")
        if number >= 10:
            raise Nonconformance("a.b", expected="less than 10", came=str(number))

    with pytest.raises(Nonconformance) as caught:
        Explore(session, seed=0).every(st.integers(0, 1000))(prop)
    assert caught.value.came == "10"
    assert [kept.request.path for kept in session.journal] == ["/for-all", "/number/10"]


def test_what_cannot_be_tested_is_not_searched_for_a_smaller_case(session: Session) -> None:
    calls: list[int] = []

    def prop(number: int) -> None:
        calls.append(number)
        raise Untestable("no second node")

    with pytest.raises(Untestable, match="no second node"):
        Explore(session, seed=0).every(st.integers())(prop)
    assert len(calls) == 1


def test_a_slow_target_gets_fewer_examples(session: Session) -> None:
    explore = Explore(session, seed=0)
    quick = explore.examples(1)
    session._seconds, session._requests = 10.0, 10
    assert explore.examples(1) < quick
    assert explore.examples(1000) == 5


def test_what_tries_leave_is_looked_at_after_the_last_of_them(session: Session) -> None:
    session.begin_sequence()
    seen: list[str] = []
    judge = Expect(["a.b"], lambda _: True, evidence=lambda: session.journal)

    def attempt(chance: random.Random) -> Callable[[], None]:
        name = f"/try/{chance.random()}"
        session.request("GET", name)
        seen.append("try")

        def look() -> None:
            seen.append("look")
            judge.see("a.b", name in session.journal[0].request.path, expected=name, came="another")

        return look

    Explore(session, seed=0).at_rest(judge, attempt)
    assert seen == ["try"] * TRIES + ["look"] * TRIES
    assert judge.differences == []


def test_who_allows_no_wait_has_chance_tried_once(session: Session) -> None:
    session.options = replace(session.options, max_wait=0.0)
    judge = Expect(["a.b"], lambda _: True)
    assert len(list(Explore(session, seed=0).by_chance(judge))) == judge.tries == 1


def test_a_try_begins_with_the_evidence_of_what_was_made_for_all(session: Session) -> None:
    session.begin_sequence()
    session.request("GET", "/for-all")
    judge = Expect(["a.b"], lambda _: True)
    for _ in Explore(session, seed=0).by_chance(judge):
        session.request("GET", "/try")
        assert [kept.request.path for kept in session.journal] == ["/for-all", "/try"]
