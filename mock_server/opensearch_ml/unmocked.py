"""What a node does and the mock does not: 501 says so, where a refusal would read as the client's mistake.

Every entry is patterns of paths, why it is not mocked, and what the mock has instead.
"""

from __future__ import annotations

import logging
import re
from functools import cache

from msgspec import Struct

from mlconform.mock_server.opensearch_ml.errors import ApiError

_LOG = logging.getLogger(__name__)
_ML = "/_plugins/_ml"


class Unmocked(Struct, frozen=True):
    """Paths of one thing that the mock does not do."""

    paths: tuple[str, ...]
    reason: str
    instead: str


UNMOCKED = (
    Unmocked(
        (f"{_ML}/_execute/*", f"{_ML}/agents/*/_execute", f"{_ML}/tools/_execute/*"),
        "agents, tools and algorithms are not executed",
        "a stub of the request decides what is answered",
    ),
    Unmocked(
        (f"{_ML}/models/*/_predict/stream", f"{_ML}/agents/*/_execute/stream"),
        "no documented page has streams",
        "a stub of the request with chunks streams what it is told",
    ),
    Unmocked(
        (f"{_ML}/tools/*", f"{_ML}/mcp/**", f"{_ML}/config/*"),
        "single tools, MCP and configurations are not kept",
        "a stub of the request decides what is answered",
    ),
    Unmocked(
        (f"{_ML}/memory", f"{_ML}/memory/**", f"{_ML}/memory_containers", f"{_ML}/memory_containers/**"),
        "conversations are not kept",
        "a stub of the request decides what is answered",
    ),
    Unmocked(
        (f"{_ML}/_train_predict/*",),
        "training and prediction in one call is not mocked",
        f"POST {_ML}/_train/kmeans and POST {_ML}/_predict/kmeans/MODEL_ID",
    ),
    Unmocked(
        (
            *("/_bulk", "/*/_bulk", "/_mget", "/*/_mget", "/*/_update/*", "/_reindex"),
            *("/*/_delete_by_query", "/*/_update_by_query"),
        ),
        "documents are written and read one by one",
        "PUT /INDEX/_doc/ID and GET /INDEX/_doc/ID",
    ),
    Unmocked(
        ("/_search", "/_msearch", "/*/_msearch", "/_count", "/*/_count", "/_search/scroll"),
        "one index is searched at a time",
        "POST /INDEX/_search",
    ),
    Unmocked(
        ("/_ingest/pipeline/*/_simulate", "/_ingest/pipeline/_simulate"),
        "pipelines are kept for safe delete and run no processor",
        "a stub of the request decides what is answered",
    ),
    Unmocked(
        (
            *("/_cat/*", "/_cluster/*", "/_tasks", "/_tasks/*", "/_stats", "/_snapshot", "/_snapshot/**"),
            *("/_alias", "/_alias/*", "/_aliases", "/_template/*", "/_index_template/*", "/_scripts/*"),
            *(
                "/_nodes/stats",
                "/_nodes/*/stats",
                "/_nodes/usage",
                "/_nodes/hot_threads",
                "/_nodes/*/hot_threads",
            ),
            *("/_mapping", "/*/_mapping", "/*/_settings", "/*/_alias", "/*/_alias/*", "/*/_stats"),
        ),
        "the mock is a server of the model APIs",
        "a stub of the request decides what is answered",
    ),
)
PIPELINES = "the mock keeps pipelines and runs none: a document would be stored without what they add"


def refuse(method: str, path: str) -> None:
    """Raises ApiError 501 for a path that a node has and the mock does not, and says so in the log."""
    for paths, known in _patterns():
        if paths.fullmatch(path.rstrip("/")):
            raise not_mocked(f"{method} {path} is not mocked: {known.reason}. Instead: {known.instead}")


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Unmocked], ...]:
    """`*` is one segment of a path, `**` one or more."""

    def expression(path: str) -> str:
        return re.escape(path).replace(r"\*\*", ".+").replace(r"\*", "[^/]+")

    return tuple((re.compile("|".join(map(expression, known.paths))), known) for known in UNMOCKED)


def not_mocked(reason: str) -> ApiError:
    """The refusal, which the log has too."""
    _LOG.warning("%s", reason)
    return ApiError(501, "not_mocked", reason)
