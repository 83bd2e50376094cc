"""Reading the fields of a request body as OpenSearch's parsers do, with their errors."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import IntEnum
from typing import Any

from msgspec import Struct

from mlconform.mock_server.opensearch_ml.bodies.document import Document, Step
from mlconform.mock_server.opensearch_ml.errors import (
    ApiError,
    illegal_argument,
    json_error,
    node_error,
    null_pointer,
    parsing_error,
)
from mlconform.mock_server.opensearch_ml.prediction import gson

_LONG = 2**63
_TIME = re.compile(r"-1|0|\d+(nanos|micros|ms|s|m|h|d)")
_INT = 2**31
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")


class BodyParser(IntEnum):
    """The node's parsers, by the number of the nameless variable over which an array makes each fail."""

    CONTROLLER = 4
    GUARDRAILS = 5
    MODEL_CONFIG = 12
    UPDATE = 18
    REGISTER = 26


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


def _jackson_token(value: Any) -> str:
    """The name that the JSON parser below has for a token."""
    if isinstance(value, bool):
        return f"VALUE_{json.dumps(value).upper()}"
    if isinstance(value, int | float):
        return "VALUE_NUMBER_INT" if isinstance(value, int) else "VALUE_NUMBER_FLOAT"
    return token_of(value)


def _whole_of(text: str) -> int:
    if not _DECIMAL.fullmatch(text):
        raise illegal_argument(f'For input string: "{text}"')
    number = int(Decimal(text))
    if not -_LONG <= number < _LONG:
        raise illegal_argument(f"Value [{text}] is out of range for a long")
    return number


def _integer_of(text: str) -> int:
    try:
        number = float(text)
    except ValueError:
        reason = f'For input string: "{text}"' if text.strip() else "empty String"
        raise ApiError(400, "number_format_exception", reason) from None
    if not -_INT <= number < _INT:
        raise illegal_argument(f"Value [{text}] is out of range for an integer")
    return int(number)


def flag_of(value: Any) -> bool:
    """A boolean that may be written as a string. Raises ApiError 400 for anything else."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    shown = value if isinstance(value, str) else json.dumps(value)
    raise illegal_argument(f"Failed to parse value [{shown}] as only [true] or [false] are allowed.")


def require_time(name: str, text: str) -> None:
    """Raises ApiError 400 for what is no span of time, such as `1s`."""
    if not _TIME.fullmatch(text):
        told = f"failed to parse setting [{name}] with value [{text}] as a time value"
        raise illegal_argument(f"{told}: unit is missing or unrecognized")


def text_of(value: Any) -> str:
    """A scalar as text: what a parser's text() gives for it."""
    return value if isinstance(value, str) else json.dumps(value)


class Fields(Struct, frozen=True):
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
        """A string; numbers and booleans count as their text. Raises NodeError for null, object, array."""
        if name not in self.values:
            return None
        return self._text(self.values[name], (*self.path, name))

    def _text(self, value: Any, path: tuple[Step, ...]) -> str:
        if value is None or isinstance(value, dict | list):
            line, column = self.document.place(path)
            reason = f"Can't get text on a {token_of(value)} at {line}:{column}"
            raise node_error("illegal_state_exception", reason)
        if isinstance(value, float) and not self.document.yaml:
            return self.document.raw(path)
        return text_of(value)

    def texts_by_name(self, name: str) -> dict[str, str]:
        """The members of a nested object as texts; another kind of value has none, as for the real parser."""
        value = self.values.get(name)
        if not isinstance(value, dict):
            return {}
        nested = Fields(self.document, (*self.path, name), value)
        return {key: nested.text(key) or "" for key in value}

    def flag(self, name: str) -> bool | None:
        """A boolean, or its name as a string; an empty string is false."""
        if name not in self.values:
            return None
        value = self.values[name]
        if isinstance(value, str):
            return value != "" and flag_of(value)
        if not isinstance(value, bool):
            raise self._not_a(name, "not of boolean type")
        return value

    def whole(self, name: str) -> int | None:
        """A whole number; a fraction is cut off and a numeric string is read, as the real parser does."""
        if name not in self.values:
            return None
        value = self.values[name]
        if isinstance(value, str):
            return _whole_of(value)
        return self._number(name, _LONG, "long")

    def integer(self, name: str) -> int | None:
        """A whole number of 32 bits, read as `whole` reads one, but a string as a number with a fraction."""
        if name not in self.values:
            return None
        value = self.values[name]
        if isinstance(value, str):
            return _integer_of(value)
        return self._number(name, _INT, "int")

    def strict_integer(self, name: str) -> int | None:
        """A whole number of 32 bits that is no string. Raises ApiError 400."""
        if isinstance(self.values.get(name), str):
            raise illegal_argument("Integer value passed as String")
        return self.integer(name)

    def _number(self, name: str, limit: int, kind: str) -> int:
        value = self.values[name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._not_a(name, "not numeric, can not use numeric value accessors")
        number = int(value)
        if not -limit <= number < limit:
            reason = f"Numeric value ({value}) out of range of {kind} ({-limit} - {limit - 1})"
            place = self.document.place_behind((*self.path, name))
            raise json_error("input_coercion_exception", reason, *place)
        return number

    def _not_a(self, name: str, problem: str) -> ApiError:
        reason = f"Current token ({_jackson_token(self.values[name])}) {problem}"
        return json_error("json_parse_exception", reason, *self.document.place_behind((*self.path, name)))

    def mapping(self, name: str, parser: BodyParser | None = None) -> Fields | None:
        """An object that is read whole; a scalar in its place counts as an empty one.

        So does an array, but for a parser that fails on it.
        """
        if name not in self.values:
            return None
        value = self.values[name]
        if isinstance(value, list) and parser is not None:
            raise null_pointer("String.hashCode()", f"<local{parser}>")
        return Fields(self.document, (*self.path, name), value if isinstance(value, dict) else {})

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

    def texts_or_nulls(self, name: str) -> list[str | None] | None:
        """An array of scalars, each as its text, null as such."""
        items = self.items(name)
        if items is None:
            return None
        texts = ((item, (*self.path, name, place)) for place, item in enumerate(items))
        return [None if item is None else self._text(item, path) for item, path in texts]

    def objects(self, name: str) -> list[Fields] | None:
        """An array of objects. Raises ApiError 400 for anything else in it."""
        items = self.items(name)
        if items is None:
            return None
        for index, item in enumerate(items):
            if not isinstance(item, dict):
                line, column = self.document.place((*self.path, name, index))
                raise unexpected_token("START_OBJECT", item, line, column)
        return [Fields(self.document, (*self.path, name, index), item) for index, item in enumerate(items)]

    def text_map(self, name: str) -> dict[str, str] | None:
        """An object whose values are kept as text; what is no object counts as an empty one."""
        if name not in self.values:
            return None
        value = self.values[name]
        return {key: gson.kept_text(item) for key, item in value.items()} if isinstance(value, dict) else {}

    def texts(self, name: str) -> list[str] | None:
        """An array of scalars, each as its text."""
        items = self.items(name)
        if items is None:
            return None
        return [self._text(item, (*self.path, name, index)) for index, item in enumerate(items)]

    def _unexpected(self, name: str, expected: str, value: Any) -> ApiError:
        line, column = self.document.place((*self.path, name))
        return unexpected_token(expected, value, line, column)


def unexpected_token(expected: str, value: Any, line: int, column: int) -> ApiError:
    """The refusal of a value that is of another kind than the one expected."""
    reason = f"Failed to parse object: expecting token of type [{expected}] but found [{token_of(value)}]"
    return parsing_error(reason, line, column)


def read_in_order(fields: Fields, readers: Mapping[str, Callable[[Fields], Any]]) -> dict[str, Any]:
    """Read every member that has a reader, as they come: a parser that streams refuses the first bad one."""
    return {name: readers[name](fields) for name in fields.values if name in readers}


def text_reader(name: str) -> Callable[[Fields], object]:
    """A reader of a text."""
    return lambda fields: fields.text(name)


def flag_reader(name: str) -> Callable[[Fields], object]:
    """A reader of a boolean."""
    return lambda fields: fields.flag(name)


def fields_of(document: Document) -> Fields:
    """The fields of a body that is an object. Raises ApiError 400 for another value; empty has none."""
    if document.empty:
        return Fields(document, (), {})
    if not document.is_object:
        raise unexpected_token("START_OBJECT", document.value, *document.place(()))
    return Fields(document, (), document.value)
