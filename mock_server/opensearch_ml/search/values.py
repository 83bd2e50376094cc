"""What a search compares: the values of a document's field, and a value of a query as that field reads it."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from mlconform.mock_server.opensearch_ml.bodies.fields import text_of
from mlconform.mock_server.opensearch_ml.errors import ApiError
from mlconform.mock_server.opensearch_ml.search.mappings import Kind, Mapping
from mlconform.mock_server.opensearch_ml.store import JsonObject

Value = str | int | float | bool

_WORD = re.compile(r"\w+(?:['.\u2019](?=\w)\w+)*")
_NOW = re.compile(r"now(?:([+-])([0-9]{1,9})([smhHdw]))?(?:/[smhHdwMy])?")
_EPOCH = re.compile(r"-?[0-9]{1,18}")
_THE_EPOCH = datetime.fromtimestamp(0, UTC)
_UNITS = {"s": 1, "m": 60, "h": 3600, "H": 3600, "d": 86_400, "w": 604_800}
_STRICT_TIME = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-([01]\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3,6}(Z|[+-]\d\d:\d\d)"
)
_DATE_FORMAT = "strict_date_time||epoch_millis"


class ShardError(Exception):
    """What makes a search fail on the shard, after it was parsed.

    `bad_value` says that the last cause is Java's refusal of an argument; `of_query` that the failure is told
    as one of the query, with its index.
    """

    def __init__(
        self,
        type: str,  # noqa: A002 - its name in the envelope
        reason: str,
        cause: JsonObject | None = None,
        bad_value: str | None = None,
        of_query: bool = True,
    ) -> None:
        super().__init__(type, reason)
        self.type = type
        self.reason = reason
        self.cause = cause
        self.bad_value = bad_value
        self.of_query = of_query


def words(value: Any) -> list[str]:
    """The words that a text is found by."""
    return _WORD.findall(text_of(value).lower())


def values_of(name: str, mapping: Mapping, key: str, source: JsonObject) -> list[Value]:
    """The values that a field of a document is found by: words of a text, else the values themselves.

    A value of another kind than the field's is none.
    """
    if name == "_id":
        return [key]
    kind = mapping.kind(name)
    if kind is None:
        return []
    found = list(_below(source, name, kind))
    if kind is Kind.TEXT:
        return [word for value in found for word in words(value)]
    if kind in (Kind.KEYWORD, Kind.FLAT):
        return [text_of(value) for value in found]
    wanted = bool if kind is Kind.BOOLEAN else int | float
    return [
        value for value in found if isinstance(value, wanted) and isinstance(value, bool) == (wanted is bool)
    ]


def _below(source: Any, name: str, kind: Kind) -> Iterator[Any]:
    for part in name.removesuffix(".keyword").split("."):
        source = source.get(part) if isinstance(source, dict) else None
    yield from _leaves(source, deep=kind is Kind.FLAT)


def _leaves(value: Any, *, deep: bool) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item, deep=deep)
    elif isinstance(value, dict):
        for item in value.values() if deep else ():
            yield from _leaves(item, deep=deep)
    elif value is not None:
        yield value


def fields_named(pattern: str, mapping: Mapping) -> list[str]:
    """The fields that a name or a pattern of names means."""
    if "*" not in pattern:
        return [pattern]
    return [name for name in mapping.fields if fnmatch.fnmatchcase(name, pattern)]


def exists(name: str, mapping: Mapping, key: str, source: JsonObject) -> bool:
    """Whether a document has a value of a field, or of one below it."""
    if name == "_id" or values_of(name, mapping, key, source):
        return True
    below = f"{name}."
    return any(values_of(other, mapping, key, source) for other in mapping.fields if other.startswith(below))


def read(name: str, mapping: Mapping, value: Any, now: float) -> Value:
    """A value of a query as its field reads it. Raises ShardError for one that the field can't hold."""
    kind = mapping.kind(name)
    if kind in (Kind.INTEGER, Kind.LONG, Kind.FLOAT):
        return _number(value)
    if kind is Kind.BOOLEAN:
        if text_of(value) not in ("true", "false"):
            raise _refused(
                f"Can't parse boolean value [{text_of(value)}], expected [true] or [false]",
                "illegal_argument_exception",
            )
        return text_of(value) == "true"
    if kind is Kind.DATE:
        return _milliseconds(text_of(value), now)
    return text_of(value)


def number_of(value: Any) -> float:
    """A number, or a text that is one. Raises ApiError 400 for another text."""
    try:
        return float(text_of(value))
    except ValueError:
        raise ApiError(400, "number_format_exception", f'For input string: "{text_of(value)}"') from None


def _number(value: Any) -> float:
    try:
        return number_of(value)
    except ApiError as error:
        raise _refused(error.reason, error.type) from None


def _milliseconds(text: str, now: float) -> int:
    if _EPOCH.fullmatch(text):
        return int(text)
    relative = _NOW.fullmatch(text)
    if relative is not None:
        sign, count, unit = relative.groups()
        seconds = int(count) * _UNITS[unit] if count else 0
        return int((now - seconds if sign == "-" else now + seconds) * 1000)
    if _STRICT_TIME.fullmatch(text) and (moment := _moment(text)) is not None:
        return int((moment - _THE_EPOCH).total_seconds() * 1000)
    reason = f"failed to parse date field [{text}] with format [{_DATE_FORMAT}]"
    raise ShardError("parse_exception", f"{reason}: [{reason}]", of_query=False)


def _moment(text: str) -> datetime | None:
    """The moment that a text of the right form tells, if there is such a day."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _refused(reason: str, kind: str) -> ShardError:
    cause = {"type": kind, "reason": reason}
    return ShardError("query_shard_exception", f"failed to create query: {reason}", cause, reason)
