"""Calls at the same time whose order is a pure function of a seed.

Each call runs in a thread of its own, but only one at a time goes on. Where a call reaches a `step`, the seed
decides who goes on next; so the same calls on the same state interleave in the same way, run for run.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

T = TypeVar("T")

_PART = threading.local()  # of the call that runs in this thread: `step`, where there is one


def at_once(calls: Sequence[Callable[[], T]], chance: random.Random, ended: Callable[[], None]) -> list[T]:
    """What the calls return, in the order in which they are given; `ended` is called after each one.

    Raises what a call raised, the first one's in the order given, after all of them have ended.
    """
    turns = _Turns(len(calls), chance)
    results: dict[int, T] = {}
    errors: dict[int, BaseException] = {}

    def take_part(number: int) -> None:
        turns.wait(number)
        _PART.step = partial(turns.step, number)
        try:
            results[number] = calls[number]()
            ended()
        except BaseException as error:  # noqa: BLE001 - raised again below, in the caller's thread
            errors[number] = error
        finally:
            turns.leave(number)

    threads = [threading.Thread(target=take_part, args=(n,), daemon=True) for n in range(len(calls))]
    try:
        for number, thread in enumerate(threads):
            thread.start()
            turns.join(number)
    finally:
        turns.begin()
        for number in turns.joined:
            threads[number].join()
    for number in sorted(errors):
        raise errors[number]
    return [results[number] for number in range(len(calls))]


def racing() -> bool:
    """Whether this thread runs one of several calls at once."""
    return hasattr(_PART, "step")


def step() -> None:
    """Whoever the seed chooses goes on; for a call that is alone nothing happens."""
    if racing():
        _PART.step()


class _Turns:
    """Whose turn it is. Whoever has the turn is the only one to touch this, so it needs no lock."""

    def __init__(self, count: int, chance: random.Random) -> None:
        self._chance = chance
        self._turns = [threading.Semaphore(0) for _ in range(count)]
        self._going: list[int] = []
        self.joined: list[int] = []

    def join(self, number: int) -> None:
        self._going.append(number)
        self.joined.append(number)

    def begin(self) -> None:
        if self._going:
            self._turns[self._chance.choice(self._going)].release()

    def wait(self, number: int) -> None:
        self._turns[number].acquire()

    def step(self, number: int) -> None:
        self.begin()
        self.wait(number)

    def leave(self, number: int) -> None:
        self._going.remove(number)
        self.begin()
