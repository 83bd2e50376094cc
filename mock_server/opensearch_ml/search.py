"""The search operations: a small evaluator of OpenSearch's query language over one index."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cmp_to_key
from typing import Any, TypeVar

from mock_server.opensearch_ml.cluster import Answer, Call
from mock_server.opensearch_ml.document import Document, Step
from mock_server.opensearch_ml.errors import ApiError, illegal_argument, parsing_error
from mock_server.opensearch_ml.fields import text_of, token_of
from mock_server.opensearch_ml.store import Index, JsonObject

DocumentT = TypeVar("DocumentT")
Path = tuple[Step, ...]

_ANALYZED = frozenset({"name", "description"})
_BODY_MEMBERS = frozenset(
    {
        "query",
        "size",
        "from",
        "sort",
        "_source",
        "track_total_hits",
        "version",
        "seq_no_primary_term",
        "timeout",
    }
)
_MAX_WINDOW = 10_000


def answer(call: Call, index: Index[DocumentT], source: Callable[[str, DocumentT], JsonObject]) -> Answer:
    """Search an index whose documents `source` shows; raises ApiError 400 for a body that is no search."""
    fields = call.fields()
    for name in fields.values:
        if name not in _BODY_MEMBERS:
            raise parsing_error(
                f"Unknown key for a {token_of(fields.get(name))} in [{name}].", *_place(call, name)
            )
    first, size = _window(call, "from", 0), _window(call, "size", 10)
    if first + size > _MAX_WINDOW:
        raise illegal_argument(
            f"Result window is too large, from + size must be less than or equal to: [{_MAX_WINDOW}] "
            f"but was [{first + size}]"
        )
    query = Query(call.document)
    hits = [
        (key, shown)
        for key, document in index
        if query.matches(fields.values.get("query", {"match_all": {}}), key, shown := source(key, document))
    ]
    if not hits:
        query.matches(fields.values.get("query", {"match_all": {}}), "", {})
    hits = _sorted(hits, fields.get("sort"))
    score = 1.0 if hits and size else None
    page = [_hit(index, key, shown, fields.get("_source")) for key, shown in hits[first : first + size]]
    return Answer(
        {
            "took": 1,
            "timed_out": False,
            "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0},
            "hits": {"total": {"value": len(hits), "relation": "eq"}, "max_score": score, "hits": page},
        }
    )


def _window(call: Call, name: str, default: int) -> int:
    value = call.query.get(name, call.fields().values.get(name, default))
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise illegal_argument(
            f"Failed to parse int parameter [{name}] with value [{text_of(value)}]"
        ) from None
    if number < 0:
        raise illegal_argument(f"[{name}] parameter cannot be negative, found [{number}]")
    return number


def _place(call: Call, *path: Step) -> tuple[int, int]:
    return call.document.place(path)


def _hit(index: Index[DocumentT], key: str, shown: JsonObject, wanted: Any) -> JsonObject:
    version, seq_no = index.standing(key)
    hit: JsonObject = {
        "_index": index.name,
        "_id": key,
        "_version": version,
        "_seq_no": seq_no,
        "_primary_term": 1,
        "_score": 1.0,
    }
    if wanted is not False:
        hit["_source"] = _selected(shown, wanted)
    return hit


def _selected(shown: JsonObject, wanted: Any) -> JsonObject:
    if isinstance(wanted, str):
        wanted = [wanted]
    if isinstance(wanted, dict):
        wanted = wanted.get("includes", wanted.get("include"))
    if not isinstance(wanted, list):
        return shown
    return {name: value for name, value in shown.items() if name in wanted}


def _sorted(hits: list[tuple[str, JsonObject]], order: Any) -> list[tuple[str, JsonObject]]:
    keys = order if isinstance(order, list) else [] if order is None else [order]
    for key in reversed(keys):
        name, descending = _sort_key(key)
        present = [hit for hit in hits if _field(name, *hit) is not None]
        absent = [hit for hit in hits if _field(name, *hit) is None]
        present.sort(key=_sort_value(name))
        hits = [*(reversed(present) if descending else present), *absent]
    return hits


def _sort_key(key: Any) -> tuple[str, bool]:
    if isinstance(key, str):
        return key, False
    if isinstance(key, dict) and len(key) == 1:
        ((name, order),) = key.items()
        direction = order.get("order", "asc") if isinstance(order, dict) else order
        if direction in ("asc", "desc"):
            return name, direction == "desc"
    raise illegal_argument(
        f"Failed to parse sort [{text_of(key)}]: expected a field, or a field with its order"
    )


def _sort_value(name: str) -> Callable[[tuple[str, JsonObject]], Any]:
    by_value = cmp_to_key(_compare)
    return lambda hit: by_value(_field(name, *hit))


def _compare(left: Any, right: Any) -> int:
    if isinstance(left, int | float) and isinstance(right, int | float):
        return (left > right) - (left < right)
    return (str(left) > str(right)) - (str(left) < str(right))


def _field(name: str, key: str, source: JsonObject) -> Any:
    if name == "_id":
        return key
    value: Any = source
    for part in name.removesuffix(".keyword").split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _tokens(value: Any) -> list[str]:
    return re.findall(r"\w+", text_of(value).lower())


class Query:
    """Evaluates the clauses of one request's body."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._clauses: dict[str, Callable[[Any, Path, str, JsonObject], bool]] = {
            "match_all": lambda _body, _path, _key, _source: True,
            "match_none": lambda _body, _path, _key, _source: False,
            "term": self._term,
            "terms": self._terms,
            "match": self._match,
            "match_phrase": self._match_phrase,
            "prefix": self._prefix,
            "wildcard": self._wildcard,
            "exists": self._exists,
            "ids": self._ids,
            "range": self._range,
            "bool": self._bool,
        }

    def matches(self, clause: Any, key: str, source: JsonObject, path: Path = ("query",)) -> bool:
        """Whether one clause holds for a document. Raises ApiError 400 for a clause that is malformed."""
        if not isinstance(clause, dict):
            raise self._malformed(
                f"[_na] query malformed, must start with start_object, not {token_of(clause)}", path
            )
        if len(clause) != 1:
            reason = (
                "query malformed, empty clause found"
                if not clause
                else "query malformed, one clause expected"
            )
            raise self._malformed(reason, path)
        ((name, body),) = clause.items()
        evaluate = self._clauses.get(name)
        inner = (*path, name)
        if not isinstance(body, dict):
            raise self._malformed(f"[{name}] query malformed, no start_object after query name", inner)
        if evaluate is None:
            line, column = self._document.place(inner)
            reason = f"[{line}:{column}] unknown field [{name}]"
            cause = {"type": "named_object_not_found_exception", "reason": reason}
            raise parsing_error(f"unknown query [{name}]", line, column, cause)
        return evaluate(body, inner, key, source)

    def _malformed(self, reason: str, path: Path) -> ApiError:
        return parsing_error(reason, *self._document.place(path))

    def _one(self, body: JsonObject, path: Path, member: str) -> tuple[str, Any]:
        pairs = [(name, value) for name, value in body.items() if name not in ("boost", "_name")]
        if len(pairs) != 1:
            raise self._malformed(f"[{path[-1]}] query needs exactly one field, found {len(pairs)}", path)
        name, value = pairs[0]
        if isinstance(value, dict):
            value = value.get(member)
        if value is None or isinstance(value, dict | list):
            raise illegal_argument(
                "value cannot be null" if value is None else f"[{path[-1]}] takes one value"
            )
        return name, value

    def _term(self, body: JsonObject, path: Path, key: str, source: JsonObject) -> bool:
        name, wanted = self._one(body, path, "value")
        return _holds(name, [text_of(wanted)], key, source)

    def _terms(self, body: JsonObject, path: Path, key: str, source: JsonObject) -> bool:
        pairs = [(name, values) for name, values in body.items() if name not in ("boost", "_name")]
        if len(pairs) != 1 or not isinstance(pairs[0][1], list):
            raise self._malformed("[terms] query needs one field with an array of values", path)
        name, values = pairs[0]
        return _holds(name, [text_of(value) for value in values], key, source)

    def _match(self, body: JsonObject, path: Path, key: str, source: JsonObject) -> bool:
        name, wanted = self._one(body, path, "query")
        if name not in _ANALYZED:
            return _holds(name, [text_of(wanted)], key, source)
        return bool(set(_tokens(wanted)) & set(_tokens(source.get(name, ""))))

    def _match_phrase(self, body: JsonObject, path: Path, key: str, source: JsonObject) -> bool:
        name, wanted = self._one(body, path, "query")
        if name not in _ANALYZED:
            return _holds(name, [text_of(wanted)], key, source)
        return f" {' '.join(_tokens(wanted))} " in f" {' '.join(_tokens(source.get(name, '')))} "

    def _prefix(self, body: JsonObject, path: Path, key: str, source: JsonObject) -> bool:
        name, wanted = self._one(body, path, "value")
        return any(value.startswith(text_of(wanted)) for value in _values(name, key, source))

    def _wildcard(self, body: JsonObject, path: Path, key: str, source: JsonObject) -> bool:
        name, wanted = self._one(body, path, "value")
        pattern = re.escape(text_of(wanted)).replace(r"\*", ".*").replace(r"\?", ".")
        return any(re.fullmatch(pattern, value, re.DOTALL) for value in _values(name, key, source))

    def _exists(self, body: JsonObject, _path: Path, key: str, source: JsonObject) -> bool:
        name = body.get("field")
        if not isinstance(name, str) or not name:
            raise illegal_argument("[exists] must be provided with a [field]")
        return _field(name, key, source) is not None

    def _ids(self, body: JsonObject, path: Path, key: str, _source: JsonObject) -> bool:
        values = body.get("values", [])
        if not isinstance(values, list):
            raise self._malformed("[ids] query needs an array of values", path)
        return key in [text_of(value) for value in values]

    def _range(self, body: JsonObject, path: Path, key: str, source: JsonObject) -> bool:
        if len(body) != 1 or not isinstance(next(iter(body.values())), dict):
            raise self._malformed("[range] query needs one field with its bounds", path)
        ((name, bounds),) = body.items()
        value = _field(name, key, source)
        tests: dict[str, Callable[[int], bool]] = {
            "gt": lambda order: order > 0,
            "gte": lambda order: order >= 0,
            "lt": lambda order: order < 0,
            "lte": lambda order: order <= 0,
        }
        for bound in bounds:
            if bound not in tests:
                raise self._malformed(f"[range] query does not support [{bound}]", path)
        return value is not None and all(
            tests[bound](_compare(value, limit)) for bound, limit in bounds.items()
        )

    def _bool(self, body: JsonObject, path: Path, key: str, source: JsonObject) -> bool:
        results: dict[str, list[bool]] = {}
        for name in body:
            if name in ("boost", "_name", "minimum_should_match"):
                continue
            if name not in ("must", "filter", "should", "must_not"):
                raise self._malformed(f"[bool] query does not support [{name}]", path)
            results[name] = [
                self.matches(clause, key, source, inner)
                for clause, inner in _clauses(body[name], (*path, name))
            ]
        required = [*results.get("must", []), *results.get("filter", [])]
        should = results.get("should", [])
        enough = any(should) or not should or (bool(required) and "minimum_should_match" not in body)
        return all(required) and not any(results.get("must_not", [])) and enough


def _clauses(value: Any, path: Path) -> Iterable[tuple[Any, Path]]:
    return (
        [(item, (*path, index)) for index, item in enumerate(value)]
        if isinstance(value, list)
        else [(value, path)]
    )


def _values(name: str, key: str, source: JsonObject) -> list[str]:
    value = _field(name, key, source)
    if value is None:
        return []
    if name in _ANALYZED:
        return _tokens(value)
    return [text_of(item) for item in value] if isinstance(value, list) else [text_of(value)]


def _holds(name: str, wanted: list[str], key: str, source: JsonObject) -> bool:
    return any(value in wanted for value in _values(name, key, source))
