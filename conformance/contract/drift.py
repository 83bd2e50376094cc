"""What changed between two contracts: operations, members of bodies, requirements, units of the pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from mlconform.conformance.contract.history import bodies, members
from mlconform.conformance.contract.model import Contract, UnitRecord
from mlconform.conformance.contract.pages import Kind

_SILENT = {Kind.FRONT_MATTER, Kind.HEADING, Kind.LABEL, Kind.LIQUID, Kind.MARKUP, Kind.TABLE_HEADER}
_NESTED = {"properties", "items", "additionalProperties", "components"}


class Way(StrEnum):
    """What became of a thing."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `part` is what it is a difference of; `before` or `after` may be empty.

    `requirements` and `checks` are those that it touches, in either contract.
    """

    part: str
    way: Way
    name: str
    before: str
    after: str
    requirements: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drift:
    """All differences between two contracts, named by their versions."""

    profile: str
    old: str
    new: str
    changes: tuple[Change, ...]


def drift(old: Contract, new: Contract) -> Drift:
    """What `new` has, lacks or has otherwise than `old`."""
    touching = _Touching(old, new)
    changes = (
        *_compared("operation", _operations(old), _operations(new), touching.operation),
        *_compared("member", _members(old), _members(new), touching.operation),
        *_compared("requirement", _requirements(old), _requirements(new), lambda name: [name]),
        *_compared("unit", _units(old), _units(new), touching.unit),
    )
    return Drift(old.profile, old.version, new.version, tuple(touching.with_checks(changes)))


class _Touching:
    """The requirements of both contracts, by what they are about."""

    def __init__(self, old: Contract, new: Contract) -> None:
        self._contracts = (old, new)

    def operation(self, name: str) -> list[str]:
        """Those about the operation that a name begins with."""
        operation = name.split(" ", maxsplit=1)[0]
        return [
            requirement.id
            for contract in self._contracts
            for requirement in contract.requirements.values()
            if requirement.operation == operation
        ]

    def unit(self, name: str) -> list[str]:
        """Those that rest on the unit."""
        return [
            requirement
            for contract in self._contracts
            for unit in contract.units
            if unit.key == name
            for requirement in unit.requirements
        ]

    def with_checks(self, changes: Iterable[Change]) -> Iterator[Change]:
        """The changes, each with the checks of the requirements it touches."""
        for change in changes:
            found = [
                check
                for contract in self._contracts
                for name in change.requirements
                if name in contract.requirements
                for check in contract.requirements[name].checks
            ]
            values = asdict(change) | {"checks": tuple(sorted(set(found)))}
            yield Change(**values)


def _compared(
    part: str, old: Mapping[str, str], new: Mapping[str, str], touched: Callable[[str], list[str]]
) -> Iterator[Change]:
    """The differences of two mappings, in the order of their names."""
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        way = Way.ADDED if before is None else Way.REMOVED if after is None else Way.CHANGED
        requirements = tuple(sorted(set(touched(name))))
        yield Change(part, way, name, before or "", after or "", requirements)


def _operations(contract: Contract) -> dict[str, str]:
    return {
        operation["operationId"]: f"{method.upper()} {path}" for path, method, operation in _each(contract)
    }


def _members(contract: Contract) -> dict[str, str]:
    """What the schemas say of each member of each body, as operation, part of the exchange, path."""
    found = {}
    for _, _, operation in _each(contract):
        for part, schema in bodies(operation):
            name = f"{operation['operationId']} {part}"
            found[name] = _constraint(schema)
            for path, member in members(schema):
                found[f"{name} {'/'.join(path)}"] = _constraint(member)
    return found


def _each(contract: Contract) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in contract.openapi["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _constraint(schema: Mapping[str, Any]) -> str:
    own = {name: value for name, value in schema.items() if name not in _NESTED and not name.startswith("x-")}
    return json.dumps(own, sort_keys=True)


def _requirements(contract: Contract) -> dict[str, str]:
    return {
        name: f"{requirement.level}: {requirement.statement}"
        for name, requirement in contract.requirements.items()
    }


def _units(contract: Contract) -> dict[str, str]:
    """The units that can promise something, with what tells whether they are the same."""
    return {unit.key: _state(unit) for unit in contract.units if unit.kind not in _SILENT}


def _state(unit: UnitRecord) -> str:
    """The key of a sentence holds the hash of its text; its lines may hold others, which change."""
    return unit.kind if unit.kind == Kind.STATEMENT else str(unit.source.sha256)


def as_text(found: Drift) -> str:
    """A line a difference, with the requirements and checks that each unit touches, and the sums."""
    lines = [f"{found.profile}: {found.old} -> {found.new}"]
    for change in found.changes:
        lines.append(f"{change.way} {change.part}: {change.name}{_shown(change)}")
        if change.part == "unit" and change.requirements:
            lines.append(f"  requirements: {', '.join(change.requirements)}")
            lines += [f"  check: {check}" for check in change.checks]
    counts = {way: sum(change.way is way for change in found.changes) for way in Way}
    touched = {name for change in found.changes if change.part == "unit" for name in change.requirements}
    checks = {name for change in found.changes if change.part == "unit" for name in change.checks}
    lines.append(
        f"{counts[Way.ADDED]} added, {counts[Way.REMOVED]} removed, {counts[Way.CHANGED]} changed; "
        f"{len(touched)} requirements and {len(checks)} checks rest on what changed"
        if found.changes
        else "no difference"
    )
    return "\n".join(lines)


def _shown(change: Change) -> str:
    if change.part == "unit":
        return ""
    if change.way is Way.CHANGED:
        return f"\n  was: {change.before}\n  is:  {change.after}"
    return f"  {change.before or change.after}"


def as_json(found: Drift) -> str:
    """The differences as JSON."""
    return json.dumps(asdict(found), indent=2)
