"""Whose turn it is on a cluster that others use: a run marks it while it is there, and another waits.

A mark is an empty ingest pipeline whose description says who is there, since when, and until when he
is surely alive. The cluster state holds it, so whoever lists the marks sees each that was answered
before. Of runs that keep to this at most one has the turn, however their requests interleave: who wants
it writes first that he wants it, then that he has it, looks once more, and steps back where another has
it too. Of several who want it at once, the one whose name sorts first goes.

A mark is a lease: it is renewed while its run lives, and one that ran out stands for a run that died. So
the clocks of the machines must agree to within `LEASE_SECONDS` less `RENEWAL_SECONDS`.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from mlconform.conformance.errors import PrerequisiteMissing, TargetUnreachable
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets.session import Session
from mlconform.conformance.targets.settle import LONGEST_PAUSE_SECONDS, wait

Tell = Callable[[str], None]
PREFIX: Final = "mlconform-"
PIPELINES: Final = "/_ingest/pipeline"
LEASE_SECONDS: Final = 60.0
RENEWAL_SECONDS: Final = 10.0
# How long two that want the turn at the same moment may take to agree.
_AGREEING_SECONDS = 10.0
_KIND = "mlconform-mark"


@dataclass(frozen=True, slots=True)
class Mark:
    """A run on a cluster: the prefix of its names, who started it, and times in ISO 8601.

    `has` says that it has the turn, and does not only want it.
    """

    prefix: str
    who: str
    since: str
    until: str
    has: bool

    @property
    def name(self) -> str:
        """That of the pipeline that holds it."""
        return f"{self.prefix}mark"

    @property
    def alive(self) -> bool:
        return datetime.now(UTC) < datetime.fromisoformat(self.until)

    def __str__(self) -> str:
        run = self.prefix.removeprefix(PREFIX).rstrip("-")
        return f"the run {run} of {self.who}, there since {self.since} and alive until {self.until} at least"


def marks(session: Session) -> dict[str, Mark]:
    """The marks on the cluster by the names of their pipelines; none where they can't be listed."""
    listed = session.aside("GET", PIPELINES)
    held = listed.json if listed.answer is not None and listed.status == 200 else {}
    found = {name: _mark(pipeline) for name, pipeline in held.items()} if isinstance(held, dict) else {}
    return {name: mark for name, mark in found.items() if mark is not None and mark.name == name}


def _mark(pipeline: Any) -> Mark | None:
    """The mark that a pipeline holds; None where it is another pipeline."""
    try:
        told = json.loads(pipeline["description"])[_KIND]
        mark = Mark(**told)
        return mark if mark.until and datetime.fromisoformat(mark.until).tzinfo else None
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


class Turn:
    """The turn of one run, from `take` to `give_back`; its mark is renewed meanwhile, beside the checks."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._mark = Mark(session.options.prefix, _who(), _iso(0), _iso(LEASE_SECONDS), has=False)
        self._over = threading.Event()
        self._renewing: threading.Thread | None = None

    def take(self, *, budget: float, tell: Tell) -> bool:
        """Wait for the turn for at most `budget` seconds; false where the target takes no marks.

        `tell` hears who is waited for. Raises `PrerequisiteMissing` where another run has the turn.
        """
        if not self._write(has=False):
            return False
        try:
            self._wait(budget, tell)
        except BaseException:
            self._remove()
            raise
        self._renewing = threading.Thread(target=self._renew, daemon=True)
        self._renewing.start()
        return True

    def _wait(self, budget: float, tell: Tell) -> None:
        begin, told = time.monotonic(), ""
        while True:
            others = [mark for name, mark in marks(self._session).items() if name != self._mark.name]
            alive = sorted((mark for mark in others if mark.alive), key=lambda mark: mark.name)
            holding = [mark for mark in alive if mark.has]
            before = [mark for mark in alive if mark.name < self._mark.name]
            if not holding and not before and self._claim():
                return
            ahead = (holding or before or [self._mark])[0]
            waited = time.monotonic() - begin
            if waited >= (budget if holding else max(budget, _AGREEING_SECONDS)):
                raise PrerequisiteMissing(
                    f"this cluster is taken: {ahead}. Wait for it with --wait-for-turn SECONDS; where that "
                    "run is dead, its mark runs out by itself, or `mlconform sweep --force` removes it"
                )
            if holding and told != ahead.name:
                tell(f"waiting for the turn: {ahead}")
                told = ahead.name
            wait(LONGEST_PAUSE_SECONDS)
            if datetime.fromisoformat(self._mark.until).timestamp() - time.time() < LEASE_SECONDS / 2:
                self._write(has=False)

    def _claim(self) -> bool:
        """Say that the turn is ours, and look whether another said so too."""
        if not self._write(has=True):
            return False
        others = [mark for name, mark in marks(self._session).items() if name != self._mark.name]
        if any(mark.has and mark.alive for mark in others):
            self._write(has=False)
            return False
        return True

    @property
    def lost(self) -> bool:
        """Whether somebody took our mark away, and so may have taken everything else."""
        read = self._session.aside("GET", self._path)
        return read.answer is not None and read.status == 404

    def give_back(self) -> str | None:
        """Remove the mark; what is in the way, or None."""
        self._over.set()
        if self._renewing is not None:
            self._renewing.join()
        return self._remove()

    def _renew(self) -> None:
        while not self._over.wait(RENEWAL_SECONDS):
            try:
                if self.lost:
                    return
                self._write(has=True)
            except (TargetUnreachable, Untestable):
                # The checks meet it too, and say so.
                continue

    def _write(self, *, has: bool) -> bool:
        self._mark = replace(self._mark, has=has, until=_iso(LEASE_SECONDS))
        body = {"description": json.dumps({_KIND: asdict(self._mark)}), "processors": []}
        written = self._session.aside("PUT", self._path, body)
        return written.answer is not None and written.status == 200

    def _remove(self) -> str | None:
        deleted = self._session.aside("DELETE", self._path)
        gone = deleted.answer is not None and deleted.status in (200, 404)
        return None if gone else deleted.summary

    @property
    def _path(self) -> str:
        return f"{PIPELINES}/{self._mark.name}"


def alive_prefixes(session: Session) -> Mapping[str, Mark]:
    """The runs at work on the cluster, by the prefix of their names."""
    return {mark.prefix: mark for mark in marks(session).values() if mark.alive}


def _iso(seconds_from_now: float) -> str:
    return datetime.fromtimestamp(time.time() + seconds_from_now, UTC).isoformat(timespec="seconds")


def _who() -> str:
    """Who a person asks to end the run."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "somebody"
    return f"{user}@{socket.gethostname()} (process {os.getpid()})"
