"""The overlay: what is written by hand beside the pages; its entries cite units, recordings or a standard."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from conformance.contract.errors import ContractError
from conformance.contract.model import Level, Source
from conformance.contract.operations import Route
from conformance.contract.schemas import Schema

T = TypeVar("T")
_RECORDING = re.compile(r"(?P<scenario>\w+)#(?P<exchange>\d+)$")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A requirement for each endpoint or field: `{area}`, `{route}`, `{name}` and `{type}` are filled in."""

    id: str
    statement: str
    level: Level = Level.DOCUMENTED


@dataclass(frozen=True, slots=True)
class PageEntry:
    """A page of the profile: the pattern of its file's name, the area its requirements belong to.

    `draft_from` is the slug of the heading from which on the page is a draft; `purpose` are units beside the
    endpoint itself that the requirement for the endpoint rests on.
    """

    id: str
    file: str
    area: str
    purpose: tuple[str, ...] = ()
    draft_from: str | None = None
    fields: Pattern | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """What an entry rests on: units of pages by key, recordings as `scenario#exchange`, or a standard."""

    units: tuple[str, ...] = ()
    recordings: tuple[str, ...] = ()
    recorded: tuple[str, ...] = ()
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a request body that the overlay settles; `path` leads to it through the objects."""

    path: tuple[str, ...]
    schema: Schema
    level: Level
    units: tuple[str, ...]
    contradiction: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that the overlay gives: its schema, or the units of the example answers that show it."""

    status: str
    schema: Schema | None = None
    units: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OperationEntry:
    """An operation. Without a citation of its own it stands on the endpoint that a page lists."""

    id: str
    route: Route
    summary: str
    level: Level
    cites: Citation
    request: Schema | None = None
    body_required: bool = False
    members: tuple[Member, ...] = ()
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class RequirementEntry:
    """A requirement in our own words. `unchecked` says why no check can decide it."""

    id: str
    level: Level
    statement: str
    cites: Citation
    operation: str | None = None
    since: str | None = None
    unchecked: str | None = None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Units that promise nothing, named one by one or by kind, and why."""

    reason: str
    units: tuple[str, ...] = ()
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class ContradictionEntry:
    """A contradiction settled by hand; `settles` are the findings of the rules that it answers."""

    id: str
    finding: str
    settled: str
    cites: Citation
    settles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Overlay:
    """One profile's overlay for one version of its documentation."""

    profile: str
    title: str
    version: str
    servers: tuple[str, ...]
    recorded_versions: tuple[str, ...]
    endpoint: Pattern
    pages: tuple[PageEntry, ...]
    operations: tuple[OperationEntry, ...]
    requirements: tuple[RequirementEntry, ...]
    exclusions: tuple[Exclusion, ...]
    contradictions: tuple[ContradictionEntry, ...]
    components: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    security: tuple[Mapping[str, Any], ...] = ()
    error: str | None = None


def load(path: Path) -> Overlay:
    """Read an overlay. Raises ContractError with file and entry where it is not as expected."""
    try:
        raw = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        why = " ".join(str(error).split())
        raise ContractError(f"{path}: the overlay can't be read: {why}; correct it first") from None
    try:
        return _overlay(raw)
    except _BadEntryError as error:
        raise ContractError(f"{path}: {error}") from None


class _BadEntryError(Exception):
    """An entry of the overlay has a wrong shape; the message names it."""


def _overlay(raw: Any) -> Overlay:
    values = _mapping(raw, "the overlay")
    converted = {
        "endpoint": _pattern(values.get("endpoint"), "endpoint"),
        "pages": tuple(_page(entry) for entry in _entries(values, "pages")),
        "operations": tuple(_operation(entry) for entry in _entries(values, "operations")),
        "requirements": tuple(_requirement(entry) for entry in _entries(values, "requirements")),
        "exclusions": tuple(_exclusion(entry) for entry in _entries(values, "exclusions")),
        "contradictions": tuple(_contradiction(entry) for entry in _entries(values, "contradictions")),
    }
    return _build(Overlay, values | converted, "overlay")


def _entries(values: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The mappings listed under `name`; an id must be there once."""
    raw = values.get(name, [])
    if not isinstance(raw, list):
        raise _BadEntryError(f"{name}: expected a list, found {type(raw).__name__}")
    entries = [_mapping(entry, f"{name}[{number}]") for number, entry in enumerate(raw)]
    seen: set[object] = set()
    for entry in entries:
        if "id" in entry and entry["id"] in seen:
            raise _BadEntryError(f"{name}: {entry['id']} is there twice; keep one")
        seen.add(entry.get("id"))
    return entries


def _page(raw: dict[str, Any]) -> PageEntry:
    fields = raw.get("fields")
    pattern = _pattern(fields, f"page {raw.get('id')}: fields") if fields is not None else None
    return _build(PageEntry, raw | {"fields": pattern}, f"page {raw.get('id')}")


def _pattern(raw: Any, where: str) -> Pattern:
    values = _mapping(raw, where)
    return _build(Pattern, values | {"level": _level(values.get("level", "documented"), where)}, where)


def _operation(raw: dict[str, Any]) -> OperationEntry:
    where = f"operation {raw.get('id')}"
    values, cites = _cites(raw, where)
    level = _level(values.get("level", "documented"), where)
    values |= {
        "route": Route.parse(_text(values, "route", where)),
        "level": level,
        "cites": cites,
        "members": tuple(
            _member(path, entry, level, where)
            for path, entry in _mapping(values.get("members", {}), where).items()
        ),
        "answers": tuple(
            _build(Answer, _mapping(entry, where) | {"status": str(status)}, where)
            for status, entry in _mapping(values.get("answers", {}), where).items()
        ),
    }
    return _build(OperationEntry, values, where)


def _member(path: str, raw: Any, level: Level, where: str) -> Member:
    where = f"{where}, member {path}"
    values = _mapping(raw, where)
    own = _level(values.get("level", level), where)
    return _build(Member, values | {"path": tuple(path.split("/")), "level": own}, where)


def _requirement(raw: dict[str, Any]) -> RequirementEntry:
    where = f"requirement {raw.get('id')}"
    values, cites = _cites(raw, where)
    if cites == Citation():
        raise _BadEntryError(f"{where}: rests on nothing; give units, recordings or a reference")
    level = _level(values.get("level"), where)
    if level is Level.OBSERVED and not cites.recordings:
        raise _BadEntryError(f"{where}: is observed, so it needs recordings (scenario#exchange)")
    return _build(RequirementEntry, values | {"level": level, "cites": cites}, where)


def _exclusion(raw: dict[str, Any]) -> Exclusion:
    if ("units" in raw) == ("kind" in raw):
        raise _BadEntryError(f"exclusion {raw.get('reason')!r}: give either units or a kind")
    return _build(Exclusion, raw, f"exclusion {raw.get('reason')!r}")


def _contradiction(raw: dict[str, Any]) -> ContradictionEntry:
    where = f"contradiction {raw.get('id')}"
    values, cites = _cites(raw, where)
    return _build(ContradictionEntry, values | {"cites": cites}, where)


def _cites(raw: dict[str, Any], where: str) -> tuple[dict[str, Any], Citation]:
    """The entry without its citation, and the citation."""
    names = {field.name for field in dataclasses.fields(Citation)}
    cites = _build(Citation, {name: value for name, value in raw.items() if name in names}, where)
    for text in cites.recordings:
        if not _RECORDING.match(text):
            raise _BadEntryError(f"{where}: expected a recording as scenario#exchange, found {text!r}")
    return {name: value for name, value in raw.items() if name not in names}, cites


def _level(raw: Any, where: str) -> Level:
    try:
        return Level(raw)
    except ValueError:
        known = ", ".join(Level)
        raise _BadEntryError(f"{where}: expected a level ({known}), found {raw!r}") from None


def _mapping(raw: Any, where: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise _BadEntryError(f"{where}: expected a mapping, found {type(raw).__name__}")
    return raw


def _text(values: dict[str, Any], name: str, where: str) -> str:
    if not isinstance(values.get(name), str):
        raise _BadEntryError(f"{where}: expected text under {name!r}, found {values.get(name)!r}")
    return str(values[name])


def _build(cls: type[T], values: dict[str, Any], where: str) -> T:
    """An instance of a dataclass from a mapping: lists become tuples; unknown and missing keys are named."""
    known = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise _BadEntryError(f"{where}: unknown key {', '.join(unknown)}; known are {', '.join(known)}")
    needed = [
        name
        for name, field in known.items()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    missing = [name for name in needed if values.get(name) is None]
    if missing:
        raise _BadEntryError(f"{where}: {', '.join(missing)} is missing")
    return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def recordings(cites: Citation, overlay: Overlay) -> tuple[Source, ...]:
    """The recordings of a citation as sources, one a recorded version."""
    versions = cites.recorded or overlay.recorded_versions
    found = []
    for text in cites.recordings:
        scenario, _, exchange = text.partition("#")
        found += [Source(recording=scenario, exchange=int(exchange), version=version) for version in versions]
    return tuple(found)
