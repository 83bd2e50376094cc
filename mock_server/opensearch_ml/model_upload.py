"""Models that a client uploads itself: first what they are, then their file, chunk by chunk.

No page of the contract names these operations, but clients use them; what they answer is recorded
(`local_upload`, `local_upload_rejects`).
"""

from __future__ import annotations

import re

from mlconform.mock_server.opensearch_ml import model_groups
from mlconform.mock_server.opensearch_ml.bodies.fields import Fields
from mlconform.mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mlconform.mock_server.opensearch_ml.errors import ApiError, illegal_argument, node_error
from mlconform.mock_server.opensearch_ml.loading import chunk_of
from mlconform.mock_server.opensearch_ml.model_files import LARGEST_CHUNK
from mlconform.mock_server.opensearch_ml.opensearch_core.settings import VIA_FILE
from mlconform.mock_server.opensearch_ml.registration import (
    MODEL_FORMATS,
    NEED_NO_CONFIG,
    group_of,
    read_members,
)
from mlconform.mock_server.opensearch_ml.security import access
from mlconform.mock_server.opensearch_ml.store import LocalFile, Model, ModelState

_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")
_REQUIRED = {
    "model_format": "model format",
    "model_content_hash_value": "model content hash value",
    "model_config": "model config",
    "total_chunks": "total chunks field",
}


def read_meta(call: Call) -> tuple[Fields, Model]:
    """The model that is announced. Raises ApiError where files may not be uploaded, or it is none."""
    _require_allowed(call.cluster, ending="")
    if call.document.empty:
        raise node_error("i_o_exception", "Model meta request has empty body")
    fields = call.fields()
    model = read_members(fields, call.cluster)
    model.file = _read_file(fields, model, complete=call.cluster.rules.meta_is_complete)
    model.is_announced = True
    return fields, model


def register_meta(call: Call) -> Answer:
    """POST models/_register_meta: a version without its file, which is REGISTERING until the last chunk."""
    cluster = call.cluster
    fields, model = read_meta(call)
    if cluster.rules.registering_shows:
        model.state = ModelState.REGISTERING
    model.is_enabled, model.guardrails = fields.flag("is_enabled"), None
    model.group_id = _group_of(call, fields, model)
    cluster.monitor.count(model, "register")
    now = cluster.now_ms()
    model.version = model_groups.next_version(cluster, model.group_id, now)
    model.created = model.updated = now
    cluster.store.models.put(model.id, model)
    return Answer({"model_id": model.id, "status": "CREATED"})


def _group_of(call: Call, fields: Fields, model: Model) -> str:
    named = fields.text("model_group_id")
    if named and named not in call.cluster.store.groups:
        raise node_error("m_l_resource_not_found_exception", "Fail to find model group")
    return group_of(call, fields, model)


def _read_file(fields: Fields, model: Model, *, complete: bool) -> LocalFile:
    for name, told in _REQUIRED.items():
        unneeded = name == "model_config" and model.algorithm in NEED_NO_CONFIG
        if name not in fields and not unneeded and complete:
            raise illegal_argument(f"{told} is null")
    if fields.text("model_format") not in (*MODEL_FORMATS, *(() if complete else (None,))):
        raise illegal_argument("Wrong model format")
    return LocalFile(
        format=fields.text("model_format") or "",
        content_hash=fields.text("model_content_hash_value") or "",
        size=fields.whole("model_content_size_in_bytes"),
        chunks=fields.strict_integer("total_chunks") or 0,
    )


def read_number(call: Call) -> int:
    """Which chunk comes. Raises ApiError where files may not be uploaded, or it is no number."""
    _require_allowed(call.cluster, ending=".")
    number = call.parameters["chunk"]
    if not _INTEGER.fullmatch(number):
        raise ApiError(400, "number_format_exception", f'For input string: "{number}"')
    return int(number)


def upload_chunk(call: Call) -> Answer:
    """POST models/{model_id}/upload_chunk/{chunk}: the bytes themselves."""
    cluster, number = call.cluster, read_number(call)
    model = cluster.store.models.get(call.parameters["model_id"])
    if model is None:
        raise node_error("m_l_resource_not_found_exception", "Failed to find model")
    if model.group_id is not None:
        access.require_new_version(call, model.group_id)
    file = model.file
    chunks = (0 if file is None else file.chunks) or 0
    if file is None or number >= chunks:
        raise node_error("exception", "Chunk number exceeds total chunks")
    content = call.document.value or b""
    if not content:
        raise node_error("exception", "Chunk size either 0 or null")
    if len(content) > LARGEST_CHUNK:
        raise node_error("exception", "Chunk size exceeds 10MB")
    chunk = chunk_of(model, file, number, content)
    if not cluster.rules.chunks_are_kept:
        is_kept = not cluster.store.chunks.where("model_id", model.id)
    else:
        is_kept = cluster.rules.later_chunk_replaces or chunk.id not in cluster.store.chunks
    if is_kept:
        cluster.store.chunks.put(chunk.id, chunk)
    if number + 1 == chunks:
        _rewrite(cluster, model)
    return Answer({"status": "Uploaded"})


def _rewrite(cluster: Cluster, model: Model) -> None:
    """As on a node, the last chunk makes the model whole, whatever came before.

    The document is written anew with what says what the file is; what else was told is lost, and so is what
    the document said of nodes that have the model in memory.
    """
    cluster.lifecycle.finish(model)
    whole = Model(
        id=model.id,
        name=model.name,
        algorithm=model.algorithm,
        version=model.version,
        state=ModelState.REGISTERED,
        created=model.created,
        group_id=model.group_id,
        model_config=model.model_config,
        file=model.file,
        is_announced=True,
        tokenizer=model.tokenizer,
        unlisted_nodes=model.memory_nodes,
        last_used=model.last_used,
        requests=model.requests,
        inferences=model.inferences,
        asked_at=model.asked_at,
        last_asked=model.last_asked,
    )
    cluster.store.models.put(model.id, whole)


def _require_allowed(cluster: Cluster, *, ending: str) -> None:
    if cluster.rules.via_file_needs_setting and not cluster.settings.on(VIA_FILE):
        raise illegal_argument(
            "To upload custom model from local file, user needs to enable "
            "allow_registering_model_via_local_file settings. Otherwise please use opensearch pre-trained "
            f"models{ending}"
        )
