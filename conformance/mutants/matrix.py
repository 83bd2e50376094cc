"""Runs the checks that meet an altered answer until one notices: each mutant in a process of its own.

The suite is collected once. Each mutant is tried in a fork of the process that did so, which starts with the
mock as it was then; as many forks run beside each other as there are processors.
"""

from __future__ import annotations

import gc
import os
import pickle
import select
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import pytest
from _pytest.runner import runtestprotocol

from mlconform.conformance.contract.model import Contract
from mlconform.conformance.mutants.alterations import Members, Mutant, Place
from mlconform.conformance.mutants.altering import Altering
from mlconform.conformance.report.codec import decode
from mlconform.conformance.report.events import CheckFinished, Outcome
from mlconform.conformance.running.attached import EVENT_PROPERTY
from mlconform.conformance.running.checks import check_name
from mlconform.conformance.running.judging import Judging
from mlconform.conformance.running.options import RunOptions
from mlconform.conformance.running.run import run_pytest
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.watch.watch import Watch

T = TypeVar("T")
# From the contract, the baseline, and the results so far, which grow, to one round of jobs after the other.
Plan = Callable[[Contract, "Baseline", Sequence["Tried"]], Iterator[list["Job"]]]
# What sends more makes its own requests and takes seconds, and meets what others meet too. Time would say so
# too, but not the same on every machine.
_MANY_REQUESTS: Final = 100


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a run without a mutant met: of each check, by its node id, how much it sent and which places."""

    members: Members
    methods: dict[Place, str]
    requests: dict[str, int]
    met: dict[str, frozenset[Place]]
    bound: dict[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a mutant: the check that noticed, if one did, and every requirement that was told of it.

    `error` is what a check said that ended in an error of its own. `struck` says that an answer was altered.
    """

    mutant: Mutant
    killer: str | None
    named: frozenset[str]
    error: str | None
    struck: bool


@dataclass
class Job:
    """A mutant with the checks to try, most likely killers first; `until` are requirements that are looked
    for: without any, the first difference ends it."""

    mutant: Mutant
    checks: Sequence[str]
    until: str | None = None


class Noticed(KeyboardInterrupt):
    """Ends a check at once: the watch met what is looked for, and nothing that comes after changes that."""


@dataclass(frozen=True, slots=True)
class Impatient:
    """A watch that ends the check at the first difference, or at the first one from `until`."""

    inner: Watch
    until: str | None

    def saw(self, exchange: Exchange, *, racing: bool) -> None:
        """As the watch does; raises `Noticed`."""
        self.inner.saw(exchange, racing=racing)
        if self.inner.differences and (self.until is None or self.until in self.met):
            raise Noticed

    @property
    def met(self) -> frozenset[str]:
        """The requirements that the watch met a difference from."""
        return frozenset(each.requirement for each in self.inner.differences)


class Matrix:
    """A pytest plugin in the place of the loop over checks: gives the baseline to `plan`, runs its jobs."""

    def __init__(self, judging: Judging, plan: Plan, workers: int) -> None:
        self._judging = judging
        self._plan = plan
        self._workers = workers
        self.results: list[Tried] = []
        self.contract = judging.target(judging.options.profile).contract
        self.baseline: Baseline | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        target = self._judging.target(self._judging.options.profile)
        altering = Altering(target.session.transport, target.routes)
        target.session.transport = altering
        gc.collect()
        gc.freeze()
        self.baseline = _forked(lambda: _baseline(list(items.values()), altering))
        altering.members = self.baseline.members
        for jobs in self._plan(self.contract, self.baseline, self.results):
            self.results += self._all(jobs, items, altering)
        return True

    def _all(self, jobs: list[Job], items: dict[str, pytest.Item], altering: Altering) -> Iterator[Tried]:
        waiting = list(reversed(jobs))
        running: dict[int, tuple[int, Job, bytearray]] = {}
        while waiting or running:
            while waiting and len(running) < self._workers:
                job = waiting.pop()
                chosen = [items[name] for name in job.checks if name in items]
                pid, reading = _start(lambda job=job, chosen=chosen: self._try(job, chosen, altering))  # type: ignore[misc]
                running[reading] = (pid, job, bytearray())
            ready, _, _ = select.select(list(running), [], [])
            for reading in ready:
                pid, job, told = running[reading]
                data = os.read(reading, 1 << 16)
                told += data
                if not data:
                    os.close(reading)
                    os.waitpid(pid, 0)
                    del running[reading]
                    yield _read(job, bytes(told))

    def _try(self, job: Job, items: list[pytest.Item], altering: Altering) -> Tried:
        target = self._judging.target(self._judging.options.profile)
        watch = Impatient(target.watch, job.until)
        target.session.watch = watch
        altering.mutant = job.mutant
        named: set[str] = set()
        killer, error = None, None
        for number, item in enumerate(items):
            try:
                events = _events(item, items[number + 1] if number + 1 < len(items) else None)
            except Noticed:
                named |= watch.met
                killer = killer or check_name(item)
                break
            for event in events:
                failed = {d.requirement for d in event.decisions if d.outcome is Outcome.FAIL}
                wrong = next((d.reason for d in event.decisions if d.outcome is Outcome.ERROR), None)
                error = error or (f"{event.check}: {wrong}" if wrong else None)
                named |= failed
                killer = killer or (event.check if failed else None)
            if (job.until is None and killer) or (job.until is not None and job.until in named):
                break
        return Tried(job.mutant, killer, frozenset(named), error, altering.struck)


def run_matrix(options: RunOptions, plan: Plan, workers: int) -> Matrix:
    """Collect the suite for the mock in this process, and run what the plan asks for."""
    judging = Judging(options)
    try:
        judging.target(options.profile)
        matrix = Matrix(judging, plan, workers)
        run_pytest(judging, [matrix], [])
    finally:
        with suppress(Exception):
            judging.close()
    return matrix


def _baseline(items: list[pytest.Item], altering: Altering) -> Baseline:
    requests: dict[str, int] = {}
    met: dict[str, frozenset[Place]] = {}
    bound: dict[str, frozenset[str]] = {}
    for item, following in zip(items, [*items[1:], None], strict=True):
        altering.met, before = set(), altering.sent
        events = _events(item, following)
        if any(
            d.outcome in (Outcome.FAIL, Outcome.ERROR, Outcome.FLAKY) for e in events for d in e.decisions
        ):
            # A check that fails anyway kills nothing.
            continue
        requests[item.nodeid] = altering.sent - before
        met[item.nodeid] = frozenset(altering.met)
        bound[item.nodeid] = frozenset(
            d.requirement for e in events for d in e.decisions if d.outcome is Outcome.PASS
        )
    return Baseline(altering.members, altering.methods, requests, met, bound)


def _events(item: pytest.Item, following: pytest.Item | None) -> list[CheckFinished]:
    found = []
    for report in runtestprotocol(item, nextitem=following, log=False):
        for name, value in report.user_properties:
            if name == EVENT_PROPERTY and isinstance(value, str):
                event = decode(value)
                if isinstance(event, CheckFinished):
                    found.append(event)
    return found


def _start(work: Callable[[], Any]) -> tuple[int, int]:
    """Begin the work in a fork; gives its process and where its result is read."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reading)
            result = pickle.dumps(work())
            with os.fdopen(writing, "wb") as out:
                out.write(result)
        finally:
            os._exit(0)
    os.close(writing)
    return pid, reading


def _forked(work: Callable[[], T]) -> T:
    pid, reading = _start(work)
    with os.fdopen(reading, "rb") as told:
        data = told.read()
    os.waitpid(pid, 0)
    if not data:
        raise RuntimeError("a run without a mutant ended before it could tell what it met")
    result: T = pickle.loads(data)
    return result


def _read(job: Job, told: bytes) -> Tried:
    if not told:
        return Tried(job.mutant, None, frozenset(), "the process that tried it died", struck=True)
    result: Tried = pickle.loads(told)
    return result


def in_order(baseline: Baseline, place: Place) -> list[str]:
    """The checks that meet a place, most likely killers first: those for answers, then the quick ones."""
    meeting = [name for name, places in baseline.met.items() if place in places]
    quick = [name for name in meeting if baseline.requests[name] < _MANY_REQUESTS] or meeting
    return sorted(quick, key=lambda name: ("test_answers" not in name, baseline.requests[name], name))
