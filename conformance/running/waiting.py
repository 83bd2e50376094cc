"""Checks of time wait together, while others go on: how long that will take, and who is still waiting.

On a target whose time can be moved nothing waits, and each of them runs alone like any other check.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import pytest

from mlconform.conformance.running.checks import check_name
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import WAITS
from mlconform.conformance.targets.session import Session


def waits(item: pytest.Item) -> float:
    """How many seconds of real time the check lets pass where time cannot be moved; 0 for most."""
    mark = item.get_closest_marker(WAITS)
    return 0.0 if mark is None else float(mark.args[0])


def plan(items: Iterable[pytest.Item], max_wait: float) -> str | None:
    """One line on how long a run will wait and for what; None where it will not."""
    found = {check_name(item).rpartition("::")[2]: waits(item) for item in items}
    waiting = {name: seconds for name, seconds in found.items() if 0 < seconds <= max_wait}
    left_out = sum(seconds > max_wait for seconds in found.values())
    told = []
    if waiting:
        each = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in sorted(waiting.items()))
        told.append(f"will wait {max(waiting.values()):.0f} s, once for all of: {each}")
    if left_out:
        told.append(f"--max-wait {max_wait:g} leaves out {left_out} checks of time")
    return "; ".join(told) or None


class Waiting:
    """One check that goes on in a thread of its own, with a session of its own."""

    def __init__(self, session: Session, expect: Expect, check: Callable[[], None]) -> None:
        self.session = session
        self.expect = expect
        self._check = check
        self._error: BaseException | None = None
        # A daemon: an interrupted run does not wait for it.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._check()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the check's turn has come
            self._error = error

    def result(self) -> None:
        """Wait until the check has ended, and raise what it raised."""
        while self._thread.is_alive():
            # Not without a limit: a signal is heard between two waits.
            self._thread.join(0.5)
        if self._error is not None:
            raise self._error


class WaitingRoom:
    """The checks of time of one run: begun together, they go on beside those that need not run alone.

    `leaves` says that they are begun, and ended in a later part of the run.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, Waiting] = {}
        self._close: Callable[[], None] = lambda: None
        self.begun = False
        self.leaves = False

    def begin(
        self,
        items: Iterable[pytest.Item],
        start: Callable[[pytest.Item], Waiting],
        close: Callable[[], None],
    ) -> None:
        """Start those of these checks that wait; `close` is called when the last has ended."""
        self.begun, self._close = True, close
        for item in items:
            if waits(item):
                self._waiting[item.nodeid] = start(item)

    def ended(self) -> None:
        """Close it where nobody is in it any more."""
        if self.begun and not self._waiting:
            self._close()
            self._close = lambda: None

    def of(self, item: pytest.Item) -> Waiting | None:
        """The check as it goes on beside others; None for one that runs by itself."""
        return self._waiting.get(item.nodeid)

    def take(self, item: pytest.Item) -> Waiting | None:
        """As `of`, once: a repetition runs by itself."""
        return self._waiting.pop(item.nodeid, None)
