"""The target's time: moved where the target allows it, waited for where it does not."""

from __future__ import annotations

import time
from collections.abc import Callable

from mlconform.conformance.contract.model import Remedy
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets.settle import wait


class TargetClock:
    """Lets the target's time pass.

    `advance` moves the target's clock by that many seconds, or is None where time is real. Of real
    time at most `max_wait` seconds pass in one check.
    """

    def __init__(self, advance: Callable[[float], None] | None, *, max_wait: float) -> None:
        self._advance = advance
        self._max_wait = max_wait
        self._moved = 0.0
        self._waited = 0.0

    @property
    def movable(self) -> bool:
        return self._advance is not None

    @property
    def moved(self) -> float:
        """By how many seconds this clock was moved."""
        return self._moved

    def now(self) -> float:
        """Seconds on a clock that never goes back and includes what was moved."""
        return time.monotonic() + self._moved

    def start_check(self) -> None:
        """A new check has the whole budget again."""
        self._waited = 0.0

    def allow(self, seconds: float, purpose: str) -> None:
        """Raise `Untestable` now when `seconds` more of real time are not within the budget."""
        if not self.movable and self._waited + seconds > self._max_wait:
            raise Untestable(
                f"{purpose} needs {self._waited + seconds:.0f} s of real time, and --max-wait allows "
                f"{self._max_wait:.0f} s; run with --max-wait {self._waited + seconds:.0f} or more",
                Remedy.WAITING,
            )

    def let_pass(self, seconds: float, purpose: str) -> None:
        """Let `seconds` pass on the target. Raises `Untestable` when the budget does not allow it."""
        if seconds <= 0:
            return
        self.allow(seconds, purpose)
        if self._advance is not None:
            self._advance(seconds)
            self._moved += seconds
        else:
            self._waited += seconds
            wait(seconds)
