"""How much of the pages is accounted for, and how much of that a check decides."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from mlconform.conformance.contract.broken import broken_by
from mlconform.conformance.contract.model import Contract, Level, UnitRecord


@dataclass(frozen=True, slots=True)
class PageCoverage:
    """The units of one page: cited by a requirement, excluded with a reason, or neither.

    `decided` counts the required units of which every requirement has a check. `documented` counts the
    requirements of that level that rest on the page, `documented_decided` those of them that have a check.
    `own` says that the page is accounted for sentence by sentence.
    """

    profile: str
    version: str
    page: str
    units: int
    required: int
    excluded: int
    unaccounted: int
    decided: int
    documented: int
    documented_decided: int
    own: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """All pages, and how many requirements have a check, a reason why not (`unchecked`), or neither.

    `tried` counts those at level documented that runs on the mock decide, `broken` those of them that a
    deliberate fault or an altered answer was seen to break: their checks can fail.
    """

    pages: tuple[PageCoverage, ...]
    requirements: int
    checked: int
    unchecked: int
    undecided: tuple[str, ...]
    tried: int
    broken: int


def coverage(contracts: Iterable[Contract]) -> Coverage:
    """The coverage of these contracts."""
    contracts = tuple(contracts)
    broken = broken_by()
    every = [requirement for contract in contracts for requirement in contract.requirements.values()]
    tried = [broken[each.id] for each in every if each.level is Level.DOCUMENTED and each.id in broken]
    return Coverage(
        pages=tuple(page for contract in contracts for page in _pages(contract)),
        requirements=len(every),
        checked=sum(bool(requirement.checks) for requirement in every),
        unchecked=sum(not requirement.checks and requirement.unchecked is not None for requirement in every),
        undecided=tuple(
            requirement.id
            for requirement in every
            if not requirement.checks and requirement.unchecked is None
        ),
        tried=len(tried),
        broken=sum(mutant is not None for mutant in tried),
    )


def _pages(contract: Contract) -> list[PageCoverage]:
    by_page: dict[str, list[UnitRecord]] = {page.id: [] for page in contract.pages}
    for unit in contract.units:
        by_page.setdefault(unit.source.page or "", []).append(unit)
    own = {page.id for page in contract.pages if page.own}
    return [_page(contract, page, units, own=page in own) for page, units in by_page.items()]


def _page(contract: Contract, page: str, units: list[UnitRecord], *, own: bool) -> PageCoverage:
    resting = {name for unit in units for name in unit.requirements}
    documented = [name for name in resting if contract.requirements[name].level is Level.DOCUMENTED]
    return PageCoverage(
        profile=contract.profile,
        version=contract.version,
        page=page,
        units=len(units),
        required=sum(bool(unit.requirements) for unit in units),
        excluded=sum(unit.excluded is not None for unit in units),
        unaccounted=sum(not unit.requirements and unit.excluded is None for unit in units),
        decided=sum(_is_decided(unit, contract) for unit in units),
        documented=len(documented),
        documented_decided=sum(bool(contract.requirements[name].checks) for name in documented),
        own=own,
    )


def _is_decided(unit: UnitRecord, contract: Contract) -> bool:
    return bool(unit.requirements) and all(contract.requirements[name].checks for name in unit.requirements)


def table(found: Coverage) -> str:
    """The coverage as text: a line a page, the sums, and the requirements that nothing decides."""
    titles = ("page", "version", "units", "required", "excluded", "unaccounted", "decided", "documented")
    rows = [
        (
            page.page,
            f"{page.profile} {page.version}",
            *(str(n) for n in (page.units, page.required, page.excluded, page.unaccounted, page.decided)),
            f"{page.documented_decided}/{page.documented}",
        )
        for page in found.pages
    ]
    widths = [max(len(row[column]) for row in (titles, *rows)) for column in range(len(titles))]
    lines = [
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (titles, *rows)
    ]
    units = sum(page.units for page in found.pages)
    accounted = units - sum(page.unaccounted for page in found.pages)
    lines += [
        "",
        f"{_percent(accounted, units)} % accounted for ({accounted} of {units} units)",
        f"{found.requirements} requirements: {found.checked} decided by a check, "
        f"{found.unchecked} with a reason why not, {len(found.undecided)} undecided",
        *(f"  undecided: {name}" for name in found.undecided),
        f"{_percent(found.broken, found.tried)} % of the documented ones that the mock decides can fail: "
        f"a fault or an altered answer was seen to break them ({found.broken} of {found.tried})",
    ]
    return "\n".join(lines)


def _percent(part: int, whole: int) -> int:
    """Rounded down: 100 % is said only of all."""
    return 100 * part // whole if whole else 100


def as_json(found: Coverage) -> str:
    """The coverage as JSON."""
    return json.dumps(asdict(found), indent=2)
