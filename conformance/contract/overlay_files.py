"""Overlays as files: one `overlay.yaml` a profile, and beside it a folder with a file for each area."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.contract.model import Condition, Impact, Level, Remedy
from mlconform.conformance.contract.overlay import (
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
from mlconform.conformance.contract.routes import Route

NAME = "overlay.yaml"
FOLDER = "overlay"
T = TypeVar("T")
# What a file of an area may hold; pages, patterns and shared schemas stand in the overlay itself.
_BY_AREA = ("operations", "requirements", "exclusions", "contradictions", "deviations")
_RECORDING = re.compile(r"(?P<scenario>\w+)#(?P<exchange>\d+)$")


def load(path: Path) -> Overlay:
    """Read an overlay and the files of its areas.

    Raises ContractError with file, line, entry and what was expected where one is not as expected.
    """
    try:
        return _overlay(_joined([(file, _read(file)) for file in (path, *areas(path))]))
    except _BadEntryError as error:
        raise ContractError(str(error)) from None


def areas(path: Path) -> list[Path]:
    """The files beside an overlay that hold entries of one area each, sorted."""
    return sorted((path.parent / FOLDER).glob("*.yaml"))


class _Placed(dict[str, Any]):
    """A mapping of a file that knows where it begins and where each of its keys stands."""

    def __init__(self, values: Mapping[str, Any], place: str, places: Mapping[str, str]) -> None:
        super().__init__(values)
        self.place = place
        self.places = places


@dataclasses.dataclass(frozen=True, slots=True)
class _Where:
    """What is read: an error about it begins with file and line."""

    raw: Any
    name: str

    def __str__(self) -> str:
        return self.at(None)

    def at(self, key: str | None) -> str:
        """The place of a key of it, or of the whole where it has no such key."""
        if not isinstance(self.raw, _Placed):
            return self.name
        return f"{self.raw.places.get(key or '', self.raw.place)}: {self.name}"


def _read(path: Path) -> Any:
    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """Tells the place of every mapping."""

    def placed(loader: Any, node: yaml.MappingNode) -> Any:
        places = {
            str(key.value): f"{path}:{key.start_mark.line + 1}"
            for key, _ in node.value
            if isinstance(key, yaml.ScalarNode)
        }
        made = _Placed({}, f"{path}:{node.start_mark.line + 1}", places)
        yield made
        made.update(loader.construct_mapping(node))

    Loader.add_constructor("tag:yaml.org,2002:map", placed)
    try:
        return yaml.load(path.read_bytes(), Loader=Loader)
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        why = " ".join(str(error).split())
        raise ContractError(f"{path}: the overlay can't be read: {why}; correct it first") from None


def _joined(files: list[tuple[Path, Any]]) -> _Placed:
    """One mapping of all files: their lists one after another."""
    (path, first), *others = files
    joined = _copy(_mapping(first, f"{path}:1: the overlay"))
    for key in ("pages", *_BY_AREA):
        _listed(joined, key, "")
    for file, raw in others:
        values = _copy(_mapping(raw, f"{file}:1: the entries of an area"))
        for key in values:
            if key not in _BY_AREA:
                raise _BadEntryError(f"{values.places[key]}: expected {', '.join(_BY_AREA)}, found {key}")
            joined[key] = [*joined.get(key, []), *_listed(values, key, f"{file.name}, ")]
    return joined


def _copy(values: dict[str, Any]) -> _Placed:
    assert isinstance(values, _Placed)
    return _Placed(values, values.place, values.places)


def _listed(values: _Placed, key: str, before: str) -> list[Any]:
    """The mappings that a file lists under a key."""
    where = _Where(values, f"{before}{key}").at(key)
    listed = values.get(key, [])
    if not isinstance(listed, list):
        raise _BadEntryError(f"{where}: expected a list, found {_kind(listed)}")
    for number, entry in enumerate(listed):
        _mapping(entry, f"{where}[{number}]")
    return listed


class _BadEntryError(Exception):
    """An entry of the overlay has a wrong shape; the message names it."""


def _overlay(values: _Placed) -> Overlay:
    def at(name: str) -> str:
        return _Where(values, name).at(name)

    patterns = {
        name: _pattern(values[name], at(name))
        for name in ("example", "answer")
        if values.get(name) is not None
    }
    converted = {
        **patterns,
        "impacts": {
            name: _impact(text, f"{at('impacts')}, {name}")
            for name, text in _mapping(values.get("impacts", {}), at("impacts")).items()
        },
        "endpoint": _pattern(values.get("endpoint"), at("endpoint")),
        "pages": tuple(_page(entry) for entry in _entries(values, "pages")),
        "operations": tuple(_operation(entry) for entry in _entries(values, "operations")),
        "requirements": tuple(_requirement(entry) for entry in _entries(values, "requirements")),
        "exclusions": tuple(_exclusion(entry) for entry in _entries(values, "exclusions")),
        "contradictions": tuple(_contradiction(entry) for entry in _entries(values, "contradictions")),
        "deviations": tuple(_deviation(entry) for entry in _entries(values, "deviations")),
    }
    return _build(Overlay, values | converted, _Where(values, "overlay"))


def _entries(values: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The mappings listed under `name`; an id must be there once, or once for the versions it names."""
    entries: list[dict[str, Any]] = values.get(name, [])
    seen: set[object] = set()
    for entry in entries:
        for version in entry.get("versions") or [None]:
            place = (str(entry.get("id")), str(version))
            if "id" in entry and place in seen:
                raise _BadEntryError(
                    f"{_Where(entry, name).at('id')}: {entry['id']} is there twice; keep one"
                )
            seen.add(place)
    return entries


def _page(raw: dict[str, Any]) -> PageEntry:
    where = _Where(raw, f"page {raw.get('id')}")
    patterns = {
        name: _pattern(raw[name], f"{where.at(name)}: {name}")
        for name in ("fields", "answers")
        if raw.get(name) is not None
    }
    return _build(PageEntry, raw | patterns, where)


def _pattern(raw: Any, place: str) -> Pattern:
    values = _mapping(raw, place)
    where = _Where(raw, place.rpartition(": ")[2])
    level = _level(values.get("level", "documented"), where)
    chosen = {"level": level, "remedy": _remedy(values, where), "impact": _own_impact(values, where)}
    return _build(Pattern, values | chosen, where)


def _operation(raw: dict[str, Any]) -> OperationEntry:
    where = _Where(raw, f"operation {raw.get('id')}")
    values, cites = _cites(raw, where)
    level = _level(values.get("level", "documented"), where)
    values |= {
        "route": Route.parse(_text(values, "route", where)),
        "level": level,
        "cites": cites,
        "members": tuple(
            _member(path, entry, level, where)
            for path, entry in _mapping(values.get("members", {}), f"{where.at('members')}, members").items()
        ),
        "answers": tuple(
            _answer(str(status), entry, where)
            for status, entry in _mapping(
                values.get("answers", {}), f"{where.at('answers')}, answers"
            ).items()
        ),
    }
    return _build(OperationEntry, values, where)


def _answer(status: str, raw: Any, where: _Where) -> Answer:
    values = _mapping(raw, f"{where.at('answers')}, answer {status}")
    return _build(Answer, values | {"status": status}, _Where(raw, f"{where.name}, answer {status}"))


def _member(path: str, raw: Any, level: Level, where: _Where) -> Member:
    values = _mapping(raw, f"{where}, member {path}")
    where = _Where(raw, f"{where.name}, member {path}")
    own = _level(values.get("level", level), where)
    return _build(Member, values | {"path": tuple(path.split("/")), "level": own}, where)


def _requirement(raw: dict[str, Any]) -> RequirementEntry:
    where = _Where(raw, f"requirement {raw.get('id')}")
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
    where = _Where(raw, f"exclusion {raw.get('reason')!r}")
    if len({"units", "kind", "sections", "pages"} & raw.keys()) != 1:
        raise _BadEntryError(f"{where}: give one of units, a kind, sections and pages")
    return _build(Exclusion, raw, where)


def _contradiction(raw: dict[str, Any]) -> ContradictionEntry:
    where = _Where(raw, f"contradiction {raw.get('id')}")
    values, cites = _cites(raw, where)
    return _build(ContradictionEntry, values | {"cites": cites}, where)


def _deviation(raw: dict[str, Any]) -> DeviationEntry:
    where = _Where(raw, f"deviation of {raw.get('requirement')}")
    values, cites = _cites(raw, where)
    # What chance shows cannot be replayed: its finding tells how often it was seen.
    if not cites.recorded or not (cites.recordings or raw.get("chance")):
        raise _BadEntryError(f"{where}: give recordings (scenario#exchange) and the recorded versions")
    return _build(DeviationEntry, values | {"cites": cites}, where)


def _cites(raw: dict[str, Any], where: _Where) -> tuple[dict[str, Any], Citation]:
    """The entry without its citation, and the citation."""
    names = {field.name for field in dataclasses.fields(Citation)}
    cites = _build(Citation, {name: value for name, value in raw.items() if name in names}, where)
    for text in cites.recordings:
        if not _RECORDING.match(text):
            raise _BadEntryError(
                f"{where.at('recordings')}: expected a recording as scenario#exchange, found {text!r}"
            )
    return {name: value for name, value in raw.items() if name not in names}, cites


def _level(raw: Any, where: _Where) -> Level:
    try:
        return Level(raw)
    except ValueError:
        known = ", ".join(Level)
        raise _BadEntryError(f"{where.at('level')}: expected a level ({known}), found {raw!r}") from None


def _remedy(values: dict[str, Any], where: _Where) -> Remedy | None:
    raw = values.get("remedy")
    if raw is None:
        return None
    if raw not in list(Remedy) or values.get("unchecked") is None:
        known = ", ".join(Remedy)
        raise _BadEntryError(
            f"{where.at('remedy')}: expected a remedy ({known}) beside `unchecked`, found {raw!r}"
        )
    return Remedy(raw)


def _condition(raw: Any, where: _Where) -> Condition | None:
    if raw is not None and raw not in list(Condition):
        raise _BadEntryError(
            f"{where.at('when')}: expected a condition of {', '.join(Condition)}, found {raw!r}"
        )
    return None if raw is None else Condition(raw)


def _own_impact(values: dict[str, Any], where: _Where) -> Impact | None:
    return None if values.get("impact") is None else _impact(values["impact"], where.at("impact"))


def _impact(raw: Any, where: str) -> Impact:
    if raw not in list(Impact):
        raise _BadEntryError(f"{where}: expected an impact of {', '.join(Impact)}, found {raw!r}")
    return Impact(raw)


def _mapping(raw: Any, where: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise _BadEntryError(f"{where}: expected a mapping, found {_kind(raw)}")
    return raw


def _text(values: dict[str, Any], name: str, where: _Where) -> str:
    if not isinstance(values.get(name), str):
        raise _BadEntryError(f"{where.at(name)}: expected text under {name!r}, found {values.get(name)!r}")
    return str(values[name])


def _build(cls: type[T], values: dict[str, Any], where: _Where) -> T:
    """An instance of a dataclass from a mapping: lists become tuples; unknown and missing keys are named."""
    known = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise _BadEntryError(
            f"{where.at(str(unknown[0]))}: unknown key {', '.join(unknown)}; known are {', '.join(known)}"
        )
    needed = [
        name
        for name, field in known.items()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    missing = [name for name in needed if values.get(name) is None]
    if missing:
        raise _BadEntryError(f"{where}: {', '.join(missing)} is missing")
    hints = typing.get_type_hints(cls)
    for name, value in values.items():
        expected = _unmet(hints[name], value)
        if expected is not None:
            raise _BadEntryError(f"{where.at(name)}: {name}: expected {expected}, found {_kind(value)}")
    return cls(**{name: _plain(value) for name, value in values.items()})


def _unmet(hint: Any, value: Any) -> str | None:
    """What a value from a file should have been by the type of its member; None where it is."""
    if value is None and type(None) in typing.get_args(hint):
        return None
    kinds = {hint, *typing.get_args(hint)}
    if hint == tuple[str, ...]:
        fits = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
        return None if fits else "a list of texts (a version such as 2.10 needs quotes)"
    if bool in kinds:
        return None if isinstance(value, bool) else "true or false"
    if typing.get_origin(hint) is Mapping:
        return None if isinstance(value, dict) else "a mapping"
    if kinds <= {str, type(None)} or hint == str | None:
        return None if isinstance(value, str) else "text"
    return None


def _plain(value: Any) -> Any:
    """Without the places of mappings, and with a list as a tuple where it is the member itself."""
    if isinstance(value, list):
        return tuple(_bare(item) for item in value)
    return _bare(value)


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _bare(item) for name, item in value.items()}
    return [_bare(item) for item in value] if isinstance(value, list) else value


def _kind(value: Any) -> str:
    """What a value is, in the words of YAML."""
    for kind, name in ((dict, "a mapping"), (list | tuple, "a list"), (str, f"text {value!r}")):
        if isinstance(value, kind):
            return name
    return "nothing" if value is None else repr(value)
