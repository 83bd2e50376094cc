"""Waiting until a state is reached or a budget is spent; nothing else in the suite waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")

FIRST_PAUSE_SECONDS = 0.01
LONGEST_PAUSE_SECONDS = 0.5


class Ending(StrEnum):
    SETTLED = "settled"
    TIMED_OUT = "timed out"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True)
class Settled(Generic[T]):
    """The last value read, how the wait ended, and how long it took in seconds."""

    value: T
    ending: Ending
    seconds: float

    def __bool__(self) -> bool:
        return self.ending is Ending.SETTLED


class Budget:
    """So many seconds of real time from now on."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    @property
    def spent(self) -> bool:
        return time.monotonic() > self._ends


def wait(seconds: float) -> None:
    """Let real time pass; interruptible by a signal."""
    if seconds > 0:
        threading.Event().wait(seconds)


def settle(
    read: Callable[[], T],
    until: Callable[[T], bool],
    *,
    budget: float,
    unless: Callable[[T], bool] | None = None,
    pause: Callable[[float], None] = wait,
    now: Callable[[], float] = time.monotonic,
) -> Settled[T]:
    """Read until `until` holds (settled), `unless` holds (contradicted) or `budget` seconds passed.

    The last read happens at or after the end of the budget, so that a state reached in the last
    pause is seen. Pauses grow from 0.01 s to 0.5 s. `pause` and `now` are the target's clock where
    it can be moved.
    """
    begin = now()
    length = FIRST_PAUSE_SECONDS
    while True:
        elapsed = now() - begin
        value = read()
        if until(value):
            return Settled(value, Ending.SETTLED, elapsed)
        if unless is not None and unless(value):
            return Settled(value, Ending.CONTRADICTED, elapsed)
        if elapsed >= budget:
            return Settled(value, Ending.TIMED_OUT, elapsed)
        pause(min(length, max(budget - elapsed, FIRST_PAUSE_SECONDS)))
        length = min(length * 1.5, LONGEST_PAUSE_SECONDS)
