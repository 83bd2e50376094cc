"""Values of the mock as JSON values and back: what a state is dumped to and loaded from."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from msgspec import Struct

ValueT = TypeVar("ValueT")


class CodecError(ValueError):
    """A JSON value that is not what a value was dumped to; the message names the place."""


def dump(value: Any) -> Any:
    """A value, and what it holds, as JSON values; an infinite number becomes null."""
    if isinstance(value, Struct):
        return {name: dump(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, Mapping):
        return {key: dump(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [dump(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return None if isinstance(value, float) and math.isinf(value) else value


def load(kind: type[ValueT], value: Any, place: str = "state") -> ValueT:
    """What `dump` made of a value of this type. Raises CodecError for anything else."""
    loaded: ValueT = _load(kind, value, place)
    return loaded


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _load(kind: Any, value: Any, place: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin in (Union, types.UnionType):
        return _load_union(arguments, value, place)
    if isinstance(kind, type) and issubclass(kind, Struct):
        return _load_struct(kind, _expect(value, dict, place), place)
    if origin in (list, tuple):
        items = [_load(arguments[0], item, place) for item in _expect(value, list, place)]
        return items if origin is list else tuple(items)
    if origin is dict:
        return {
            key: _load(arguments[1], item, f"{place}.{key}")
            for key, item in _expect(value, dict, place).items()
        }
    return _load_scalar(kind, value, place)


def _load_struct(kind: Any, members: dict[str, Any], place: str) -> Any:
    kinds = _hints(kind)
    if not set(members) <= set(kinds):
        _refuse(f"members of {sorted(kinds)}", members, place)
    loaded = {name: _load(kinds[name], member, f"{place}.{name}") for name, member in members.items()}
    try:
        return kind(**loaded)
    except TypeError as error:
        raise CodecError(f"a member is missing at {place}: {error}") from None


def _load_union(kinds: tuple[Any, ...], value: Any, place: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    (kind,) = (one for one in kinds if one is not type(None))
    return _load(kind, value, place)


def _load_scalar(kind: Any, value: Any, place: str) -> Any:
    if kind is float:
        return math.inf if value is None else float(_expect(value, int | float, place))
    if isinstance(kind, type) and issubclass(kind, Enum):
        try:
            return kind(value)
        except ValueError:
            return _refuse(f"one of {[one.value for one in kind]}", value, place)
    return _expect(value, kind, place)


def _expect(value: Any, kind: Any, place: str) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        _refuse(getattr(kind, "__name__", str(kind)), value, place)
    return value


def _refuse(expected: str, value: Any, place: str) -> Any:
    raise CodecError(f"expected {expected} at {place}, got {type(value).__name__} {str(value)[:60]}")
