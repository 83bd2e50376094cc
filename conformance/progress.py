"""How far a run has come, for somebody who watches it at a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status


class Progress:
    """A pytest plugin that says how many checks are done and which was the last."""

    def __init__(self, status: Status) -> None:
        self._status = status
        self._done = 0

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """One more check is done."""
        self._done += 1
        self._status.update(f"{self._done} checks done, the last one {nodeid.rpartition('::')[2]}")


@contextmanager
def shown_progress() -> Iterator[list[Progress]]:
    """The plugin where standard error is a terminal, and none elsewhere; its line goes away at the end."""
    if not sys.stderr.isatty():
        yield []
        return
    # Checks run with their output captured, so the line has a way of its own to the terminal.
    with (
        os.fdopen(os.dup(sys.stderr.fileno()), "w") as terminal,
        Console(file=terminal).status("checking") as status,
    ):
        yield [Progress(status)]
