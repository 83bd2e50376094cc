"""Waivers: failures that are accepted, each with its reason and, where it should end, its last day."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import yaml

from mlconform.conformance.report.events import Waiver
from mlconform.conformance.report.exit_code import ReportError

# libyaml reads ten times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MEMBERS = {"requirement", "reason", "until", "check", "signature", "chance"}
_SHAPE = "a list of {requirement, reason, until?: YYYY-MM-DD, check?, signature?, chance?: true}"


class WaiverError(ReportError):
    """A file of waivers can't be used."""


def load(path: Path) -> tuple[Waiver, ...]:
    """The waivers in a YAML file, expired ones included. Raises `WaiverError`."""
    try:
        entries = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    except OSError as error:
        raise WaiverError(f"{path}: can't be read ({error}); give a YAML file with {_SHAPE}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise WaiverError(f"{path}: expected YAML, came something else: {error}") from error
    if entries is None:
        return ()
    if not isinstance(entries, list):
        raise WaiverError(f"{path}: expected {_SHAPE}, came a {type(entries).__name__}")
    waivers = tuple(_waiver(entry, path, number) for number, entry in enumerate(entries, start=1))
    names = [(waiver.requirement, waiver.check, waiver.signature) for waiver in waivers]
    for name in names:
        if names.count(name) > 1:
            raise WaiverError(f"{path}: {name[0]} is waived more than once; keep one entry with one reason")
    return waivers


@dataclass(frozen=True, slots=True)
class Difference:
    """A failure as a waiver sees it: which requirement, met by which check, with which signature."""

    requirement: str
    check: str
    signature: str = ""


def holding(waivers: Iterable[Waiver], day: date) -> tuple[Waiver, ...]:
    """The waivers that hold on a day."""
    return tuple(waiver for waiver in waivers if _holds(waiver, day))


def covering(waivers: Iterable[Waiver], difference: Difference) -> Waiver | None:
    """The waiver that accepts a difference: of several the one that says most exactly which."""
    found = [waiver for waiver in waivers if covers(waiver, difference)]
    return max(
        found, key=lambda waiver: (waiver.signature is not None, waiver.check is not None), default=None
    )


def covers(waiver: Waiver, difference: Difference) -> bool:
    """Whether a waiver accepts a difference; what it does not name may be any."""
    return (
        waiver.requirement == difference.requirement
        and waiver.check in (None, difference.check)
        and waiver.signature in (None, difference.signature)
    )


def expired(waivers: Iterable[Waiver], day: date) -> tuple[Waiver, ...]:
    """The waivers that no longer hold on a day."""
    return tuple(waiver for waiver in waivers if not _holds(waiver, day))


def stale(
    waivers: Iterable[Waiver],
    day: date,
    failed: Collection[Difference],
    undecided: Collection[str],
    listed: Collection[str],
) -> tuple[Waiver, ...]:
    """The waivers that hold on a day and match none of the failures.

    What depends on chance may not have shown. A requirement that stayed undecided says nothing against its
    waiver, and neither does a run of another profile, whose requirements all begin with another word.
    """
    begun = {name.split(".")[0] for name in listed}
    return tuple(
        waiver
        for waiver in holding(waivers, day)
        if not waiver.chance
        and not any(covers(waiver, difference) for difference in failed)
        and waiver.requirement not in undecided
        and waiver.requirement.split(".")[0] in begun
    )


def _holds(waiver: Waiver, day: date) -> bool:
    return waiver.until is None or day.isoformat() <= waiver.until


def _waiver(entry: object, path: Path, number: int) -> Waiver:
    where = f"{path}: entry {number}"
    if not isinstance(entry, dict):
        raise WaiverError(f"{where}: expected an item of {_SHAPE}, came {entry!r}")
    unknown = sorted(str(name) for name in entry if name not in _MEMBERS)
    if unknown:
        raise WaiverError(f"{where}: expected only {sorted(_MEMBERS)}, came also {unknown}")
    return Waiver(
        requirement=_text(entry, "requirement", where),
        reason=_text(entry, "reason", where),
        until=_last_day(entry.get("until"), where),
        check=_text(entry, "check", where) if "check" in entry else None,
        signature=_text(entry, "signature", where) if "signature" in entry else None,
        chance=_flag(entry, "chance", where),
        origin=path.name,
    )


def _text(entry: Mapping[object, object], name: str, where: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not value.strip():
        raise WaiverError(f"{where}: expected {name} as a text that is not empty, came {value!r}")
    return value.strip()


def _flag(entry: Mapping[object, object], name: str, where: str) -> bool:
    value = entry.get(name, False)
    if not isinstance(value, bool):
        raise WaiverError(f"{where}: expected {name} as true or false, came {value!r}")
    return value


def _last_day(value: object, where: str) -> str | None:
    if value is None:
        return None
    try:
        day = value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError:
        raise WaiverError(f"{where}: expected until as a date YYYY-MM-DD, came {value!r}") from None
    if isinstance(day, datetime):
        raise WaiverError(f"{where}: expected until as a date without a time, came {value!r}")
    return day.isoformat()
