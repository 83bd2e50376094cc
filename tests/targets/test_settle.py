"""Waiting for a state, on a clock that only the test moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mlconform.conformance.targets.settle import Ending, Settled, settle


@dataclass
class Time:
    now: float = 100.0
    pauses: list[float] = field(default_factory=list)

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def settle(self, read: Callable[[], str], *, budget: float = 10.0) -> Settled[str]:
        return settle(
            read,
            lambda value: value == "there",
            unless=lambda value: value == "never",
            budget=budget,
            pause=self.pause,
            now=lambda: self.now,
        )


def test_what_is_there_settles_at_once() -> None:
    time = Time()
    assert time.settle(lambda: "there") == Settled("there", Ending.SETTLED, 0.0)
    assert time.pauses == []


def test_what_comes_later_settles_then() -> None:
    time = Time()
    settled = time.settle(lambda: "there" if time.now > 103 else "not yet")
    assert settled
    assert 3.0 < settled.seconds < 3.6


def test_what_never_comes_times_out_at_the_budget() -> None:
    settled = Time().settle(lambda: "not yet")
    assert (settled.value, settled.ending, bool(settled)) == ("not yet", Ending.TIMED_OUT, False)
    assert 10.0 <= settled.seconds < 10.1


def test_what_cannot_come_any_more_is_contradicted_at_once() -> None:
    time = Time()
    settled = time.settle(lambda: "never" if time.now > 101 else "not yet")
    assert settled.ending is Ending.CONTRADICTED
    assert settled.seconds < 2


def test_the_last_look_is_at_the_end_of_the_budget() -> None:
    time = Time()
    assert time.settle(lambda: "there" if time.now >= 110 else "not yet")


def test_a_slow_read_does_not_cost_the_last_look() -> None:
    time = Time()
    values = iter(["not yet", "there"])

    def read() -> str:
        time.now += 30
        return next(values)

    assert time.settle(read)


def test_without_a_budget_there_is_one_look() -> None:
    time = Time()
    assert time.settle(lambda: "not yet", budget=0).ending is Ending.TIMED_OUT
    assert time.pauses == []


def test_pauses_grow_from_a_hundredth_to_half_a_second() -> None:
    time = Time()
    time.settle(lambda: "not yet")
    assert time.pauses[0] == 0.01
    assert max(time.pauses) == 0.5
    assert time.pauses[:12] == sorted(time.pauses[:12])
