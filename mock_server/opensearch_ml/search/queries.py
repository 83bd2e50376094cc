"""OpenSearch's query language: clauses parsed as a node parses them, and what each finds.

Reasons and places are those of a 2.19.0 node. A clause gives a document a score, or None where it does not
find it; of scores only their order means anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlconform.mock_server.opensearch_ml.bodies.fields import text_of, token_of
from mlconform.mock_server.opensearch_ml.bodies.nearness import did_you_mean
from mlconform.mock_server.opensearch_ml.errors import ApiError, illegal_argument, parsing_error
from mlconform.mock_server.opensearch_ml.search.clauses import COMMON, Clause, Path, Reader, Score
from mlconform.mock_server.opensearch_ml.search.term_queries import TERM_QUERIES
from mlconform.mock_server.opensearch_ml.search.text_queries import TEXT_QUERIES, needed
from mlconform.mock_server.opensearch_ml.search.values import ShardError
from mlconform.mock_server.opensearch_ml.store import JsonObject

_OTHER_QUERIES = frozenset(
    (
        *(
            "boosting",
            "combined_fields",
            "common",
            "distance_feature",
            "field_masking_span",
            "function_score",
        ),
        *("geo_bounding_box", "geo_distance", "geo_polygon", "geo_shape", "hybrid", "intervals", "knn"),
        *("more_like_this", "nested", "neural", "percolate", "rank_feature", "script", "script_score"),
        *("span_containing", "span_first", "span_gap", "span_multi", "span_near", "span_not", "span_or"),
        *("span_term", "span_within", "template", "terms_set", "wrapper", "xy_shape"),
    )
)


class Query(Reader):
    """The query of one body."""

    def parse(self, clause: Any, path: Path = ("query",)) -> Clause:
        """One clause. Raises ApiError 400 for what is malformed."""
        if not isinstance(clause, dict):
            line, column = self.document.place_of_end(path)
            self.at = line, column + 1
            raise parsing_error("[_na] query malformed, must start with start_object", *self.at)
        if not clause:
            self.at = line, column = self.document.place_of_end(path)
            raise illegal_argument(f"query malformed, empty clause found at [{line}:{column}]")
        name, *others = clause
        inner = (*path, name)
        if not isinstance(clause[name], dict):
            raise self.wrong(f"[{name}] query malformed, no start_object after query name", inner)
        if name not in _PARSERS:
            raise self._unknown(name, inner)
        parsed = _PARSERS[name](self, clause[name], inner)
        if others:
            self.at = self.document.place_of_name((*path, others[0]))
            reason = f"[{name}] malformed query, expected [END_OBJECT] but found [FIELD_NAME]"
            raise parsing_error(reason, *self.at)
        return parsed

    def _unknown(self, name: str, path: Path) -> ApiError:
        line, column = self.at = self.document.place(path)
        guess = did_you_mean(name, _PARSERS)
        cause = {
            "type": "named_object_not_found_exception",
            "reason": f"[{line}:{column}] unknown field [{name}]",
        }
        return parsing_error(f"unknown query [{name}] {guess}".rstrip(), line, column, cause)

    def _match_all(self, body: JsonObject, path: Path) -> Clause:
        self.strict(body, path, ())
        return lambda _key, _source: 1.0

    def _match_none(self, body: JsonObject, path: Path) -> Clause:
        self.strict(body, path, ())
        return lambda _key, _source: None

    def _bool(self, body: JsonObject, path: Path) -> Clause:
        held: dict[str, list[Clause]] = {"must": [], "filter": [], "should": [], "must_not": []}
        for name, value in body.items():
            if name in ("minimum_should_match", "adjust_pure_negative", *COMMON):
                continue
            kind = "must_not" if name == "mustNot" else name
            if kind not in held:
                line, column = self.at = self.document.place_of_name((*path, name))
                raise _unparsed(f"[{line}:{column}] [bool] unknown field [{name}]")
            if value is not None:
                held[kind] += [
                    self._inner(clause, inner, name) for clause, inner in self._items(value, path, name)
                ]
        optional = not held["must"] and not held["filter"]
        least = needed(body.get("minimum_should_match", 0), len(held["should"]))
        if optional and held["should"]:
            least = max(least, 1)
        return lambda key, source: _combined(held, least, key, source)

    def _items(self, value: Any, path: Path, name: str) -> list[tuple[Any, Path]]:
        inner = (*path, name)
        if isinstance(value, list):
            return [(item, (*inner, index)) for index, item in enumerate(value)]
        if isinstance(value, dict):
            return [(value, inner)]
        line, column = self.at = self.document.place(inner)
        raise _unparsed(f"[{line}:{column}] [bool] {name} doesn't support values of type: {token_of(value)}")

    def _inner(self, clause: Any, path: Path, name: str) -> Clause:
        """A clause inside bool, which tells where its own parser stood when it failed."""
        try:
            return self.parse(clause, path)
        except ApiError as error:
            cause: JsonObject = {"type": error.type, "reason": error.reason, **error.extra}
            root = error.root or (cause if error.type == "parsing_exception" else None)
            if error.caused_by is not None:
                cause = {**cause, "caused_by": error.caused_by}
            line, column = self.at
            reason = f"[{line}:{column}] [bool] failed to parse field [{name}]"
            raise ApiError(400, "x_content_parse_exception", reason, caused_by=cause, root=root) from None

    def _constant_score(self, body: JsonObject, path: Path) -> Clause:
        if "filter" not in body:
            raise self.wrong("[constant_score] requires a 'filter' element", path, end=True)
        inner = self.parse(body["filter"], (*path, "filter"))
        return lambda key, source: None if inner(key, source) is None else 1.0

    def _dis_max(self, body: JsonObject, path: Path) -> Clause:
        queries = body.get("queries")
        if not queries:
            raise self.wrong("[dis_max] requires 'queries' field with at least one clause", path, end=True)
        clauses = [self.parse(clause, inner) for clause, inner in self._items(queries, path, "queries")]
        return lambda key, source: max(
            (score for clause in clauses if (score := clause(key, source)) is not None), default=None
        )

    def _function_score(self, body: JsonObject, path: Path) -> Clause:
        """Without its functions: they only change scores."""
        inner = body.get("query", {"match_all": {}})
        return self.parse(inner, (*path, "query") if "query" in body else path)

    def _boosting(self, body: JsonObject, path: Path) -> Clause:
        for name in ("positive", "negative"):
            if name not in body:
                raise self.wrong(f"[boosting] query requires '{name}' query to be set'", path, end=True)
        self.parse(body["negative"], (*path, "negative"))
        return self.parse(body["positive"], (*path, "positive"))

    def _nested(self, body: JsonObject, _path: Path) -> Clause:
        """No index of ML Commons has anything nested that is ever filled."""
        reason = f"[nested] failed to find nested object under path [{text_of(body.get('path'))}]"
        cause = {"type": "illegal_state_exception", "reason": reason}
        self.refuse(ShardError("query_shard_exception", f"failed to create query: {reason}", cause))
        return _nothing

    def _other(self, _body: JsonObject, _path: Path) -> Clause:
        """Queries that a node knows and that find nothing here."""
        return _nothing


def _nothing(_key: str, _source: JsonObject) -> Score:
    return None


_PARSERS: dict[str, Callable[[Query, JsonObject, Path], Clause]] = {
    **dict.fromkeys(_OTHER_QUERIES, Query._other),
    **TERM_QUERIES,
    **TEXT_QUERIES,
    "match_all": Query._match_all,
    "match_none": Query._match_none,
    "bool": Query._bool,
    "constant_score": Query._constant_score,
    "dis_max": Query._dis_max,
    "function_score": Query._function_score,
    "script_score": Query._function_score,
    "boosting": Query._boosting,
    "nested": Query._nested,
}


def _unparsed(reason: str) -> ApiError:
    return ApiError(400, "x_content_parse_exception", reason)


def _combined(held: dict[str, list[Clause]], least: int, key: str, source: JsonObject) -> Score:
    if any(clause(key, source) is not None for clause in held["must_not"]):
        return None
    if any(clause(key, source) is None for clause in held["filter"]):
        return None
    musts = [clause(key, source) for clause in held["must"]]
    shoulds = [score for clause in held["should"] if (score := clause(key, source)) is not None]
    scores = [score for score in musts if score is not None]
    if len(scores) < len(musts) or len(shoulds) < least:
        return None
    if not any(held.values()):
        return 1.0
    return sum(scores) + sum(shoulds)
