"""A run on disk, from its header to its reports; the command and the pytest plugin both keep one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from mlconform.conformance.errors import PrerequisiteMissing, TargetUnreachable, UsageError
from mlconform.conformance.outcomes import BrokenAnswer, InTheWay
from mlconform.conformance.report.codec import decode
from mlconform.conformance.report.events import CheckFinished, Decision, Event, Outcome, Problem
from mlconform.conformance.report.render import Paths, render
from mlconform.conformance.report.stream import EventWriter, gather
from mlconform.conformance.report.verdicts import Judgement, footer, judge
from mlconform.conformance.running.attached import EVENT_PROPERTY
from mlconform.conformance.running.judging import Judging, now
from mlconform.conformance.running.progress import Lines
from mlconform.conformance.running.waiting import plan
from mlconform.conformance.targets import interruption
from mlconform.conformance.targets.credentials import all_presentable

# What pytest-xdist calls it.
FIRST_WORKER: Final = "gw0"
INTERRUPTED: Final = Problem("interrupted", "the run was interrupted")


class Recorder:
    """A pytest plugin, on the side that hears of all workers: one event a line, flushed at once.

    Keeps the events too, so that the end of the run needs no second look at the file, if there is one,
    and shows how far the run has come: a bar on a terminal, elsewhere lines.
    """

    def __init__(
        self,
        writer: EventWriter | None,
        console: Console,
        plan: Callable[[Sequence[pytest.Item]], str | None] = lambda _: None,
    ) -> None:
        self.events: list[Event] = []
        self.interrupted_at: float | None = None
        self._console = console
        self._plan = plan
        self._told: set[str] = set()
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
        self._lines = Lines(self._say)

    def _say(self, line: str) -> None:
        self._console.print(line, soft_wrap=True, markup=False, highlight=False)

    def record(self, event: Event) -> None:
        """Write an event without secrets; a problem that was told already is not told again."""
        event = all_presentable(event)
        if isinstance(event, Problem) and event in self.events:
            return
        if event == INTERRUPTED:
            self.interrupted_at = time.monotonic()
        self.events.append(event)
        if self._writer is not None:
            self._writer.write(event)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        told = self._plan(session.items)
        if told is not None and told not in self._told:
            self._told.add(told)
            self._say(told)
        self._follow(len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        """Each worker of pytest-xdist has found the same checks; who hears of them collects none."""
        if node.gateway.id == FIRST_WORKER:
            self._follow(len(ids))

    def _follow(self, checks: int) -> None:
        """So many checks more."""
        if not (self._console.is_terminal or self._console.quiet):
            self._lines.begin()
        self._progress.start()
        if checks:
            self._say(f"runs {checks} checks")
        self._lines.add(checks)
        self._progress.update(self._task, total=self._lines.total or None)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._progress.update(self._task, check=nodeid.rpartition("/")[2])
        self._lines.at(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        with interruption.put_off():
            self._hear(report)

    def _hear(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name != EVENT_PROPERTY or not isinstance(value, str):
                continue
            event = decode(value)
            if isinstance(event, CheckFinished | Problem):
                self.record(event)
        if report.when == "teardown":
            self._progress.advance(self._task)
            self._lines.one_done()

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str) -> None:
        """A worker of pytest-xdist died in this check."""
        self.record(Problem("internal", f"the process that ran {crashitem} died"))

    def pytest_sessionfinish(self) -> None:
        self._progress.stop()
        self._lines.end()

    def pytest_internalerror(self, excrepr: object) -> None:
        self.record(Problem("internal", str(excrepr)[-2000:]))

    def pytest_keyboard_interrupt(self) -> None:
        # Pytest also ends so where a check found the target or the run's own things gone, which is said.
        stopped = {"unreachable", "disturbed"}
        if not any(isinstance(event, Problem) and event.kind in stopped for event in self.events):
            self.record(INTERRUPTED)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.record(Problem("internal", f"checks could not be collected: {report.longrepr}"[-2000:]))


STREAM: Final = "run.ndjson"


class RunRecord:
    """Writes a run's stream into `options.out` while it goes on, and the reports at its end; without such a
    folder it keeps the events alone.

    `recorder` is the pytest plugin that hears of the checks. Raises `UsageError` where the folder
    cannot be written.
    """

    def __init__(self, judging: Judging, console: Console) -> None:
        self._judging = judging
        judging.tell = console.print
        self._began = time.monotonic()
        self._out = judging.options.out
        if self._out is not None:
            _remove(self._out / STREAM)
        self._writer = EventWriter(self._out / STREAM) if self._out is not None else None
        self.recorder = Recorder(self._writer, console, self._planned)

    def open(self) -> bool:
        """Discover the target and write the header, the waivers and the requirements in force.

        Returns whether there is something to check. What stands against it is in the stream. Raises
        `UsageError` for a mock that cannot be made so.
        """
        try:
            learned, problems = _discover(self._judging)
        except BaseException:
            self._end()
            raise
        self.recorder.record(self._judging.header())
        for event in (*self._judging.waivers, *learned, *problems):
            self.recorder.record(event)
        return bool(self._judging.found()) and not problems

    def _planned(self, items: Sequence[pytest.Item]) -> str | None:
        """How long these checks will wait, where time is real, and how slowly the run goes on purpose."""
        target = self._judging.options.target
        movable = all(found.session.clock.movable for found in self._judging.found().values())
        waits = None if movable else plan(items, target.max_wait)
        pace = None if target.max_rate is None else f"sends at most {target.max_rate:g} requests a second"
        return "; ".join(told for told in (waits, pace) if told is not None) or None

    def close(self) -> tuple[Judgement, Paths | None]:
        """Clean the target, write the footer and make the reports, where there is a folder for them."""
        try:
            self._judging.close(interrupted_at=self.recorder.interrupted_at)
        except KeyboardInterrupt:
            self.recorder.record(INTERRUPTED)
        for complaint in self._judging.complaints:
            self.recorder.record(Problem("cleanup", complaint))
        duration = round(time.monotonic() - self._began, 3)
        self.recorder.record(footer(gather(self.recorder.events), now(), duration))
        self._end()
        if self._out is None:
            return judge(gather(self.recorder.events)), None
        return render(self._out / STREAM, self._out)

    def _end(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _remove(stream: Path) -> None:
    try:
        stream.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{stream}: the run of before can't be removed ({error}); choose another") from None


def _discover(judging: Judging) -> tuple[list[Event], list[Event]]:
    """Connect every profile that was asked for: what was learned, and what ends the run early.

    With all profiles asked for, those that the target does not offer are left out, unless it
    offers none.
    """
    learned: list[Event] = []
    missing: list[Event] = []
    for profile in judging.options.profiles:
        try:
            judging.target(profile)
        except TargetUnreachable as error:
            return learned, [Problem("unreachable", str(error))]
        except PrerequisiteMissing as error:
            missing.append(Problem("prerequisite", f"{profile}: {error}"))
        except BrokenAnswer as error:
            if judging.selected(error.requirement):
                learned += _broken_discovery(judging, profile, error)
            else:
                missing.append(Problem("prerequisite", f"{profile}: {InTheWay(error)}"))
        except KeyboardInterrupt:
            return learned, [INTERRUPTED]
        else:
            learned += [
                judging.discovered(profile),
                *judging.listed(profile),
                *judging.known_here(profile),
            ]
    return learned, [] if learned else missing


def _broken_discovery(judging: Judging, profile: str, error: BrokenAnswer) -> list[Event]:
    """A target whose first answers are broken on the wire has failed that requirement already."""
    decision = Decision(error.requirement, Outcome.FAIL, expected=error.expected, came=error.came)
    return [*judging.listed(profile), CheckFinished("discovery", profile, 0.0, (decision,))]
