"""The one clock of a mock: real time plus an offset that only moves forward."""

from __future__ import annotations

import time
from collections.abc import Callable

MAX_OFFSET = 1e10  # some three centuries: dates stay within what can be written


class Clock:
    """Seconds since the epoch, as a source tells them, plus what `advance` added.

    `source` is injectable so that a test decides the time; it must never run backwards.
    """

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._offset = 0.0

    @property
    def offset(self) -> float:
        """Seconds by which this clock is ahead of its source."""
        return self._offset

    def fork(self) -> Clock:
        """Another clock on the same source, which shows real time until it is moved itself."""
        return Clock(self._source)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._source() + self._offset

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        Raises ValueError when `seconds` is negative or takes the clock further ahead than `MAX_OFFSET`.
        """
        if not 0 <= seconds <= MAX_OFFSET - self._offset:
            raise ValueError(
                f"the clock moves forward, by at most {MAX_OFFSET:.0f} seconds in all, and not by {seconds}"
            )
        self._offset += seconds
