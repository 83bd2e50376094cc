"""The clauses about single values: terms, their beginnings and forms, ranges, ids, presence."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from typing import Any

from mlconform.mock_server.opensearch_ml.bodies.fields import text_of, token_of
from mlconform.mock_server.opensearch_ml.bodies.nearness import within
from mlconform.mock_server.opensearch_ml.errors import illegal_argument
from mlconform.mock_server.opensearch_ml.patterns import PatternError, compiled
from mlconform.mock_server.opensearch_ml.search.clauses import COMMON, NAMELESS, Clause, Path, Reader
from mlconform.mock_server.opensearch_ml.search.mappings import Kind
from mlconform.mock_server.opensearch_ml.search.values import ShardError, exists, fields_named
from mlconform.mock_server.opensearch_ml.store import JsonObject

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda value, limit: bool(value > limit),
    "gte": lambda value, limit: bool(value >= limit),
    "from": lambda value, limit: bool(value >= limit),
    "lt": lambda value, limit: bool(value < limit),
    "lte": lambda value, limit: bool(value <= limit),
    "to": lambda value, limit: bool(value <= limit),
}


def _term(reader: Reader, body: JsonObject, path: Path) -> Clause:
    name, value, members = reader.single(body, path, "value", "case_insensitive")
    wanted = reader.read(name, value)
    if members.get("case_insensitive") is True and isinstance(wanted, str):
        folded = wanted.lower()
        return reader.holding(name, lambda value: str(value).lower() == folded)
    return reader.holding(name, lambda value: value == wanted)


def _terms(reader: Reader, body: JsonObject, path: Path) -> Clause:
    found: tuple[str, list[Any]] | None = None
    for name, values in body.items():
        if name in COMMON and not isinstance(values, list):
            continue
        if found is not None:
            raise reader.wrong("[terms] query does not support multiple fields", (*path, name))
        if not isinstance(values, list):
            raise reader.wrong(f"[terms] query does not support [{name}]", (*path, name))
        for index, value in enumerate(values):
            if value is None:
                raise reader.wrong("No value specified for terms query", (*path, name, index))
        found = name, values
    if found is None:
        reason = "[terms] query requires a field name, followed by array of terms or a document lookup"
        raise reader.wrong(f"{reason} specification", path, end=True)
    name, values = found
    wanted = [reader.read(name, value) for value in values]
    return reader.holding(name, lambda value: value in wanted)


def _pattern(reader: Reader, body: JsonObject, path: Path, *known: str) -> tuple[str, str, bool]:
    """Field, text and whether case counts for nothing, of a clause about the beginning or form of words."""
    name, value, members = reader.single(body, path, *known, "case_insensitive", "rewrite")
    kind = reader.mapping.kind(name)
    if kind not in (None, Kind.KEYWORD, Kind.TEXT, Kind.FLAT):
        reason = f"Can only use {path[-1]} queries on keyword and text fields"
        told = f"{reason} - not on [{name}] which is of type [{kind}]"
        reader.refuse(ShardError("query_shard_exception", told))
    folds = members.get("case_insensitive") is True
    text = text_of(value)
    return name, text.lower() if folds else text, folds


def _formed(reader: Reader, name: str, holds: Callable[[str], bool], *, folds: bool) -> Clause:
    return reader.holding(name, lambda value: holds(str(value).lower() if folds else str(value)))


def _prefix(reader: Reader, body: JsonObject, path: Path) -> Clause:
    name, text, folds = _pattern(reader, body, path, "value")
    return _formed(reader, name, lambda value: value.startswith(text), folds=folds)


def _wildcard(reader: Reader, body: JsonObject, path: Path) -> Clause:
    name, text, folds = _pattern(reader, body, path, "value", "wildcard")
    # A bracket means nothing here; else the two languages are one.
    pattern = re.compile(fnmatch.translate(text.replace("[", "[[]")))
    return _formed(reader, name, lambda value: pattern.fullmatch(value) is not None, folds=folds)


def _regexp(reader: Reader, body: JsonObject, path: Path) -> Clause:
    name, text, folds = _pattern(
        reader, body, path, "value", "flags", "flags_value", "max_determinized_states"
    )
    try:
        pattern = compiled(text, re.DOTALL)
    except PatternError as error:
        reason = "unexpected end-of-string" if text.endswith("[") else str(error)
        cause = {"type": "illegal_argument_exception", "reason": reason}
        told = f"failed to create query: {reason}"
        reader.refuse(ShardError("query_shard_exception", told, cause, reason))
        return lambda _key, _source: None
    return _formed(reader, name, lambda value: pattern.fullmatch(value) is not None, folds=folds)


def _fuzzy(reader: Reader, body: JsonObject, path: Path) -> Clause:
    known = ("fuzziness", "prefix_length", "max_expansions", "transpositions")
    name, text, _ = _pattern(reader, body, path, "value", *known)
    return _formed(reader, name, lambda value: within(text, value), folds=False)


def _exists(reader: Reader, body: JsonObject, path: Path) -> Clause:
    for name, value in body.items():
        if value is None or isinstance(value, list | dict):
            reason = f"[exists] unknown token [{token_of(value)}] after [{name}]"
            raise reader.wrong(reason, (*path, name))
        if name != "field" and name not in COMMON:
            raise reader.wrong(f"[exists] query does not support [{name}]", (*path, name))
    if "field" not in body:
        raise reader.wrong("[exists] must be provided with a [field]", path, end=True)
    pattern = text_of(body["field"])
    if not pattern:
        raise illegal_argument(NAMELESS)
    names = fields_named(pattern, reader.mapping)
    return lambda key, source: (
        1.0 if any(exists(name, reader.mapping, key, source) for name in names) else None
    )


def _ids(reader: Reader, body: JsonObject, path: Path) -> Clause:
    reader.strict(body, path, ("values",))
    values = body.get("values", [])
    wanted = [text_of(value) for value in (values if isinstance(values, list) else [values])]
    return lambda key, _source: 1.0 if key in wanted else None


def _range(reader: Reader, body: JsonObject, path: Path) -> Clause:
    for name, value in body.items():
        if not isinstance(value, dict) and name not in COMMON:
            raise reader.wrong(f"[range] query does not support [{name}]", (*path, name))
    known = ("gt", "gte", "lt", "lte", "from", "to", "include_lower", "include_upper", "format")
    name, bounds = reader.field_of(body, path, *known, "time_zone", "relation")
    tests = [
        (_ORDERS[bound], reader.read(name, limit))
        for bound, limit in bounds.items()
        if bound in _ORDERS and limit is not None
    ]
    return reader.holding(
        name, lambda value: all(limit is not None and test(value, limit) for test, limit in tests)
    )


TERM_QUERIES: dict[str, Callable[[Reader, JsonObject, Path], Clause]] = {
    "term": _term,
    "terms": _terms,
    "prefix": _prefix,
    "wildcard": _wildcard,
    "regexp": _regexp,
    "fuzzy": _fuzzy,
    "exists": _exists,
    "ids": _ids,
    "range": _range,
}
