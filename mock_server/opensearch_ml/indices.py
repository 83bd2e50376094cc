"""Indices of documents: as much of them as the stop words of guardrails need."""

from __future__ import annotations

from mock_server.opensearch_ml.cluster import Answer, Call
from mock_server.opensearch_ml.errors import parse_error
from mock_server.opensearch_ml.store import Index


def put_document(call: Call) -> Answer:
    """POST /{index}/_doc and PUT or POST /{index}/_doc/{document_id}; makes the index where there is none."""
    if call.document.empty:
        raise parse_error("request body is required")
    document, cluster = call.fields().values, call.cluster
    name, key = call.parameters["index"], call.parameters.get("document_id") or cluster.ids.document()
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
