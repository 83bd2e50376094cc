"""What a write answers whose document another request changed or deleted meanwhile.

No page and no recording tells it: the answers are those of the published source of ML Commons and of its
metadata client, which hands on what the index says.
"""

from __future__ import annotations

from typing import Any

from mlconform.mock_server.opensearch_ml.cluster import Cluster
from mlconform.mock_server.opensearch_ml.errors import ApiError
from mlconform.mock_server.opensearch_ml.rules import Rules
from mlconform.mock_server.opensearch_ml.store import Index


def begin_update(cluster: Cluster, index: Index[Any], key: str) -> None:
    """What an update of a document does before it writes: it reads the document, and others may come in.

    Raises ApiError where the document is gone, or another one than was read when it is to be written.
    """
    expected = seq_no(cluster, index, key)
    cluster.let_others_in()
    require_unchanged(cluster, index, key, expected)


def seq_no(cluster: Cluster, index: Index[Any], key: str) -> int:
    """The sequence number of a document's last write. Raises ApiError where the document is gone."""
    if key not in index:
        raise gone(index, key, cluster.rules)
    return index.standing(key)[1]


def require_unchanged(cluster: Cluster, index: Index[Any], key: str, expected: int) -> None:
    """Raises ApiError where a document is gone, or was written since it had this sequence number."""
    present = seq_no(cluster, index, key)
    if present != expected:
        raise changed(index, key, expected, present)


def gone(index: Index[Any], key: str, rules: Rules) -> ApiError:
    """An update finds no document any more."""
    cause = _cause(index, "document_missing_exception", f"[{key}]: document missing")
    reason = f"Failed to update data object in index {index.name}"
    return ApiError(rules.gone_document_status, "status_exception", reason, caused_by=cause, root=cause)


def changed(index: Index[Any], key: str, expected: int, present: int) -> ApiError:
    """A write that holds for one sequence number alone finds another one."""
    reason = (
        f"[{key}]: version conflict, required seqNo [{expected}], primary term [1]. "
        f"current document has seqNo [{present}] and primary term [1]"
    )
    cause = _cause(index, "version_conflict_engine_exception", reason)
    told = f"Document version conflict updating {key} in index {index.name}"
    return ApiError(409, "status_exception", told, caused_by=cause, root=cause)


def _cause(index: Index[Any], kind: str, reason: str) -> dict[str, Any]:
    place = {"index": index.name, "shard": "0", "index_uuid": index.uuid}
    return {"type": kind, "reason": reason, **place}
