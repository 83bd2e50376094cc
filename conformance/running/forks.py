"""The checks of a run on a mock of this process, in several processes at once.

The suite is collected once. Each process is a fork of the one that did so, with the mock as it was then and
nobody else at it; it takes what comes next when it has begun the last, and tells how each check ended. Checks
that explore alike stay together, for what they import and make at their first use takes a second.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import struct
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Final

import pytest
from _pytest.runner import runtestprotocol

from mlconform.conformance.report.events import Problem
from mlconform.conformance.running.judging import Judging
from mlconform.conformance.running.record import Recorder
from mlconform.conformance.suites.marks import FIRST

# What stays together takes up to a third of the time of all checks: more processes would wait for it.
MOST_FORKS: Final = 3
# Elsewhere a process that has threads must not be copied, or cannot be.
POSSIBLE: Final = sys.platform == "linux"
# How the places are written, first and last, of checks that stay together.
_PLACES: Final = struct.Struct("=II")


def processors() -> int:
    """How many processes can go on at once; 1 where forks are not possible."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1


@dataclass(frozen=True, slots=True)
class _Began:
    """A fork goes on to this check."""

    nodeid: str
    location: tuple[str, int | None, str]


@dataclass(frozen=True, slots=True)
class _Reported:
    """A part of a check ended; `report` is what pytest makes of its report, to be sent."""

    report: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Ended:
    """A fork has no more checks. `stop` is why no check makes sense any more, and `error` why it could not go
    on; empty where there is nothing of it. `complaints` tell what it could not remove."""

    stop: str = ""
    error: str = ""
    complaints: Sequence[str] = ()


@dataclass
class _Fork:
    """A process, where it tells, and the last check that it began."""

    process: multiprocessing.process.BaseProcess
    told: Connection
    check: str = "no check yet"


class Forks:
    """A pytest plugin in the place of the loop over checks: so many forks go through them, and the recorder
    hears of all."""

    def __init__(self, judging: Judging, recorder: Recorder, count: int) -> None:
        self._judging = judging
        self._recorder = recorder
        self._count = count

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if session.testsfailed:
            # Not all could be collected, which pytest's own loop says.
            return None
        # Forks share memory until one of them writes into it, as whoever looks for garbage would.
        gc.freeze()
        taking, giving = os.pipe()
        session.items.sort(key=_turn)
        together = list(_together(session.items))
        with os.fdopen(giving, "wb") as places:
            places.write(b"".join(_PLACES.pack(*each) for each in together))
        forks = [self._fork(session, taking) for _ in range(min(self._count, len(together)))]
        os.close(taking)
        try:
            self._hear_all(session, forks)
        finally:
            for fork in forks:
                fork.process.kill()
                fork.process.join()
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        return True

    def _fork(self, session: pytest.Session, taking: int) -> _Fork:
        told, telling = multiprocessing.Pipe(duplex=False)

        def work() -> None:
            # Whoever interrupts the run interrupts this process' parent too, which ends it.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            told.close()
            # Where the parent is gone nobody listens.
            with suppress(BrokenPipeError):
                telling.send(self._work(session, taking, telling))

        process = multiprocessing.get_context("fork").Process(target=work, daemon=True)
        process.start()
        telling.close()
        return _Fork(process, told)

    # in a fork

    def _work(self, session: pytest.Session, taking: int, telling: Connection) -> _Ended:
        try:
            self._judging.go_apart()
            self._go_through(session, taking, telling)
            self._judging.close()
        except BrokenPipeError:
            raise
        except BaseException:  # noqa: BLE001 - nobody else tells of it
            return _Ended(error=traceback.format_exc())
        return _Ended(str(session.shouldstop or ""), complaints=self._judging.complaints)

    def _go_through(self, session: pytest.Session, taking: int, telling: Connection) -> None:
        hook = session.config.hook
        mine = _taken(session, taking)
        following = next(mine, None)
        while following is not None and not session.shouldstop:
            item, following = following, next(mine, None)
            telling.send(_Began(item.nodeid, item.location))
            for report in runtestprotocol(item, nextitem=following, log=False):
                if report.when == "setup" and report.passed:
                    # Nobody wants to hear of it.
                    continue
                sent = hook.pytest_report_to_serializable(config=session.config, report=report)
                telling.send(_Reported(sent))

    # in the process that hears of all

    def _hear_all(self, session: pytest.Session, forks: Sequence[_Fork]) -> None:
        """Hear of the forks until they have ended, or until pytest wants no more checks."""
        by_way = {fork.told: fork for fork in forks}
        while by_way and not (session.shouldfail or session.shouldstop):
            for way in wait(list(by_way)):
                assert isinstance(way, Connection)  # what was given
                try:
                    message = way.recv()
                except EOFError:
                    self._recorder.pytest_handlecrashitem(by_way.pop(way).check)
                    continue
                if isinstance(message, _Ended):
                    del by_way[way]
                self._hear(session, by_way.get(way), message)

    def _hear(self, session: pytest.Session, fork: _Fork | None, message: object) -> None:
        hook = session.config.hook
        match message:
            case _Began(nodeid, location):
                if fork is not None:
                    fork.check = nodeid
                hook.pytest_runtest_logstart(nodeid=nodeid, location=location)
            case _Reported(report):
                heard = hook.pytest_report_from_serializable(config=session.config, data=report)
                hook.pytest_runtest_logreport(report=heard)
            case _Ended(stop, error, complaints):
                self._judging.complaints += complaints
                session.shouldstop = session.shouldstop or stop
                if error:
                    self._recorder.record(Problem("internal", error[-2000:]))


def _turn(item: pytest.Item) -> tuple[bool, bool, str]:
    """What must come first, and then what explores, which takes longest, so that nobody waits for it."""
    kind = _explores(item)
    return item.get_closest_marker(FIRST) is None, not kind, kind


def _explores(item: pytest.Item) -> str:
    """The kind of exploring that a check does, as the modules for it are called; empty where it does none."""
    return item.path.stem if "explore" in getattr(item, "fixturenames", ()) else ""


def _together(items: Sequence[pytest.Item]) -> Iterator[tuple[int, int]]:
    """The first and the last place of each group of checks that stay together; most stand alone."""
    begin = 0
    for place, item in enumerate(items):
        following = items[place + 1] if place + 1 < len(items) else None
        if following is None or not _explores(item) or _turn(item) != _turn(following):
            yield begin, place
            begin = place + 1


def _taken(session: pytest.Session, taking: int) -> Iterator[pytest.Item]:
    """The checks that no other fork has taken, as they are wanted."""
    while places := os.read(taking, _PLACES.size):
        first, last = _PLACES.unpack(places)
        yield from session.items[first : last + 1]
