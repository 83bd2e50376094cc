"""What was created is taken away again, newest first."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mlconform.conformance.errors import TargetUnreachable
from mlconform.conformance.outcomes import BrokenAnswer
from mlconform.conformance.targets.tracker import Resource, Tracker, remove_all


def named(name: str, remove: Callable[[], str | None] = lambda: None) -> Resource:
    return Resource("thing", name, remove)


def test_the_newest_comes_first() -> None:
    tracker = Tracker()
    for name in "abc":
        tracker.add(named(name))
    assert [resource.id for resource in tracker.take()] == ["c", "b", "a"]


def test_what_was_taken_is_no_longer_remembered() -> None:
    tracker = Tracker()
    tracker.add(named("a"))
    tracker.take()
    assert tracker.take() == []


def test_a_mark_keeps_what_was_before_it() -> None:
    tracker = Tracker()
    tracker.add(named("before"))
    mark = tracker.mark()
    tracker.add(named("after"))
    assert [resource.id for resource in tracker.take(mark)] == ["after"]
    assert [resource.id for resource in tracker.take()] == ["before"]


def test_what_is_put_back_keeps_its_order() -> None:
    tracker = Tracker()
    for name in "abc":
        tracker.add(named(name))
    tracker.put_back(tracker.take())
    assert [resource.id for resource in tracker.take()] == ["c", "b", "a"]


def test_only_what_stays_is_left_and_says_why() -> None:
    (left,) = remove_all([named("a"), named("b", lambda: "it is in use")])
    assert str(left) == "thing b could not be removed: it is in use"


@pytest.mark.parametrize(
    "error",
    [TargetUnreachable("nobody there"), BrokenAnswer("osml.wire.json", expected="x", came="nobody there")],
)
def test_a_target_that_fails_is_in_the_way_and_stops_nothing(error: Exception) -> None:
    removed: list[str] = []

    def fail() -> None:
        raise error

    left = remove_all([named("a", fail), named("b", lambda: removed.append("b"))])
    assert removed == ["b"]
    assert "nobody there" in str(left[0])
