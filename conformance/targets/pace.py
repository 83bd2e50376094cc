"""How many requests a second a target is asked, at most."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets.settle import wait


class Pace:
    """Gives requests their turns, evenly spaced: no more than `per_second` begin in any second, whichever
    thread sends them.

    Requests that must begin at the same moment wait until the turns of all of them have come.
    """

    def __init__(
        self,
        per_second: float,
        *,
        now: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = wait,
    ) -> None:
        self._per_second = per_second
        self._now = now
        self._wait = wait
        self._next = now()
        self._given = 0
        self._lock = threading.Lock()

    def take(self) -> None:
        """Wait for the turn of one request."""
        with self._lock:
            if self._given:
                self._given -= 1
                return
            begin = self._turns(1)
        self._wait(begin - self._now())

    @contextmanager
    def together(self, requests: int) -> Iterator[None]:
        """Wait for the turns of so many requests; those that begin within need not wait for theirs.

        Raises `Untestable` where a second has fewer turns.
        """
        if requests > max(1.0, self._per_second):
            raise Untestable(
                f"{requests} requests at the same moment are more than this process may send in a second "
                f"({self._per_second:g}); raise --max-rate"
            )
        with self._lock:
            begin = self._turns(requests)
        self._wait(begin - self._now())
        with self._lock:
            self._given += requests
        try:
            yield
        finally:
            with self._lock:
                self._given = 0

    def _turns(self, count: int) -> float:
        """When the last of the next turns comes; from then on they are taken."""
        begin = max(self._now(), self._next + (count - 1) / self._per_second)
        self._next = begin + 1 / self._per_second
        return begin
