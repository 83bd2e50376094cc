"""The requirements of a version, by a page's pattern or from the overlay, and what its units are for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from conformance.contract.checks import Decided
from conformance.contract.errors import ContractError
from conformance.contract.facts import Facts
from conformance.contract.model import Level, Requirement, UnitRecord
from conformance.contract.overlay import PageEntry, Pattern, RequirementEntry
from conformance.contract.pages import Unit


@dataclass(frozen=True, slots=True)
class Founded:
    """A requirement with the units it rests on."""

    requirement: Requirement
    units: tuple[Unit, ...]


def requirements(facts: Facts, checks: Decided) -> tuple[Founded, ...]:
    """All requirements, sorted by id.

    Raises ContractError for an id made twice and for a citation of no unit.
    """
    made: dict[str, Founded] = {}
    for entry in _made(facts, checks):
        name = entry.requirement.id
        if name in made:
            raise ContractError(
                f"overlay of {facts.overlay.profile}: requirement {name} is made twice; keep one"
            )
        made[name] = entry
    return tuple(made[name] for name in sorted(made))


def _made(facts: Facts, checks: Decided) -> Iterator[Founded]:
    for page in facts.overlay.pages:
        yield from _of_page(page, facts, checks)
    for entry in facts.overlay.requirements:
        yield _written(entry, facts, checks)


def _of_page(page: PageEntry, facts: Facts, checks: Decided) -> Iterator[Founded]:
    """What a page's pattern gives: one requirement for its first endpoint, one a field of its request."""
    for endpoint in [entry for entry in facts.endpoints if entry.unit.page == page.id][:1]:
        filled = {"area": page.area, "route": str(endpoint.route)}
        purpose = [facts.unit(key, f"page {page.id}") for key in page.purpose]
        yield _patterned(facts.overlay.endpoint, filled, (endpoint.unit, *purpose), facts, checks)
    operation = facts.operation_of_page(page.id)
    if page.fields is None or operation is None:
        return
    rows = [field for field in facts.fields[operation] if field.unit.page == page.id]
    for name in dict.fromkeys(field.name for field in rows):
        # A page with a table for each kind of request lists the same field more than once.
        same = [field for field in rows if field.name == name]
        filled = {"area": page.area, "name": name, "type": same[0].type.lower()}
        yield _patterned(page.fields, filled, tuple(field.unit for field in same), facts, checks)


def _patterned(
    pattern: Pattern, filled: dict[str, str], units: tuple[Unit, ...], facts: Facts, checks: Decided
) -> Founded:
    name = pattern.id.format(**filled)
    requirement = Requirement(
        id=name,
        profile=facts.overlay.profile,
        level=pattern.level,
        statement=pattern.statement.format(**filled),
        sources=tuple(facts.source(unit) for unit in units),
        operation=facts.operation_of_page(units[0].page),
        since=facts.since(units),
        checks=checks.get(name, ()),
    )
    return Founded(requirement, units)


def _written(entry: RequirementEntry, facts: Facts, checks: Decided) -> Founded:
    where = f"requirement {entry.id}"
    if entry.operation is not None and entry.operation not in facts.routes:
        raise ContractError(
            f"overlay of {facts.overlay.profile}, {where}: there is no operation {entry.operation!r}; "
            f"known are {', '.join(sorted(facts.routes))}"
        )
    units = tuple(facts.unit(key, where) for key in entry.cites.units)
    if entry.level is Level.DOCUMENTED and units and all(facts.is_draft(unit) for unit in units):
        raise ContractError(
            f"overlay of {facts.overlay.profile}, {where}: it is documented, yet only the draft part of "
            f"{units[0].page} says it; make its level example"
        )
    requirement = Requirement(
        id=entry.id,
        profile=facts.overlay.profile,
        level=entry.level,
        statement=entry.statement,
        sources=facts.sources(entry.cites, where),
        operation=entry.operation,
        since=entry.since or facts.since(units),
        recorded=_recorded(entry, facts),
        checks=checks.get(entry.id, ()),
        unchecked=None if entry.id in checks else entry.unchecked,
    )
    return Founded(requirement, units)


def _recorded(entry: RequirementEntry, facts: Facts) -> tuple[str, ...]:
    """Only what is observed is judged on the recorded versions alone."""
    if entry.level is not Level.OBSERVED:
        return ()
    return entry.cites.recorded or facts.overlay.recorded_versions


def account(facts: Facts, founded: Iterable[Founded]) -> tuple[UnitRecord, ...]:
    """Every unit of every page with the requirements that rest on it or the reason why it is excluded.

    Raises ContractError where a unit excluded by name is also cited: it can't promise something and nothing.
    """
    cited: dict[str, list[str]] = {}
    for entry in founded:
        for unit in entry.units:
            cited.setdefault(unit.key, []).append(entry.requirement.id)
    excluded = _excluded(facts)
    for key in sorted(excluded.keys() & cited.keys()):
        raise ContractError(
            f"overlay of {facts.overlay.profile}: {key} is excluded, yet {cited[key][0]} rests on it; "
            "remove one of the two"
        )
    by_kind = {entry.kind: entry.reason for entry in facts.overlay.exclusions if entry.kind is not None}
    return tuple(
        UnitRecord(
            key=key,
            kind=str(unit.kind),
            source=facts.source(unit),
            requirements=tuple(dict.fromkeys(cited.get(key, ()))),
            excluded=None if key in cited else excluded.get(key, by_kind.get(str(unit.kind))),
        )
        for key, unit in facts.units.items()
    )


def _excluded(facts: Facts) -> dict[str, str]:
    return {
        facts.unit(key, f"exclusion {entry.reason!r}").key: entry.reason
        for entry in facts.overlay.exclusions
        for key in entry.units
    }
