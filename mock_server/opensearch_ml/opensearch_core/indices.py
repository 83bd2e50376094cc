"""Indices of documents: as much of them as the stop words of guardrails need.

Names, refusals and shapes are those of a 2.19.0 node; settings and mappings are not looked at.
"""

from __future__ import annotations

import fnmatch

from msgspec.structs import replace

from mlconform.mock_server.opensearch_ml.bodies.document import Document
from mlconform.mock_server.opensearch_ml.bodies.fields import flag_of
from mlconform.mock_server.opensearch_ml.cluster import Answer, Call
from mlconform.mock_server.opensearch_ml.errors import ApiError, illegal_argument, not_x_content, parse_error
from mlconform.mock_server.opensearch_ml.search.mappings import MAPPINGS
from mlconform.mock_server.opensearch_ml.search.operation import answer_search
from mlconform.mock_server.opensearch_ml.store import Index, JsonObject
from mlconform.mock_server.opensearch_ml.unmocked import PIPELINES, not_mocked

_FORBIDDEN = frozenset(' "*\\<|,>/?')
_FORBIDDEN_TOLD = '[ , ", *, \\, <, |, ,, >, /, ?]'
SYSTEM_INDICES = (*MAPPINGS, ".plugins-ml-config", ".opendistro_security")
"""The indices that plugins keep to themselves where a cluster is secured."""

_CREATED_WITH = ("aliases", "mappings", "settings")
_PIPELINES = ("default_pipeline", "final_pipeline")


def create(call: Call) -> Answer:
    """PUT /{index}."""
    name, indices = call.parameters["index"], call.cluster.store.indices
    _check_body(call)
    _check_name(name)
    if name in indices:
        uuid = indices[name].uuid
        raise ApiError(
            400,
            "resource_already_exists_exception",
            f"index [{name}/{uuid}] already exists",
            {"index": name, "index_uuid": uuid},
        )
    call.cluster.store.new_index(name)
    return Answer({"acknowledged": True, "shards_acknowledged": True, "index": name})


def _check_body(call: Call) -> None:
    if call.document.missing:
        return
    for member, value in call.map().items():
        if member not in _CREATED_WITH:
            raise parse_error(f"unknown key [{member}] for create index")
        if not isinstance(value, dict):
            raise parse_error(f"key [{member}] must be an object")
    if _has_pipeline(call.map().get("settings") or {}):
        raise not_mocked(PIPELINES)


def _has_pipeline(settings: JsonObject) -> bool:
    """Whether the settings of an index, nested or not, name a pipeline that every document goes through."""
    index = settings.get("index")
    nested = index if isinstance(index, dict) else {}
    names = {*settings, *nested}
    return not names.isdisjoint(name for kind in _PIPELINES for name in (kind, f"index.{kind}"))


def get(call: Call) -> Answer:
    """GET and HEAD /{index}."""
    return Answer(
        {
            index.name: {
                "aliases": {},
                "mappings": {},
                "settings": {
                    "index": {
                        "number_of_shards": "1",
                        "number_of_replicas": str(index.copies - 1),
                        "provided_name": index.name,
                        "uuid": index.uuid,
                    }
                },
            }
            for index in _wanted(call)
        }
    )


def delete(call: Call) -> Answer:
    """DELETE /{index}."""
    for index in _wanted(call):
        del call.cluster.store.indices[index.name]
    return Answer({"acknowledged": True})


def refresh(call: Call) -> Answer:
    """GET and POST /{index}/_refresh."""
    found = _wanted(call)
    shards = sum(index.shards for index in found)
    return Answer(
        {"_shards": {"total": sum(index.copies for index in found), "successful": shards, "failed": 0}}
    )


def search(call: Call) -> Answer:
    """GET and POST /{index}/_search: system indices show nothing, as on a secured cluster."""
    name = call.parameters["index"]
    found = (
        Index[JsonObject](name, 1, made=True)
        if name in SYSTEM_INDICES
        else call.cluster.store.indices.get(name)
    )
    if found is None:
        raise _not_found(name, "index_or_alias")
    if call.document.missing:
        call = replace(call, document=Document("{}", {}))
    return answer_search(call, found, lambda _key, document: document)


def _wanted(call: Call) -> list[Index[JsonObject]]:
    """The indices that a name, a list of names or a pattern means; a pattern may mean none."""
    found: dict[str, Index[JsonObject]] = {}
    lenient = flag_of(call.query.get("ignore_unavailable", "false") or "true")
    for name in call.parameters["index"].split(","):
        if name.startswith("_") and name != "_all":
            raise invalid_name(name, "must not start with '_'.")
        pattern = "*" if name == "_all" else name
        matched = {
            known: index
            for known, index in call.cluster.store.indices.items()
            if known == name or ("*" in pattern and fnmatch.fnmatchcase(known, pattern))
        }
        if not matched and "*" not in pattern and not lenient:
            raise _not_found(name, "index_or_alias")
        found.update(matched)
    return list(found.values())


def _not_found(name: str, kind: str) -> ApiError:
    place = {"resource.type": kind, "resource.id": name, "index_uuid": "_na_", "index": name}
    return ApiError(404, "index_not_found_exception", f"no such index [{name}]", place)


def invalid_name(name: str, rule: str) -> ApiError:
    """The refusal of a name that no index can have."""
    place = {"index": name, "index_uuid": "_na_"}
    return ApiError(400, "invalid_index_name_exception", f"Invalid index name [{name}], {rule}", place)


def _check_name(name: str) -> None:
    if name in MAPPINGS:
        raise illegal_argument(
            f"index [{name}] is a system index: the mock keeps it, and clients may not write to it"
        )
    if _FORBIDDEN & set(name):
        raise invalid_name(name, f"must not contain the following characters {_FORBIDDEN_TOLD}")
    for character in "#:":
        if character in name:
            raise invalid_name(name, f"must not contain '{character}'")
    if name.startswith(("_", "-", "+")):
        raise invalid_name(name, "must not start with '_', '-', or '+'")
    if name != name.lower():
        raise invalid_name(name, "must be lowercase")


def put_document(call: Call) -> Answer:
    """POST /{index}/_doc and PUT or POST /{index}/_doc/{document_id}; makes the index where there is none."""
    return _put(call, call.parameters.get("document_id") or call.cluster.ids.document())


def create_document(call: Call) -> Answer:
    """PUT or POST /{index}/_create/{document_id}: a document that must not be there yet."""
    name, key = call.parameters["index"], call.parameters["document_id"]
    index = call.cluster.store.indices.get(name)
    if index is not None and key in index:
        version, _ = index.standing(key)
        reason = f"[{key}]: version conflict, document already exists (current version [{version}])"
        place = {"index": name, "shard": "0", "index_uuid": index.uuid}
        raise ApiError(409, "version_conflict_engine_exception", reason, place)
    return _put(call, key)


def _put(call: Call, key: str) -> Answer:
    name, document = call.parameters["index"], call.document
    if document.empty:
        raise parse_error("request body is required")
    if call.query.get("pipeline", "_none") != "_none":
        raise not_mocked(PIPELINES)
    refreshed = _refreshes(call)
    if not document.is_object:
        unread = not_x_content()
        cause = {"type": unread.type, "reason": unread.reason}
        raise ApiError(400, "mapper_parsing_exception", "failed to parse", caused_by=cause)
    _check_name(name)
    index = call.cluster.store.new_index(name)
    existed = key in index
    write = index.put(key, document.value, forced_refresh=refreshed)
    return Answer(write.answer(), 200 if existed else 201)


def _refreshes(call: Call) -> bool:
    wanted = call.query.get("refresh", "false")
    if wanted not in ("", "true", "false", "wait_for"):
        raise illegal_argument(f"Unknown value for refresh: [{wanted}].")
    return wanted in ("", "true")


def _index_of_document(call: Call) -> Index[JsonObject]:
    name = call.parameters["index"]
    index = call.cluster.store.indices.get(name)
    if index is None:
        raise _not_found(name, "index_expression")
    return index


def get_document(call: Call) -> Answer:
    """GET and HEAD /{index}/_doc/{document_id}."""
    index, key = _index_of_document(call), call.parameters["document_id"]
    document = index.get(key)
    if document is None:
        return Answer({"_index": index.name, "_id": key, "found": False}, 404)
    version, seq_no = index.standing(key)
    standing = {"_version": version, "_seq_no": seq_no, "_primary_term": 1}
    source = {} if call.query.get("_source") == "false" else {"_source": document}
    return Answer({"_index": index.name, "_id": key, **standing, "found": True, **source})


def delete_document(call: Call) -> Answer:
    """DELETE /{index}/_doc/{document_id}."""
    index, key = _index_of_document(call), call.parameters["document_id"]
    existed = key in index
    write = index.delete(key, forced_refresh=_refreshes(call))
    return Answer(write.answer(), 200 if existed else 404)
