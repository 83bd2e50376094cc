"""`run.ndjson`: written an event at a time while a run goes on, read back whole for its reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from mlconform.conformance.contract.model import Level
from mlconform.conformance.report.codec import EventError, decode, encode
from mlconform.conformance.report.events import (
    SCHEMA_VERSION,
    CheckFinished,
    Event,
    KnownDeviation,
    Problem,
    RequirementListed,
    RunFinished,
    RunStarted,
    TargetDiscovered,
    Waiver,
)
from mlconform.conformance.report.exit_code import ReportError


class EventWriter:
    """Appends events to a file, one line each, so that a killed run leaves all but its last event.

    Creates the file and its parent folders. Raises `ReportError` where the file can't be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="ascii", newline="\n")
        except OSError as error:
            raise _unwritable(path, error) from error
        self._path = path

    def write(self, event: Event) -> None:
        """The event is with the operating system when this returns."""
        try:
            self._file.write(encode(event) + "\n")
            self._file.flush()
        except OSError as error:
            raise _unwritable(self._path, error) from error

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _unwritable(path: Path, error: OSError) -> ReportError:
    return ReportError(f"{path}: can't be written ({error}); choose another folder")


@dataclass(frozen=True, slots=True)
class Run:
    """The events of one run, sorted by type; within a type they keep their order.

    `unknown` are events of types that this version doesn't know. `cut_off` says that the last
    line had not been written to its end.
    """

    header: RunStarted
    targets: tuple[TargetDiscovered, ...] = ()
    requirements: tuple[RequirementListed, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    deviations: tuple[KnownDeviation, ...] = ()
    checks: tuple[CheckFinished, ...] = ()
    problems: tuple[Problem, ...] = ()
    footer: RunFinished | None = None
    unknown: tuple[Mapping[str, object], ...] = ()
    cut_off: bool = False

    @property
    def complete(self) -> bool:
        """Whether the run came to its end: it has a footer, and nothing is cut off."""
        return self.footer is not None and not self.cut_off

    @property
    def level(self) -> Level:
        """The weakest level on which this run fails."""
        return Level(self.header.level)

    @property
    def day(self) -> date:
        """The day on which the run started; waivers expire by it, so that a report stays the same."""
        return datetime.fromisoformat(self.header.started_at).date()


def gather(events: Iterable[Event | Mapping[str, object]], *, cut_off: bool = False) -> Run:
    """The run that these events make. Raises `ReportError` without exactly one header."""
    kept = list(events)
    headers = [event for event in kept if isinstance(event, RunStarted)]
    if len(headers) != 1:
        raise ReportError(
            f"expected one run_started event, came {len(headers)}; give each run a file of its own"
        )
    footers = [event for event in kept if isinstance(event, RunFinished)]
    return Run(
        header=headers[0],
        targets=tuple(event for event in kept if isinstance(event, TargetDiscovered)),
        requirements=tuple(event for event in kept if isinstance(event, RequirementListed)),
        waivers=tuple(event for event in kept if isinstance(event, Waiver)),
        deviations=tuple(event for event in kept if isinstance(event, KnownDeviation)),
        checks=tuple(event for event in kept if isinstance(event, CheckFinished)),
        problems=tuple(event for event in kept if isinstance(event, Problem)),
        footer=footers[-1] if footers else None,
        unknown=tuple(event for event in kept if isinstance(event, Mapping)),
        cut_off=cut_off,
    )


def read(path: Path) -> Run:
    """The run in a file. A last line that was cut off is left out, and the run is then incomplete.

    Raises `ReportError`, with the line, where the file is no such stream or was written by a newer
    version of the format.
    """
    events: list[Event | Mapping[str, object]] = []
    cut_off = False
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    events.append(_checked(decode(line), first=number == 1))
                except EventError as error:
                    if line.endswith(b"\n") or number == 1:
                        raise ReportError(
                            f"{path}:{number}: {error}; give the run.ndjson that a run wrote, as it wrote it"
                        ) from None
                    cut_off = True
    except OSError as error:
        raise ReportError(f"{path}: can't be read ({error}); give the run.ndjson of a run") from error
    try:
        return gather(events, cut_off=cut_off)
    except ReportError as error:
        raise ReportError(f"{path}: {error}") from None


def _checked(event: Event | Mapping[str, object], *, first: bool) -> Event | Mapping[str, object]:
    """The event, if the strings that stand for levels and times are such. Raises `EventError`."""
    if first and not isinstance(event, RunStarted):
        raise EventError("expected the event run_started on the first line, came another")
    if isinstance(event, RunStarted):
        if event.schema_version > SCHEMA_VERSION:
            raise EventError(
                f"expected schema_version {SCHEMA_VERSION} or less, came {event.schema_version}; "
                "use the version of mlconform that wrote it, or a newer one"
            )
        try:
            datetime.fromisoformat(event.started_at)
        except ValueError:
            raise EventError(f"started_at: expected an ISO 8601 time, came {event.started_at!r}") from None
    if isinstance(event, RunStarted | RequirementListed) and event.level not in list(Level):
        raise EventError(f"level: expected one of {', '.join(Level)}, came {event.level[:80]!r}")
    return event
