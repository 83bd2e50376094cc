"""The end of pytest-xdist's workers when a run is interrupted: they are told at once, and heard to their end.

By itself pytest-xdist drops what its workers have sent and it has not yet looked at, and lets them go on
for five seconds before it interrupts them.
"""

from __future__ import annotations

import os
import queue
import signal
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

import pytest

# How long a worker may take to remove what its check made; whoever ends the run removes the rest.
GRACE_SECONDS: Final = 0.8


def end(config: pytest.Config, nodes: Sequence[Any]) -> None:
    """Interrupt the workers of this pytest, hear what they learned, and leave no process of theirs."""
    # Pytest-xdist has asked each for it before it was configured.
    processes = {node: int(node.gateway._rinfo().pid) for node in nodes if node.gateway.spec.popen}
    _signal(processes.values(), signal.SIGINT)
    alive = set(processes)
    sent: queue.Queue[tuple[str, dict[str, Any]]] = config.pluginmanager.getplugin("dsession").queue
    ends = time.monotonic() + GRACE_SECONDS
    with suppress(queue.Empty):
        while alive:
            name, told = sent.get(timeout=max(ends - time.monotonic(), 0))
            if name == "testreport":
                config.hook.pytest_runtest_logreport(report=told["rep"])
            elif name in ("workerfinished", "errordown"):
                config.hook.pytest_testnodedown(node=told["node"], error=told.get("error"))
                alive.discard(told["node"])
    # Those that have ended would take as long again to free their memory.
    _signal(processes.values(), signal.SIGKILL)


def _signal(processes: Iterable[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


class Deaf:
    """A plugin of a worker that was interrupted: at a terminal both the user and the run interrupt it."""

    def pytest_keyboard_interrupt(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
