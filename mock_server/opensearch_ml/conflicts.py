"""What a write answers whose document another request changed or deleted meanwhile.

No page and no recording tells it: the answers are those of the published source of ML Commons and of its
metadata client, which hands on what the index says.
"""

from __future__ import annotations

from typing import Any

from mock_server.opensearch_ml.errors import ApiError
from mock_server.opensearch_ml.rules import Rules
from mock_server.opensearch_ml.store import Index


def gone(index: Index[Any], key: str, rules: Rules) -> ApiError:
    """An update finds no document any more."""
    return ApiError(
        rules.gone_document_status,
        "status_exception",
        f"Failed to update data object in index {index.name}",
        caused_by=_cause(index, "document_missing_exception", f"[{key}]: document missing"),
        cause_is_root=True,
    )


def changed(index: Index[Any], key: str, expected: int, present: int) -> ApiError:
    """A write that holds for one sequence number alone finds another one."""
    reason = (
        f"[{key}]: version conflict, required seqNo [{expected}], primary term [1]. "
        f"current document has seqNo [{present}] and primary term [1]"
    )
    return ApiError(
        409,
        "status_exception",
        f"Document version conflict updating {key} in index {index.name}",
        caused_by=_cause(index, "version_conflict_engine_exception", reason),
        cause_is_root=True,
    )


def _cause(index: Index[Any], kind: str, reason: str) -> dict[str, Any]:
    place = {"index": index.name, "shard": "0", "index_uuid": index.uuid}
    return {"type": kind, "reason": reason, **place}
