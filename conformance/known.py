"""Known sets: the deviations of a recorded version, as waivers that come with the contracts."""

from __future__ import annotations

from pathlib import Path

from conformance.contract import store
from conformance.outcomes import UsageError
from conformance.report.events import Waiver
from conformance.report.waivers import load


def known_sets() -> tuple[str, ...]:
    """The names that `--known` takes."""
    return tuple(sorted(path.stem for path in store.schemas_root().glob("*/known/*.yaml")))


def known_waivers(name: str) -> tuple[Waiver, ...]:
    """The waivers of a known set; raises `UsageError` for a name that is none."""
    if name not in known_sets():
        raise UsageError(
            f"expected --known with one of {', '.join(known_sets()) or 'none'}, but got {name!r}"
        )
    (path,) = store.schemas_root().glob(f"*/known/{name}.yaml")
    return load(path)


def all_waivers(known: str | None, own: Path | None) -> tuple[Waiver, ...]:
    """The waivers of a known set and of the user's file; raises `UsageError` or `WaiverError`."""
    return (*(known_waivers(known) if known else ()), *(load(own) if own else ()))
