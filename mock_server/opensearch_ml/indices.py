"""Indices of documents: as much of them as the stop words of guardrails need."""

from __future__ import annotations

from mock_server.opensearch_ml.cluster import Answer, Call
from mock_server.opensearch_ml.errors import ApiError, parse_error
from mock_server.opensearch_ml.store import Index


def create(call: Call) -> Answer:
    """PUT /{index}; settings and mappings are not looked at."""
    name, indices = _name(call), call.cluster.store.indices
    if name in indices:
        reason = f"index [{name}] already exists"
        raise ApiError(400, "resource_already_exists_exception", reason, {"index": name})
    indices[name] = Index(name, call.cluster.store.shards)
    return Answer({"acknowledged": True, "shards_acknowledged": True, "index": name})


def delete(call: Call) -> Answer:
    """DELETE /{index}."""
    name, indices = _name(call), call.cluster.store.indices
    if indices.pop(name, None) is None:
        raise ApiError(404, "index_not_found_exception", f"no such index [{name}]", {"index": name})
    return Answer({"acknowledged": True})


def _name(call: Call) -> str:
    name = call.parameters["index"]
    if name.startswith(("_", "-", "+")) or name != name.lower():
        reason = f"Invalid index name [{name}], must be lowercase and must not start with '_', '-', or '+'"
        raise ApiError(400, "invalid_index_name_exception", reason, {"index": name})
    return name


def put_document(call: Call) -> Answer:
    """POST /{index}/_doc and PUT or POST /{index}/_doc/{document_id}; makes the index where there is none."""
    if call.document.empty:
        raise parse_error("request body is required")
    document, cluster = call.fields().values, call.cluster
    name, key = _name(call), call.parameters.get("document_id") or cluster.ids.document()
    index = cluster.store.indices.setdefault(name, Index(name, cluster.store.shards))
    existed = key in index
    return Answer(index.put(key, document).answer(), 200 if existed else 201)


def get_document(call: Call) -> Answer:
    """GET /{index}/_doc/{document_id}."""
    name, key = call.parameters["index"], call.parameters["document_id"]
    index = call.cluster.store.indices.get(name)
    document = None if index is None else index.get(key)
    if index is None or document is None:
        return Answer({"_index": name, "_id": key, "found": False}, 404)
    version, seq_no = index.standing(key)
    standing = {"_version": version, "_seq_no": seq_no, "_primary_term": 1}
    return Answer({"_index": name, "_id": key, **standing, "found": True, "_source": document})
