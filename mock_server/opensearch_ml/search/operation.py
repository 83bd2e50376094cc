"""The search operations: a body parsed as a node parses it, over one index of ML Commons.

Members are read in their order, so that the first bad one is the one that is told. What is wrong with a
value shows on the shard, after all of the body was parsed.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import Struct, field

from mlconform.mock_server.opensearch_ml.bodies.document import Step
from mlconform.mock_server.opensearch_ml.bodies.fields import Fields, flag_of, require_time, text_of, token_of
from mlconform.mock_server.opensearch_ml.cluster import Answer, Call
from mlconform.mock_server.opensearch_ml.errors import (
    ApiError,
    illegal_argument,
    node_error,
    parse_error,
    parsing_error,
)
from mlconform.mock_server.opensearch_ml.search.clauses import Clause, Score
from mlconform.mock_server.opensearch_ml.search.mappings import Mapping, mapping_of
from mlconform.mock_server.opensearch_ml.search.queries import Query
from mlconform.mock_server.opensearch_ml.search.sorting import Hit, Order, read_orders
from mlconform.mock_server.opensearch_ml.search.values import ShardError, number_of
from mlconform.mock_server.opensearch_ml.store import Index, JsonObject

DocumentT = TypeVar("DocumentT")

_MAX_WINDOW = 10_000
_FLAGS = frozenset({"version", "seq_no_primary_term", "explain", "profile", "track_scores"})
_IGNORED_OBJECTS = frozenset(
    {"aggs", "aggregations", "collapse", "ext", "highlight", "rescore", "script_fields", "suggest"}
)
_IGNORED_ARRAYS = frozenset(
    {"docvalue_fields", "fields", "indices_boost", "rescore", "search_after", "stored_fields"}
)
_IGNORED_SCALARS = frozenset({"search_pipeline", "stored_fields", "terminate_after"})


class _Body(Struct):
    """What a search asks for."""

    query: Query
    clause: Clause | None = None
    post_filter: Clause | None = None
    first: int = 0
    size: int = 10
    orders: list[Order] = field(default_factory=list)
    includes: list[str] = field(default_factory=list)
    excludes: list[str] = field(default_factory=list)
    most_counted: int | None = None
    counts: bool = True
    track_scores: bool = False
    least_score: float | None = None


def answer_search(
    call: Call,
    index: Index[DocumentT],
    source: Callable[[str, DocumentT], JsonObject],
    shows: Callable[[DocumentT], bool] = lambda _document: True,
) -> Answer:
    """Search an index whose documents `source` shows; raises ApiError 400 for a body that is no search.

    Nothing of the answer tells of a document that `shows` leaves out.

    Of one that is not there, no shard is searched (recording first_use#1).
    """
    mapping = mapping_of(index.name, (source(key, document) for key, document in index))
    body = _read(call, mapping)
    try:
        if body.query.refused is not None:
            raise body.query.refused
        hits = _hits(body, mapping, index, source, shows)
        count = len(hits)
        if not call.cluster.rules.searches_count_what_they_show:
            count = len(_hits(body, mapping, index, source, lambda _document: True))
    except ShardError as error:
        raise _failed(call, mapping, index, error) from None
    if not index.exists:
        return _answer(0, 0.0, [], shards=0)
    page = hits[body.first : body.first + body.size]
    shown = [_shown(body, index, hit) for hit in page]
    scores = [hit.score for hit in hits]
    best = max(scores) if scores and body.size and (not body.orders or body.track_scores) else None
    if not body.counts:
        return _answer(None, best, shown)
    if body.most_counted is not None and count > body.most_counted:
        return _answer(body.most_counted, best, shown, relation="gte")
    return _answer(count, best, shown)


def _answer(
    total: int | None, best: Score, shown: list[JsonObject], *, relation: str = "eq", shards: int = 1
) -> Answer:
    counted = {} if total is None else {"total": {"value": total, "relation": relation}}
    return Answer(
        {
            "took": 1,
            "timed_out": False,
            "_shards": {"total": shards, "successful": shards, "skipped": 0, "failed": 0},
            "hits": {**counted, "max_score": best, "hits": shown},
        }
    )


def form(call: Call) -> None:
    """Read the body of a search, of whatever index. Raises ApiError 400 for one that is no search."""
    _read(call, Mapping({}))


def _hits(
    body: _Body,
    mapping: Mapping,
    index: Index[DocumentT],
    source: Callable[[str, DocumentT], JsonObject],
    shows: Callable[[DocumentT], bool],
) -> list[Hit]:
    """What is found, the best first; of equals the one that was written first."""
    if body.first + body.size > _MAX_WINDOW:
        reason = (
            f"Result window is too large, from + size must be less than or equal to: [{_MAX_WINDOW}] but was "
            f"[{body.first + body.size}]. See the scroll api for a more efficient way to request large data "
            "sets. This limit can be set by changing the [index.max_result_window] index level setting."
        )
        raise ShardError("illegal_argument_exception", reason, bad_value=reason, of_query=False)
    for order in body.orders:
        order.require(mapping)
    unscored = 0.0 if mapping.hides else 1.0
    hits = []
    for key, document in index:
        if not shows(document):
            continue
        shown = source(key, document)
        score = unscored if body.clause is None else body.clause(key, shown)
        if score is None or (body.post_filter is not None and body.post_filter(key, shown) is None):
            continue
        if body.least_score is None or score >= body.least_score:
            hits.append(Hit(key, shown, score))
    hits.sort(key=lambda hit: index.standing(hit.key)[1])
    if not body.orders:
        hits.sort(key=lambda hit: -hit.score)
    for order in reversed(body.orders):
        order.sort(hits, mapping)
    for number, hit in enumerate(hits):
        hit.sorted_by = [order.told(hit, mapping, number) for order in body.orders]
    return hits


def _shown(body: _Body, index: Index[DocumentT], hit: Hit) -> JsonObject:
    version, seq_no = index.standing(hit.key)
    scored = not body.orders or body.track_scores or any(order.name == "_score" for order in body.orders)
    shown: JsonObject = {
        "_index": index.name,
        "_id": hit.key,
        "_version": version,
        "_seq_no": seq_no,
        "_primary_term": 1,
        "_score": hit.score if scored else None,
        "_source": select(hit.source, body.includes, body.excludes),
    }
    return {**shown, "sort": hit.sorted_by} if body.orders else shown


def select(source: JsonObject, includes: list[str], excludes: list[str], above: str = "") -> JsonObject:
    """The members of a source that some pattern of dotted names includes and none excludes."""
    kept: JsonObject = {}
    for name, value in source.items():
        path = f"{above}{name}"
        if any(fnmatch.fnmatchcase(path, pattern) for pattern in excludes):
            continue
        wanted = not includes or any(_covers(pattern, path) for pattern in includes)
        if isinstance(value, dict):
            inner = select(value, [] if wanted else includes, excludes, f"{path}.")
            if inner or wanted:
                kept[name] = inner
        elif wanted:
            kept[name] = value
    return kept


def _covers(pattern: str, path: str) -> bool:
    return fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(path, f"{pattern}.*")


def _read(call: Call, mapping: Mapping) -> _Body:
    document = call.document
    if document.missing:
        raise parse_error("request body or source parameter is required")
    if document.empty:
        raise parsing_error("Expected [START_OBJECT] but found [null]", 1, 0)
    if not document.is_object:
        reason = f"Expected [START_OBJECT] but found [{token_of(document.value)}]"
        raise parsing_error(reason, *document.place(()))
    query = Query(document, mapping, call.cluster.clock.now())
    body, fields = _Body(query), call.fields()
    for name, value in fields.values.items():
        _read_member(body, fields, name, value)
    return body


def _read_member(body: _Body, fields: Fields, name: str, value: Any) -> None:
    if value is None:
        raise _unknown(fields, name)
    if name in ("query", "post_filter") and isinstance(value, dict):
        setattr(body, "clause" if name == "query" else name, body.query.parse(value, (name,)))
    elif name == "sort":
        body.orders = read_orders(fields.document, value)
    elif name == "_source":
        _read_source(body, fields, value)
    elif isinstance(value, dict | list):
        if name not in (_IGNORED_OBJECTS if isinstance(value, dict) else _IGNORED_ARRAYS):
            raise _unknown(fields, name)
    else:
        _read_scalar(body, fields, name, value)


def _read_scalar(body: _Body, fields: Fields, name: str, value: Any) -> None:
    if name in ("from", "size"):
        _read_window(body, fields, name)
    elif name == "track_total_hits":
        _read_counting(body, fields, value)
    elif name in _FLAGS:
        body.track_scores |= flag_of(value) and name == "track_scores"
    elif name == "timeout":
        require_time(name, text_of(value))
    elif name == "min_score":
        body.least_score = number_of(value)
    elif name not in _IGNORED_SCALARS:
        raise _unknown(fields, name)


def _unknown(fields: Fields, *path: Step) -> ApiError:
    value: Any = fields.values
    for step in path:
        value = value[step]
    reason = f"Unknown key for a {token_of(value)} in [{path[-1]}]."
    return parsing_error(reason, *fields.document.place(path))


def _whole(fields: Fields, name: str) -> int:
    value = fields.get(name)
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            raise ApiError(400, "number_format_exception", f'For input string: "{value}"') from None
    number = fields.whole(name)
    assert number is not None
    return number


def _read_window(body: _Body, fields: Fields, name: str) -> None:
    number = _whole(fields, name)
    if number < 0:
        raise illegal_argument(f"[{name}] parameter cannot be negative, found [{number}]")
    if name == "from":
        body.first = number
    else:
        body.size = number


def _read_counting(body: _Body, fields: Fields, value: Any) -> None:
    if isinstance(value, bool) or value in ("true", "false"):
        body.counts = flag_of(value)
        return
    number = _whole(fields, "track_total_hits")
    body.counts, body.most_counted = number >= 0, number


def _read_source(body: _Body, fields: Fields, value: Any) -> None:
    """Which members of the source are shown; ML Commons shows the source to who wants none, too."""
    if isinstance(value, str):
        body.includes = [value]
    elif isinstance(value, list):
        body.includes = [text_of(item) for item in value]
    elif isinstance(value, dict):
        for name, patterns in value.items():
            if name not in ("include", "includes", "exclude", "excludes"):
                raise _unknown(fields, "_source", name)
            wanted = [text_of(item) for item in (patterns if isinstance(patterns, list) else [patterns])]
            if name.startswith("include"):
                body.includes = wanted
            else:
                body.excludes = wanted
    elif not isinstance(value, bool):
        reason = f"Expected one of [VALUE_BOOLEAN, START_OBJECT] but found [{token_of(value)}]"
        raise parsing_error(reason, *fields.document.place(("_source",)))


def _failed(call: Call, mapping: Mapping, index: Index[Any], error: ShardError) -> ApiError:
    """The answer to a search that failed on the shard.

    Where ML Commons tells less than the node does, it tells of a bad value what is bad about it, and of all
    else that the search failed.
    """
    if mapping.failure is not None:
        return node_error("status_exception", error.bad_value or mapping.failure)
    name, uuid = index.name, index.uuid
    place = {"index": name, "index_uuid": uuid} if error.of_query else {}
    root: JsonObject = {"type": error.type, "reason": error.reason, **place}
    cause = {**root, "caused_by": error.cause} if error.cause else root
    shard = {"shard": 0, "index": name, "node": call.cluster.local_node_id, "reason": cause}
    told: JsonObject = {"phase": "query", "grouped": True, "failed_shards": [shard]}
    repeated = {**cause, "caused_by": cause} if error.type == "illegal_argument_exception" else None
    return ApiError(
        400, "search_phase_execution_exception", "all shards failed", told, caused_by=repeated, root=root
    )
