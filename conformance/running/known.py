"""Known sets: the deviations of a recorded version, as waivers that come with the contracts."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from mlconform.conformance.contract import store
from mlconform.conformance.errors import UsageError
from mlconform.conformance.report.events import Waiver
from mlconform.conformance.report.waivers import load


def known_sets() -> tuple[str, ...]:
    """The names that `--known` takes."""
    return tuple(sorted(path.stem for path in _files()))


def known_waivers(name: str) -> tuple[Waiver, ...]:
    """The waivers of a known set; raises `UsageError` for a name that is none."""
    if name not in known_sets():
        raise UsageError(
            f"expected --known with one of {', '.join(known_sets()) or 'none'}, but got {name!r}"
        )
    return load(next(path for path in _files() if path.stem == name))


def _files() -> list[Path]:
    return [path for root in store.roots() for path in root.glob("*/known/*.yaml")]


def all_waivers(known: str | None, own: Path | None) -> tuple[Waiver, ...]:
    """The waivers of a known set and of the user's file; raises `UsageError` or `WaiverError`.

    What the user's file waives is a requirement of some contract, if not of the one that is judged by.
    """
    mine = load(own) if own else ()
    _require_requirements(mine)
    return (*(known_waivers(known) if known is not None else ()), *mine)


def _require_requirements(waivers: Iterable[Waiver]) -> None:
    names = {waiver.requirement: waiver for waiver in waivers}
    unknown = names.keys() - _requirements() if names else ()
    for name in sorted(unknown):
        nearest = difflib.get_close_matches(name, sorted(_requirements()), n=1, cutoff=0.0)
        raise UsageError(
            f"{names[name].origin}: no contract has the requirement {name!r} that it waives; "
            f"the nearest is {', '.join(nearest)}"
        )


@cache
def _requirements() -> frozenset[str]:
    """The ids of every contract that there is."""
    contracts = (
        store.load(profile, version) for profile in store.profiles() for version in store.versions(profile)
    )
    return frozenset(name for contract in contracts for name in contract.requirements)
