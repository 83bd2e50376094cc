"""How far a run has come, where no terminal shows a bar: a line at its start, then one every ten seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

EVERY_SECONDS: Final = 10.0


class Lines:
    """Writes a line on where the run stands each `every` seconds between `begin` and `end`.

    One check may take long, so a thread looks at the time, not the checks. `clock` is in seconds.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        every: float = EVERY_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._every = every
        self._clock = clock
        self._began = clock()
        self._ended = threading.Event()
        self.total = self._done = 0
        self._check = ""

    def begin(self) -> None:
        """A part of the run begins."""
        self._ended.clear()
        threading.Thread(target=self._go_on, args=(self._ended,), daemon=True).start()

    def add(self, checks: int) -> None:
        """So many checks follow, after those of an earlier part of the run."""
        self.total += checks

    def at(self, check: str) -> None:
        """This check began."""
        self._check = check

    def one_done(self) -> None:
        self._done += 1

    def end(self) -> None:
        """No more checks for now."""
        self._ended.set()
        self._ended = threading.Event()

    def told(self) -> str:
        """Where the run stands: `120 of 492 checks after 35 s, in opensearch_ml/test_races.py::test_x`."""
        place = f", in {self._check}" if self._check else ""
        return f"{self._done} of {self.total} checks after {self._clock() - self._began:.0f} s{place}"

    def _go_on(self, ended: threading.Event) -> None:
        while not ended.wait(self._every):
            self._write(self.told())
