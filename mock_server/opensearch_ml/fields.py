"""Reading the fields of a request body as OpenSearch's parsers do, with their errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mock_server.opensearch_ml.document import Document, Step
from mock_server.opensearch_ml.errors import (
    ApiError,
    illegal_argument,
    json_error,
    parse_error,
    parsing_error,
)

_LONG = 2**63


def token_of(value: Any) -> str:
    """The parser's name for the token that a value begins with."""
    if value is None:
        return "VALUE_NULL"
    if isinstance(value, bool):
        return "VALUE_BOOLEAN"
    if isinstance(value, str):
        return "VALUE_STRING"
    if isinstance(value, int | float):
        return "VALUE_NUMBER"
    return "START_OBJECT" if isinstance(value, dict) else "START_ARRAY"


def flag_of(value: Any) -> bool:
    """A boolean that may be written as a string. Raises ApiError 400 for anything else."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    shown = value if isinstance(value, str) else json.dumps(value)
    raise illegal_argument(f"Failed to parse value [{shown}] as only [true] or [false] are allowed.")


def text_of(value: Any) -> str:
    """A scalar as text: what a parser's text() gives for it."""
    return value if isinstance(value, str) else json.dumps(value)


def _kept_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class Fields:
    """One object of a body, with the way to it; every getter gives None for a field that was not sent."""

    document: Document
    path: tuple[Step, ...]
    values: dict[str, Any]

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def get(self, name: str) -> Any:
        """The value as it was sent."""
        return self.values.get(name)

    def text(self, name: str) -> str | None:
        """A string; numbers and booleans count as their text. Raises ApiError 400 for null, object, array."""
        if name not in self.values:
            return None
        value = self.values[name]
        if value is None or isinstance(value, dict | list):
            line, column = self.document.place((*self.path, name))
            raise parse_error(f"Can't get text on a {token_of(value)} at {line}:{column}")
        return text_of(value)

    def flag(self, name: str) -> bool | None:
        """A boolean, or its name as a string."""
        return flag_of(self.values[name]) if name in self.values else None

    def whole(self, name: str) -> int | None:
        """A whole number; a fraction is cut off and a numeric string is read, as the real parser does."""
        if name not in self.values:
            return None
        value = self.values[name]
        if isinstance(value, str):
            try:
                value = int(value)
            except ValueError:
                raise illegal_argument(f'For input string: "{value}"') from None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._not_numeric(name, value)
        number = int(value)
        if not -_LONG <= number < _LONG:
            reason = f"Numeric value ({value}) out of range of long ({-_LONG} - {_LONG - 1})"
            raise json_error("input_coercion_exception", reason, *self.document.place((*self.path, name)))
        return number

    def _not_numeric(self, name: str, value: Any) -> ApiError:
        token = f"VALUE_{json.dumps(value).upper()}" if isinstance(value, bool) else token_of(value)
        width = len(json.dumps(value)) if value is None or isinstance(value, bool) else 1
        line, column = self.document.place((*self.path, name), after=width)
        reason = f"Current token ({token}) not numeric, can not use numeric value accessors"
        return json_error("json_parse_exception", reason, line, column)

    def object(self, name: str) -> Fields | None:
        """A nested object. Raises ApiError 400 for any other kind of value, null included."""
        if name not in self.values:
            return None
        value = self.values[name]
        if not isinstance(value, dict):
            raise self._unexpected(name, "START_OBJECT", value)
        return Fields(self.document, (*self.path, name), value)

    def items(self, name: str) -> list[Any] | None:
        """An array. Raises ApiError 400 for any other kind of value, null included."""
        if name not in self.values:
            return None
        value = self.values[name]
        if not isinstance(value, list):
            raise self._unexpected(name, "START_ARRAY", value)
        return value

    def objects(self, name: str) -> list[Fields] | None:
        """An array of objects. Raises ApiError 400 for anything else in it."""
        items = self.items(name)
        if items is None:
            return None
        for index, item in enumerate(items):
            if not isinstance(item, dict):
                line, column = self.document.place((*self.path, name, index))
                raise _unexpected_token("START_OBJECT", item, line, column)
        return [Fields(self.document, (*self.path, name, index), item) for index, item in enumerate(items)]

    def text_map(self, name: str) -> dict[str, str] | None:
        """An object whose values are kept as text; what is no object counts as an empty one."""
        if name not in self.values:
            return None
        value = self.values[name]
        return {key: _kept_text(item) for key, item in value.items()} if isinstance(value, dict) else {}

    def texts(self, name: str) -> list[str] | None:
        """An array of scalars, each as its text."""
        items = self.items(name)
        if items is None:
            return None
        for index, item in enumerate(items):
            if item is None or isinstance(item, dict | list):
                line, column = self.document.place((*self.path, name, index))
                raise parse_error(f"Can't get text on a {token_of(item)} at {line}:{column}")
        return [text_of(item) for item in items]

    def _unexpected(self, name: str, expected: str, value: Any) -> ApiError:
        line, column = self.document.place((*self.path, name))
        return _unexpected_token(expected, value, line, column)


def _unexpected_token(expected: str, value: Any, line: int, column: int) -> ApiError:
    reason = f"Failed to parse object: expecting token of type [{expected}] but found [{token_of(value)}]"
    return parsing_error(reason, line, column)


def read_in_order(fields: Fields, readers: Mapping[str, Callable[[Fields], object]]) -> None:
    """Read every member that has a reader, as they come: a parser that streams refuses the first bad one."""
    for name in fields.values:
        reader = readers.get(name)
        if reader is not None:
            reader(fields)


def text_reader(name: str) -> Callable[[Fields], object]:
    """A reader of a text."""
    return lambda fields: fields.text(name)


def fields_of(document: Document) -> Fields:
    """The fields of a body that is an object. Raises ApiError 400 for another value; empty has none."""
    if document.empty:
        return Fields(document, (), {})
    if not document.is_object:
        raise _unexpected_token("START_OBJECT", document.value, *document.place(()))
    return Fields(document, (), document.value)
