"""The target's time: moved where it can be, else waited for within a budget."""

from __future__ import annotations

import time

import pytest

from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets.clock import TargetClock


def test_a_movable_clock_is_moved_and_not_waited_for() -> None:
    moved: list[float] = []
    clock = TargetClock(moved.append, max_wait=1)
    before, began = clock.now(), time.monotonic()
    clock.let_pass(3600, "a test")
    assert moved == [3600]
    assert clock.now() - before >= 3600
    assert time.monotonic() - began < 60


def test_real_time_passes_where_the_clock_cannot_be_moved() -> None:
    clock = TargetClock(None, max_wait=1)
    before = time.monotonic()
    clock.let_pass(0.05, "a test")
    assert not clock.movable
    assert time.monotonic() - before >= 0.05


def test_more_than_the_budget_is_untestable_before_any_of_it_passes() -> None:
    began = time.monotonic()
    with pytest.raises(Untestable, match=r"a TTL needs 70 s of real time.*allows 5 s.*--max-wait 70"):
        TargetClock(None, max_wait=5).let_pass(70, "a TTL")
    assert time.monotonic() - began < 5


def test_the_budget_is_of_the_whole_check() -> None:
    clock = TargetClock(None, max_wait=0.05)
    clock.let_pass(0.03, "a test")
    with pytest.raises(Untestable):
        clock.let_pass(0.03, "a test")


def test_the_next_check_has_the_whole_budget_again() -> None:
    clock = TargetClock(None, max_wait=0.05)
    clock.let_pass(0.03, "a test")
    clock.start_check()
    clock.allow(0.05, "a test")


def test_no_time_at_all_is_always_allowed() -> None:
    clock = TargetClock(None, max_wait=0)
    clock.let_pass(0, "a test")
    clock.let_pass(-5, "a test")
