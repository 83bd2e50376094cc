"""Events to JSON and back, led by the types in `events`, which are the only description of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from types import UnionType
from typing import Any, Literal, NoReturn, get_args, get_origin, get_type_hints

from mlconform.conformance.report import events
from mlconform.conformance.report.events import Event

# The class attribute `event` itself is taken by the slot, so the default tells the name.
_EVENT_TYPES: dict[object, type[Any]] = {
    item.default: kind for kind in get_args(Event) for item in fields(kind) if item.name == "event"
}
# The types of their members, once: to evaluate them takes longer than the rest of the decoding.
_MEMBERS: dict[object, dict[str, Any]] = {
    kind: get_type_hints(kind) for kind in vars(events).values() if is_dataclass(kind)
}


class EventError(ValueError):
    """A line is not an event: the message says which member, what was expected and what came."""


def encode(event: Event) -> str:
    """The event as one line of ASCII JSON, without the newline."""
    return json.dumps(event, default=_members, allow_nan=False, separators=(",", ":"))


def _members(part: Any) -> dict[str, Any]:
    """The members of an event or of a part of one, which hold nothing but what JSON has, or further parts."""
    return {item.name: getattr(part, item.name) for item in fields(part)}


def decode(line: str | bytes) -> Event | Mapping[str, object]:
    """The event a line holds; for an unknown type of event, its members as they are.

    Unknown members are ignored: a later version may add some. Raises `EventError`.
    """
    try:
        members = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise EventError(f"expected a line of JSON, came {_short(line)}: {error}") from None
    if not isinstance(members, dict) or not isinstance(members.get("event"), str):
        raise EventError(f"expected an object with a string member `event`, came {_short(members)}")
    kind = _EVENT_TYPES.get(members["event"])
    if kind is None:
        return members
    event: Event = _build(kind, members, members["event"])
    return event


def _build(kind: type[Any], members: object, where: str) -> Any:
    if not isinstance(members, dict):
        _refuse(where, "an object", members)
    hints = _MEMBERS[kind]
    values = {}
    for item in fields(kind):
        if item.name in members:
            values[item.name] = _value(hints[item.name], members[item.name], f"{where}.{item.name}")
        elif item.default is MISSING and item.default_factory is MISSING:
            raise EventError(f"{where}: expected a member `{item.name}`, came only {sorted(members)}")
    return kind(**values)


def _value(kind: Any, value: object, where: str) -> Any:
    """`value` as an instance of the annotation `kind`: one of the few that events use."""
    arguments = get_args(kind)
    origin = get_origin(kind)
    if origin is UnionType:
        return None if value is None else _value(arguments[0], value, where)
    if origin is tuple:
        if not isinstance(value, list):
            _refuse(where, "a list", value)
        return tuple(_value(arguments[0], each, f"{where}[{n}]") for n, each in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            _refuse(where, "an object", value)
        return {key: _value(arguments[1], each, f"{where}.{key}") for key, each in value.items()}
    if is_dataclass(kind):
        return _build(kind, value, where)  # type: ignore[arg-type]
    return _single(kind, value, where)


def _single(kind: Any, value: object, where: str) -> Any:
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    if not choices and issubclass(kind, StrEnum):
        choices = tuple(kind)
    if choices:
        found = [choice for choice in choices if choice == value]
        return found[0] if found else _refuse(where, f"one of {', '.join(choices)}", value)
    if kind is float:
        return _number(value, where)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        _refuse(where, f"a value of type {kind.__name__}", value)
    return value


def _number(value: object, where: str) -> float:
    try:
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:
        number = math.inf
    return number if math.isfinite(number) else _refuse(where, "a finite number", value)


def _refuse(where: str, expected: str, came: object) -> NoReturn:
    raise EventError(f"{where}: expected {expected}, came {_short(came)}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
