"""Overlays as files: one `overlay.yaml` a profile, and beside it a folder with a file for each area."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any, TypeVar

import yaml

from conformance.contract.errors import ContractError
from conformance.contract.model import Condition, Impact, Level, Remedy
from conformance.contract.operations import Route
from conformance.contract.overlay import (
    Answer,
    Citation,
    ContradictionEntry,
    DeviationEntry,
    Exclusion,
    Member,
    OperationEntry,
    Overlay,
    PageEntry,
    Pattern,
    RequirementEntry,
)

NAME = "overlay.yaml"
FOLDER = "overlay"
T = TypeVar("T")
# What a file of an area may hold; pages, patterns and shared schemas stand in the overlay itself.
_BY_AREA = ("operations", "requirements", "exclusions", "contradictions", "deviations")
_RECORDING = re.compile(r"(?P<scenario>\w+)#(?P<exchange>\d+)$")


def load(path: Path) -> Overlay:
    """Read an overlay and the files of its areas.

    Raises ContractError with file and entry where one is not as expected.
    """
    files = (path, *areas(path))
    values = [_read(file) for file in files]
    try:
        return _overlay(_joined(dict(zip((file.name for file in files), values, strict=True))))
    except _BadEntryError as error:
        raise ContractError(f"{path}: {error}") from None


def areas(path: Path) -> list[Path]:
    """The files beside an overlay that hold entries of one area each, sorted."""
    return sorted((path.parent / FOLDER).glob("*.yaml"))


def _read(path: Path) -> Any:
    try:
        return yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        why = " ".join(str(error).split())
        raise ContractError(f"{path}: the overlay can't be read: {why}; correct it first") from None


def _joined(files: dict[str, Any]) -> dict[str, Any]:
    """One mapping of all files: their lists one after another."""
    (_, first), *others = files.items()
    joined = dict(_mapping(first, "the overlay"))
    for name, raw in others:
        for key, value in _mapping(raw, name).items():
            if key not in _BY_AREA:
                raise _BadEntryError(f"{name}: expected {', '.join(_BY_AREA)}, found {key}")
            if not isinstance(value, list):
                raise _BadEntryError(f"{name}, {key}: expected a list, found {type(value).__name__}")
            joined[key] = [*joined.get(key, []), *value]
    return joined


class _BadEntryError(Exception):
    """An entry of the overlay has a wrong shape; the message names it."""


def _overlay(raw: Any) -> Overlay:
    values = _mapping(raw, "the overlay")
    patterns = {
        name: _pattern(values[name], name) for name in ("example", "answer") if values.get(name) is not None
    }
    converted = {
        **patterns,
        "impacts": {
            name: _impact(text, f"impacts, {name}")
            for name, text in _mapping(values.get("impacts", {}), "impacts").items()
        },
        "endpoint": _pattern(values.get("endpoint"), "endpoint"),
        "pages": tuple(_page(entry) for entry in _entries(values, "pages")),
        "operations": tuple(_operation(entry) for entry in _entries(values, "operations")),
        "requirements": tuple(_requirement(entry) for entry in _entries(values, "requirements")),
        "exclusions": tuple(_exclusion(entry) for entry in _entries(values, "exclusions")),
        "contradictions": tuple(_contradiction(entry) for entry in _entries(values, "contradictions")),
        "deviations": tuple(_deviation(entry) for entry in _entries(values, "deviations")),
    }
    return _build(Overlay, values | converted, "overlay")


def _entries(values: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The mappings listed under `name`; an id must be there once, or once for the versions it names."""
    raw = values.get(name, [])
    if not isinstance(raw, list):
        raise _BadEntryError(f"{name}: expected a list, found {type(raw).__name__}")
    entries = [_mapping(entry, f"{name}[{number}]") for number, entry in enumerate(raw)]
    seen: set[object] = set()
    for entry in entries:
        for version in entry.get("versions") or [None]:
            place = (entry.get("id"), version)
            if "id" in entry and place in seen:
                raise _BadEntryError(f"{name}: {entry['id']} is there twice; keep one")
            seen.add(place)
    return entries


def _page(raw: dict[str, Any]) -> PageEntry:
    where = f"page {raw.get('id')}"
    patterns = {
        name: _pattern(raw[name], f"{where}: {name}")
        for name in ("fields", "answers")
        if raw.get(name) is not None
    }
    return _build(PageEntry, raw | patterns, where)


def _pattern(raw: Any, where: str) -> Pattern:
    values = _mapping(raw, where)
    level = _level(values.get("level", "documented"), where)
    chosen = {"level": level, "remedy": _remedy(values, where), "impact": _own_impact(values, where)}
    return _build(Pattern, values | chosen, where)


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
    chosen = {
        "level": level,
        "remedy": _remedy(values, where),
        "impact": _own_impact(values, where),
        "when": _condition(values.get("when"), where),
    }
    return _build(RequirementEntry, values | chosen | {"cites": cites}, where)


def _exclusion(raw: dict[str, Any]) -> Exclusion:
    if len({"units", "kind", "sections", "pages"} & raw.keys()) != 1:
        raise _BadEntryError(
            f"exclusion {raw.get('reason')!r}: give one of units, a kind, sections and pages"
        )
    return _build(Exclusion, raw, f"exclusion {raw.get('reason')!r}")


def _contradiction(raw: dict[str, Any]) -> ContradictionEntry:
    where = f"contradiction {raw.get('id')}"
    values, cites = _cites(raw, where)
    return _build(ContradictionEntry, values | {"cites": cites}, where)


def _deviation(raw: dict[str, Any]) -> DeviationEntry:
    where = f"deviation of {raw.get('requirement')}"
    values, cites = _cites(raw, where)
    # What chance shows cannot be replayed: its finding tells how often it was seen.
    if not cites.recorded or not (cites.recordings or raw.get("chance")):
        raise _BadEntryError(f"{where}: give recordings (scenario#exchange) and the recorded versions")
    return _build(DeviationEntry, values | {"cites": cites}, where)


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


def _remedy(values: dict[str, Any], where: str) -> Remedy | None:
    raw = values.get("remedy")
    if raw is None:
        return None
    if raw not in list(Remedy) or values.get("unchecked") is None:
        known = ", ".join(Remedy)
        raise _BadEntryError(f"{where}: expected a remedy ({known}) beside `unchecked`, found {raw!r}")
    return Remedy(raw)


def _condition(raw: Any, where: str) -> Condition | None:
    if raw is not None and raw not in list(Condition):
        raise _BadEntryError(f"{where}: expected a condition of {', '.join(Condition)}, found {raw!r}")
    return None if raw is None else Condition(raw)


def _own_impact(values: dict[str, Any], where: str) -> Impact | None:
    return None if values.get("impact") is None else _impact(values["impact"], where)


def _impact(raw: Any, where: str) -> Impact:
    if raw not in list(Impact):
        raise _BadEntryError(f"{where}: expected an impact of {', '.join(Impact)}, found {raw!r}")
    return Impact(raw)


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
