"""One member of one answer, and the ways to make it wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

LISTED: Final = "[]"
ANY_ID: Final = "*"
# Names of the run's things, ids as a server makes them: what they name differs from run to run.
_ID = re.compile(r"mlconform-[\w.-]+|(?=.*(?:\d|[a-z][A-Z]|[A-Z][a-z]))(?:[\w-]{20}|[\w-]{22})")
# Members whose own members are named by ids of any kind.
_BY_ID = frozenset({"models", "nodes", "stats"})
_DAY_MS = 86_400_000
_EPOCH_MS = 10**12
# A member with no more values than this takes them from a list.
_FEW = 6

Path = tuple[str, ...]


class Kind(StrEnum):
    """How an answer is made wrong."""

    LEFT_OUT = "left out"
    TYPE = "type"
    VALUE = "value"
    STATUS = "status"
    NO_ROUTE = "no such route"
    UNDONE = "answered but not done"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A member of the answers to an operation with a status; the empty path is the answer itself."""

    operation: str
    status: int
    path: Path = ()

    def __str__(self) -> str:
        return f"{self.operation} {self.status} {'/'.join(self.path)}".rstrip()


@dataclass(frozen=True, slots=True, order=True)
class Mutant:
    """All answers to an operation with a status, made wrong in one way at one place."""

    place: Place
    kind: Kind

    def __str__(self) -> str:
        return f"{self.place}: {self.kind}"


@dataclass
class Member:
    """What the answers of a run have at one place: the types, and the values while they are few."""

    types: set[str] = field(default_factory=set)
    values: list[Any] = field(default_factory=list)

    def add(self, value: Any) -> None:
        self.types.add(type(value).__name__)
        if not isinstance(value, dict | list) and value not in self.values and len(self.values) <= _FEW:
            self.values.append(value)

    def kinds(self, path: Path) -> Iterator[Kind]:
        """The ways in which such a member can be wrong."""
        if path[-1] not in (LISTED, ANY_ID):
            yield Kind.LEFT_OUT
        yield Kind.TYPE
        if self.types & {"str", "int", "float", "bool"}:
            yield Kind.VALUE


def _step(name: str, parent: str) -> str:
    """The name of a member as a place has it."""
    return ANY_ID if parent in _BY_ID or _ID.fullmatch(name) else name


def places(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every member of a JSON value with its place; ids as names, and elements of lists, are alike."""
    if isinstance(value, dict):
        for name, inner in value.items():
            here = (*path, _step(name, path[-1] if path else ""))
            yield here, inner
            yield from places(inner, here)
    elif isinstance(value, list):
        for inner in value:
            here = (*path, LISTED)
            yield here, inner
            yield from places(inner, here)


def altered(body: Any, path: Path, kind: Kind, values: Sequence[Any], parent: str = "") -> tuple[Any, bool]:
    """The body with all members at this place made wrong, and whether there was one."""
    if not path:
        return other(body, kind, values), True
    step, rest = path[0], path[1:]
    found = False
    if isinstance(body, dict) and step != LISTED:
        changed: dict[str, Any] = {}
        for name, inner in body.items():
            if step != _step(name, parent):
                changed[name] = inner
                continue
            if not rest and kind is Kind.LEFT_OUT:
                found = True
                continue
            changed[name], hit = altered(inner, rest, kind, values, step)
            found = found or hit
        return changed, found
    if isinstance(body, list) and step == LISTED:
        pairs = [altered(inner, rest, kind, values, step) for inner in body]
        return [inner for inner, _ in pairs], any(hit for _, hit in pairs)
    return body, found


def other(value: Any, kind: Kind, values: Sequence[Any]) -> Any:
    """A value of another type, or of the same type and another one."""
    if kind is Kind.TYPE:
        return _of_another_type(value)
    if len(values) <= _FEW:
        different = [each for each in values if each != value and type(each) is type(value)]
        if different and isinstance(value, str) and not _ID.fullmatch(value):
            return different[0]
    return _another(value)


def _of_another_type(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return 7
    if isinstance(value, dict):
        return [value]
    return {"0": value} if isinstance(value, list) else "null"


def _another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        # A counter that is one too high counts on all the same, and nobody can tell.
        return value + _DAY_MS if value > _EPOCH_MS else type(value)(value == 0)
    return f"{value}x" if isinstance(value, str) else value


def otherwise(kind: Kind, status: int) -> tuple[int, bytes]:
    """An answer of another sort: that of an unknown route, a refusal for a success, or the reverse."""
    if kind is Kind.NO_ROUTE:
        return 400, b'{"error":"no handler found for uri [/] and method [GET]"}'
    if status >= 400:
        return 200, b"{}"
    reason = {"type": "illegal_argument_exception", "reason": "refused"}
    error = {"error": {"root_cause": [reason], **reason}, "status": 400}
    return 400, json.dumps(error).encode()


def decoded(body: bytes) -> Any:
    """The JSON of a body, or None."""
    try:
        return json.loads(body)
    except ValueError:
        return None


Members = dict[Place, Member]


def remember(members: Members, place: Place, body: Any) -> None:
    """Add what an answer has to what is known of the members of such answers."""
    for path, value in places(body):
        members.setdefault(Place(place.operation, place.status, path), Member()).add(value)


def mutants_of(members: Mapping[Place, Member]) -> list[Mutant]:
    """Every way in which a member of these answers can be wrong."""
    return [
        Mutant(place, kind) for place, member in sorted(members.items()) for kind in member.kinds(place.path)
    ]
