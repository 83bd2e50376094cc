"""The requirements of a version, by a page's pattern or from the overlay, and what its units are for."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace

from mlconform.conformance.contract.checks import Decided
from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.contract.facts import Facts
from mlconform.conformance.contract.fields import Place
from mlconform.conformance.contract.model import Level, Requirement, UnitRecord
from mlconform.conformance.contract.operations import Endpoint
from mlconform.conformance.contract.overlay import PageEntry, Pattern, RequirementEntry
from mlconform.conformance.contract.pages import Kind, Page, Unit, slug
from mlconform.conformance.contract.routes import operation_of


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
    written = [
        _written(entry, facts, checks) for entry in facts.overlay.requirements if _is_here(entry, facts)
    ]
    yield from written
    by_hand = {entry.requirement.id for entry in written}
    excluded = {**_excluded(facts), **excluded_by_name(facts)}
    taken = {unit.key for entry in written for unit in entry.units} | excluded.keys()
    for page in facts.overlay.pages:
        if page.id in facts.pages:
            patterned = (
                *_endpoints(page, excluded, facts, checks),
                *_fields(page, facts, checks),
                *_examples(page, taken, facts, checks),
            )
            yield from (entry for entry in patterned if entry.requirement.id not in by_hand)


def _is_here(entry: RequirementEntry, facts: Facts) -> bool:
    in_versions = not entry.versions or facts.version in entry.versions
    return in_versions and facts.has(entry.cites, f"requirement {entry.id}")


def _endpoints(page: PageEntry, excluded: Container[str], facts: Facts, checks: Decided) -> Iterator[Founded]:
    """One for each endpoint of the page; those behind the first have their operation in the id."""
    parameters = [unit for unit in facts.pages[page.id].units if unit.kind is Kind.PATH_PARAMETER]
    listed: dict[str, list[Endpoint]] = {}
    for entry in facts.endpoints:
        if entry.unit.page == page.id and entry.unit.key not in excluded:
            name = operation_of(entry.route, facts.routes) or slug(str(entry.route))
            # A page may list an endpoint again, with an example of each use.
            listed.setdefault(name, []).append(entry)
    for number, (name, same) in enumerate(listed.items()):
        route = same[0].route
        filled = {"area": page.area, "route": str(route)}
        purpose = facts.found(page.purpose, f"page {page.id}") if number == 0 else ()
        taken = [unit for unit in parameters if _named(unit) in route.parameters]
        units = (*(entry.unit for entry in same), *purpose, *taken)
        operation = operation_of(route, facts.routes)
        made = _patterned(facts.overlay.endpoint, filled, units, facts, checks, operation)
        yield _renamed(made, made.requirement.id + (f".{name}" if number else ""), checks)


def _fields(page: PageEntry, facts: Facts, checks: Decided) -> Iterator[Founded]:
    """One for each field that the page's tables list, under the pattern for requests or for answers."""
    operation = facts.operation_of_page(page.id)
    rows = [field for field in facts.fields.get(operation or "", ()) if field.unit.page == page.id]
    for pattern, places in (
        (page.fields, (Place.REQUEST, Place.QUERY)),
        (page.answers, (Place.ANSWER,)),
    ):
        listed = [field for field in rows if field.place in places] if pattern is not None else []
        for name in dict.fromkeys(field.name for field in listed):
            # A page with a table for each kind of request lists the same field more than once.
            same = [field for field in listed if field.name == name]
            filled = {"area": page.area, "name": name, "type": same[0].type.lower()}
            units = tuple(field.unit for field in same)
            assert pattern is not None
            yield _patterned(pattern, filled, units, facts, checks, operation)


def _examples(page: PageEntry, taken: Container[str], facts: Facts, checks: Decided) -> Iterator[Founded]:
    """One for each documented request and answer of the page that no entry of the overlay speaks of."""
    for entry in facts.shown:
        unit = entry.unit
        if not page.examples or unit.page != page.id or unit.key in taken or entry.operation is None:
            continue
        pattern = facts.overlay.example if entry.status is None else facts.overlay.answer
        if pattern is None:
            continue
        filled = {"area": page.area, "operation": entry.operation, "status": str(entry.status)}
        made = _patterned(pattern, filled, (unit,), facts, checks, entry.operation)
        yield _renamed(made, f"{made.requirement.id}.{_named(unit)}".rstrip("."), checks)


def _named(unit: Unit) -> str:
    """The part of a unit's key behind its kind; empty where it has none."""
    return unit.key.partition(f"/{unit.kind}")[2].strip("/-")


def _patterned(
    pattern: Pattern,
    filled: dict[str, str],
    units: tuple[Unit, ...],
    facts: Facts,
    checks: Decided,
    operation: str | None,
) -> Founded:
    name = pattern.id.format(**filled)
    requirement = Requirement(
        id=name,
        profile=facts.overlay.profile,
        level=pattern.level,
        statement=pattern.statement.format(**filled),
        sources=tuple(facts.source(unit) for unit in units),
        operation=operation,
        since=facts.since(units),
        checks=checks.get(name, ()),
        unchecked=None if name in checks else pattern.unchecked,
        remedy=None if name in checks else pattern.remedy,
        impact=pattern.impact or facts.overlay.impact_of(name),
    )
    return Founded(requirement, units)


def _renamed(made: Founded, name: str, checks: Decided) -> Founded:
    requirement = replace(made.requirement, id=name, checks=checks.get(name, ()))
    if requirement.checks:
        requirement = replace(requirement, unchecked=None, remedy=None)
    return Founded(requirement, made.units)


def _written(entry: RequirementEntry, facts: Facts, checks: Decided) -> Founded:
    where = f"requirement {entry.id}"
    if entry.operation is not None and entry.operation not in facts.routes:
        raise ContractError(
            f"overlay of {facts.overlay.profile}, {where}: there is no operation {entry.operation!r}; "
            f"known are {', '.join(sorted(facts.routes))}"
        )
    units = facts.found(entry.cites.units, where)
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
        remedy=None if entry.id in checks else entry.remedy,
        impact=entry.impact or facts.overlay.impact_of(entry.id),
        when=entry.when,
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
    by_name = excluded_by_name(facts)
    for key in sorted(by_name.keys() & cited.keys()):
        raise ContractError(
            f"overlay of {facts.overlay.profile}: {key} is excluded, yet {cited[key][0]} rests on it; "
            "remove one of the two"
        )
    excluded = _excluded(facts) | by_name
    return tuple(
        UnitRecord(
            key=key,
            kind=str(unit.kind),
            source=facts.source(unit),
            requirements=tuple(dict.fromkeys(cited.get(key, ()))),
            excluded=None if key in cited else excluded.get(key),
        )
        for key, unit in facts.units.items()
    )


def excluded_by_name(facts: Facts) -> dict[str, str]:
    """The units that the overlay excludes one by one, and why."""
    return {
        unit.key: entry.reason
        for entry in facts.overlay.exclusions
        for unit in facts.found(entry.units, f"exclusion {entry.reason!r}")
    }


def _excluded(facts: Facts) -> dict[str, str]:
    """The units that are excluded with their kind, their section or their page, and why; the nearest wins."""
    by_kind = {entry.kind: entry.reason for entry in facts.overlay.exclusions if entry.kind is not None}
    by_page = {
        (place, kind): entry.reason
        for entry in facts.overlay.exclusions
        for place in (*entry.pages, *entry.sections)
        for kind in (Kind.STATEMENT, *entry.kinds)
    }
    found = {}
    for page in facts.pages.values():
        for unit, sections in enclosed(page):
            named = [by_page.get((f"{page.id}/{section}", unit.kind)) for section in reversed(sections)]
            reasons = (*named, by_page.get((page.id, unit.kind)), by_kind.get(unit.kind))
            reason = next((reason for reason in reasons if reason is not None), None)
            if reason is not None:
                found[unit.key] = reason
    return found


def enclosed(page: Page) -> Iterator[tuple[Unit, tuple[str, ...]]]:
    """Each unit of a page with the slugs of the sections it lies in, the outermost first."""
    open_sections: list[tuple[int, str]] = []
    for unit in page.units:
        if unit.kind is Kind.HEADING:
            open_sections = [entry for entry in open_sections if entry[0] < unit.level]
            open_sections.append((unit.level, unit.section))
        yield unit, tuple(slug for _, slug in open_sections)
