"""Models: get, delete, search."""

from __future__ import annotations

from mlconform.mock_server.opensearch_ml import connectors
from mlconform.mock_server.opensearch_ml.bodies.fields import flag_of
from mlconform.mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mlconform.mock_server.opensearch_ml.downstream import refuse_while_in_use
from mlconform.mock_server.opensearch_ml.errors import status_error
from mlconform.mock_server.opensearch_ml.model_files import Chunk
from mlconform.mock_server.opensearch_ml.prediction.rate_limit import view_rate_limiter
from mlconform.mock_server.opensearch_ml.search.operation import answer_search
from mlconform.mock_server.opensearch_ml.security import access
from mlconform.mock_server.opensearch_ml.store import JsonObject, Model, ModelState

_STATES_KEPT = frozenset({ModelState.DEPLOYING, ModelState.DEPLOYED, ModelState.PARTIALLY_DEPLOYED})


def find(cluster: Cluster, model_id: str, reason: str = "Failed to find model") -> Model:
    """The model with this id. Raises ApiError 404 with the reason given."""
    model = cluster.store.models.get(model_id)
    if model is None:
        raise status_error(404, reason)
    return model


def get(call: Call) -> Answer:
    """GET models/{model_id}; the chunks of its file are documents too, whose content is never shown."""
    if "return_content" in call.query:
        flag_of(call.query["return_content"] or "true")
    model_id = call.parameters["model_id"]
    chunk = call.cluster.store.chunks.get(model_id)
    of_chunk = None if chunk is None else call.cluster.store.models.get(chunk.model_id)
    if chunk is not None and of_chunk is not None:
        access.require_model(call, of_chunk)
        return Answer(_view_chunk(chunk) | {"is_hidden": False})
    model = find(call.cluster, model_id, f"Failed to find model with the provided model id: {model_id}")
    access.require_model(call, model)
    call.cluster.lifecycle.read(model)
    shown = view(model)
    if not call.cluster.rules.worker_counts_are_true and "current_worker_node_count" in shown:
        shown["current_worker_node_count"] += 1
    if not call.cluster.rules.models_tell_their_group:
        shown.pop("model_group_id", None)
    if model.algorithm == "REMOTE":
        shown["algorithm"] = call.cluster.rules.remote_models_show
    return Answer(shown)


def delete(call: Call) -> Answer:
    """DELETE models/{model_id}: refused while deployed and, with safe delete on, while something uses it."""
    cluster, model_id = call.cluster, call.parameters["model_id"]
    model = find(cluster, model_id)
    access.require_model(call, model)
    is_deploying = model.state is ModelState.DEPLOYING and not cluster.rules.deploying_model_is_kept
    if cluster.rules.deployed_model_is_kept and model.state in _STATES_KEPT and not is_deploying:
        raise status_error(
            400,
            "Model cannot be deleted in deploying or deployed state. Try undeploy model first then delete",
        )
    refuse_while_in_use(cluster, model_id)
    cluster.let_others_in()
    if cluster.rules.delete_removes:
        answer = cluster.store.models.delete(model_id).answer()
        cluster.lifecycle.forget(model)
        for chunk in cluster.store.chunks.where("model_id", model_id):
            cluster.store.chunks.delete(chunk)
    else:
        answer = cluster.store.models.put(model_id, model).answer() | {"result": "deleted"}
    if not cluster.rules.delete_tells_what_it_did:
        answer["result"] = "deleted"
    if model_id in cluster.store.controllers:
        cluster.store.controllers.delete(model_id)
    cluster.throttle.forget(model_id)
    _delete_empty_group(cluster, model.group_id)
    if not cluster.rules.delete_answers_seq_no:
        del answer["_seq_no"]
    return Answer(answer)


def _delete_empty_group(cluster: Cluster, group_id: str | None) -> None:
    if group_id is None or not cluster.rules.group_goes_with_last_version:
        return
    if group_id in cluster.store.groups and not cluster.store.models.where("group_id", group_id):
        cluster.store.groups.delete(group_id)


def find_all(call: Call) -> Answer:
    """GET or POST models/_search."""
    store = call.cluster.store

    def shows(document: Model | Chunk) -> bool:
        model = store.models.get(document.model_id) if isinstance(document, Chunk) else document
        return model is None or access.shows_model(call, model)

    return answer_search(call, store.models.with_those(store.chunks), lambda _id, one: _document(one), shows)


def _document(model: Model | Chunk) -> JsonObject:
    """A model as its index has it: what a get leaves out as empty or false is there."""
    if isinstance(model, Chunk):
        return _view_chunk(model)
    document = view(model)
    if model.planned_nodes is not None:
        document["planning_worker_nodes"] = list(model.planned_nodes)
        document["deploy_to_all_nodes"] = model.on_all_nodes
    if model.learned is not None or model.is_announced:
        del document["is_hidden"]
    return document


def _view_chunk(chunk: Chunk) -> JsonObject:
    shown: JsonObject = {
        "name": chunk.name,
        "model_group_id": chunk.group_id,
        "algorithm": chunk.algorithm,
        "model_version": chunk.version,
        "model_format": chunk.format,
        "created_time": chunk.created,
        "last_updated_time": chunk.created,
        "model_id": chunk.model_id,
        "chunk_number": chunk.number,
        "total_chunks": chunk.total,
    }
    return {name: value for name, value in shown.items() if value is not None}


def view(model: Model) -> JsonObject:
    """A model as the API shows it; what was never set is left out."""
    limiter = model.rate_limiter
    shown: JsonObject = {
        "name": model.name,
        "model_group_id": model.group_id,
        "algorithm": model.algorithm,
        "model_version": model.version,
        "model_format": None if model.file is None else model.file.format,
        "description": model.description,
        "model_state": str(model.state),
        "model_content_size_in_bytes": None if model.file is None else model.file.size,
        "model_content_hash_value": None if model.file is None else model.file.content_hash,
        "model_config": model.model_config,
        "deploy_setting": model.deploy_setting,
        "is_enabled": model.is_enabled,
        "is_controller_enabled": model.is_controller_enabled,
        "rate_limiter": None if limiter is None else view_rate_limiter(limiter),
        "created_time": model.created,
        "last_updated_time": model.updated,
        "last_registered_time": model.registered_at,
        "last_deployed_time": model.deployed_at,
        "total_chunks": None if model.file is None else model.file.chunks,
        "model_id": model.id if model.id_in_document else None,
        **_deployment(model),
        "is_hidden": False,
        "connector_id": model.connector_id,
        "connector": None if model.connector is None else connectors.view(model.connector),
        "guardrails": model.guardrails,
        "interface": model.interface,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _deployment(model: Model) -> JsonObject:
    if model.planned_nodes is None:
        return {}
    is_first = model.state is ModelState.DEPLOYING and model.deployed_at is None
    return {
        "auto_redeploy_retry_times": 0 if model.counts_redeploys else None,
        "planning_worker_node_count": len(model.planned_nodes),
        "current_worker_node_count": None if is_first else len(model.worker_nodes),
        "planning_worker_nodes": list(model.planned_nodes) or None,
        "deploy_to_all_nodes": model.on_all_nodes or None,
    }
