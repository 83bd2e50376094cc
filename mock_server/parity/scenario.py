"""Scenarios: what to ask a node, as YAML files. `tests/scenarios/README.md` tells their form."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct, field

from mlconform.mock_server.parity.served import Served, zipped

_NAME = re.compile(r"\{\{([^{}]+)\}\}")


class ScenarioError(Exception):
    """A scenario that can't be read or run; the message names the place and what was expected there."""


class Upload(Struct, frozen=True):
    """A part of a served file as the body of a request: the bytes from `begin` up to `end`."""

    file: str
    begin: int = 0
    end: int | None = None


class Step(Struct, frozen=True):
    """One request, sent once or, with `until`, again until the answer says that.

    `within` and `every` are in seconds: how long that may take, and how long each answer is waited after.
    `keep` names members of the answer (`hits.hits.0._id`) for later steps, `node` counts the given
    addresses from 1. With `run` there is no request: the command of that name is run instead, after which
    the first so many addresses are `answering`, or all; with
    `wait` so many seconds pass.
    """

    method: str = ""
    path: str = ""
    body: Any = None
    raw: str | None = None
    upload: Upload | None = None
    content_type: str | None = None
    user: str | None = None
    phase: str | None = None
    node: int = 1
    keep: Mapping[str, str] = field(default_factory=dict)
    until: Mapping[str, Any] = field(default_factory=dict)
    within: float = 30.0
    every: float = 0.2
    run: str | None = None
    answering: int | None = None
    wait: float = 0.0


class Scenario(Struct, frozen=True):
    """Steps that are recorded, those that clean up after them, and what the node is given beside them.

    One that is `fresh` takes a node on which ML Commons has kept nothing yet. What a node does by `chance` is
    tried so many times.
    """

    name: str
    doc: str
    steps: tuple[Step, ...]
    cleanup: tuple[Step, ...] = ()
    nodes: int = 1
    settings: Mapping[str, Any] = field(default_factory=dict)
    serves: Mapping[str, Served] = field(default_factory=dict)
    fresh: bool = False
    chance: int = 0


def read_scenario(path: Path) -> Scenario:
    """Read a scenario, which has the name of its file. Raises ScenarioError."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ScenarioError(f"{path} can't be read as YAML: {error}") from None
    known = {"doc", "steps", "cleanup", "nodes", "settings", "serves", "fresh", "chance"}
    values = _mapping(values, f"{path}", known)
    serves = _mapping(values.get("serves", {}), f"{path}: serves")
    return Scenario(
        name=path.stem,
        doc=str(values.get("doc", "")),
        steps=_steps(values.get("steps"), f"{path}: steps"),
        cleanup=_steps(values.get("cleanup", []), f"{path}: cleanup"),
        nodes=int(values.get("nodes", 1)),
        settings=_mapping(values.get("settings", {}), f"{path}: settings"),
        serves={name: _served(serves[name], path.parent, f"{path}: serves {name}") for name in serves},
        fresh=values.get("fresh") is True,
        chance=int(values.get("chance", 0)),
    )


def fill(value: Any, names: Mapping[str, Any], place: str) -> Any:
    """A value with every `{{name}}` replaced; a text that is nothing else becomes what the name stands for.

    Raises ScenarioError for a name that nothing was kept under.
    """
    if isinstance(value, dict):
        return {fill(key, names, place): fill(item, names, place) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, names, place) for item in value]
    if not isinstance(value, str):
        return value
    whole = _NAME.fullmatch(value)
    if whole is not None:
        return _named(whole[1], names, place)
    return _NAME.sub(lambda match: str(_named(match[1], names, place)), value)


def facts_of(serves: Mapping[str, Served]) -> dict[str, Any]:
    """The names that tell of served files: `sha256:FILE` and `size:FILE`."""
    facts: dict[str, Any] = {}
    for name, served in serves.items():
        facts[f"sha256:{name}"] = hashlib.sha256(served.content).hexdigest()
        facts[f"size:{name}"] = len(served.content)
    return facts


def _named(name: str, names: Mapping[str, Any], place: str) -> Any:
    if name not in names:
        raise ScenarioError(f"{place}: nothing is known as {name!r}; there are {', '.join(sorted(names))}")
    return names[name]


def _steps(values: Any, place: str) -> tuple[Step, ...]:
    if not isinstance(values, list):
        raise ScenarioError(f"{place}: expected a list of steps, got {type(values).__name__}")
    return tuple(_step(value, f"{place} {number}") for number, value in enumerate(values, 1))


def _step(value: Any, place: str) -> Step:
    members = {*Step.__struct_fields__, "request"} - {"method", "path"}
    values = dict(_mapping(value, place, members))
    kinds = [kind for kind in ("request", "run", "wait") if kind in values]
    if len(kinds) != 1:
        raise ScenarioError(
            f"{place}: expected one of request, run and wait, got {', '.join(kinds) or 'none'}"
        )
    if kinds == ["request"]:
        method, _, path = str(values.pop("request")).partition(" ")
        if not path.startswith(("/", "{{")):
            raise ScenarioError(f"{place}: expected a request such as 'GET /_nodes', got {method} {path!r}")
        values |= {"method": method, "path": path}
    if "upload" in values:
        upload = _mapping(values["upload"], place, {"file", "begin", "end"})
        values["upload"] = Upload(**upload)
    return Step(**values)


def _served(value: Any, folder: Path, place: str) -> Served:
    values = _mapping(value, place, {"zip", "text", "status", "after"})
    content = str(values.get("text", "")).encode()
    if "zip" in values:
        entries = _mapping(values["zip"], place)
        try:
            content = zipped({name: _entry(entries[name], folder, place) for name in entries})
        except OSError as error:
            raise ScenarioError(f"{place}: a file of the zip can't be read: {error}") from None
    return Served(content, int(values.get("status", 200)), float(values.get("after", 0)))


def _entry(value: Any, folder: Path, place: str) -> bytes:
    if isinstance(value, str):
        return (folder / value).read_bytes()
    values = _mapping(value, place, {"file", "blanks"})
    return (folder / str(values.get("file"))).read_bytes() + b" " * int(values.get("blanks", 0))


def _mapping(value: Any, place: str, known: Collection[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ScenarioError(f"{place}: expected a mapping, got {type(value).__name__}")
    strange = [] if known is None else [str(name) for name in value if name not in known]
    if known is not None and strange:
        raise ScenarioError(f"{place}: expected only {', '.join(sorted(known))}, got {', '.join(strange)}")
    return value
