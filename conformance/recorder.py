"""Writes the events of a pytest run to its stream, as they come."""

from __future__ import annotations

from typing import Final

import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from conformance.judging import EVENT_PROPERTY
from conformance.report.codec import decode
from conformance.report.events import CheckFinished, Event, Problem
from conformance.report.stream import EventWriter

INTERRUPTED: Final = Problem("interrupted", "the run was interrupted")


class Recorder:
    """A pytest plugin, on the side that hears of all workers: one event a line, flushed at once.

    Keeps the events too, so that the end of the run needs no second look at the file, and shows
    the progress of the run on a terminal.
    """

    def __init__(self, writer: EventWriter, console: Console) -> None:
        self.events: list[Event] = []
        self._writer = writer
        self._progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[check]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("checks", total=None, check="")

    def record(self, event: Event) -> None:
        self.events.append(event)
        self._writer.write(event)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._progress.update(self._task, total=len(session.items) or None)
        self._progress.start()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._progress.update(self._task, check=nodeid.rpartition("/")[2])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name != EVENT_PROPERTY or not isinstance(value, str):
                continue
            event = decode(value)
            if isinstance(event, CheckFinished | Problem):
                self.record(event)
        if report.when == "teardown":
            self._progress.advance(self._task)

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str) -> None:
        """A worker of pytest-xdist died in this check."""
        self.record(Problem("internal", f"the process that ran {crashitem} died"))

    def pytest_sessionfinish(self) -> None:
        self._progress.stop()

    def pytest_internalerror(self, excrepr: object) -> None:
        self.record(Problem("internal", str(excrepr)[-2000:]))

    def pytest_keyboard_interrupt(self) -> None:
        # Pytest also ends so where a check found the target gone, which is said already.
        if not any(isinstance(event, Problem) and event.kind == "unreachable" for event in self.events):
            self.record(INTERRUPTED)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.record(Problem("internal", f"checks could not be collected: {report.longrepr}"[-2000:]))
