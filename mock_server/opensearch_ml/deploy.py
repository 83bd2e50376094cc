"""Deploy and undeploy."""

from __future__ import annotations

from mlconform.mock_server.opensearch_ml import conflicts
from mlconform.mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mlconform.mock_server.opensearch_ml.errors import ApiError, illegal_argument, status_error
from mlconform.mock_server.opensearch_ml.models import find
from mlconform.mock_server.opensearch_ml.opensearch_core.settings import CUSTOM_PLAN
from mlconform.mock_server.opensearch_ml.registration import require_function_allowed
from mlconform.mock_server.opensearch_ml.security import access
from mlconform.mock_server.opensearch_ml.store import Model


def deploy(call: Call) -> Answer:
    """POST models/{model_id}/_deploy: answered at once, done a little later."""
    cluster = call.cluster
    node_ids = call.fields().texts("node_ids")
    model = find(cluster, call.parameters["model_id"])
    access.require_model(call, model)
    require_function_allowed(model.algorithm, cluster)
    if not cluster.eligible(model):
        raise illegal_argument("no eligible node found")
    targets = _custom_plan(cluster, model, node_ids) if node_ids else None
    cluster.let_others_in()
    if model.id not in cluster.store.models:
        raise conflicts.gone(cluster.store.models, model.id, cluster.rules)
    # The example of 2.19 leaves the type out; every recorded answer of 2.19 has it, as the pages of 3.4 do.
    answer = {"task_id": cluster.lifecycle.deploy(model, targets), "task_type": "DEPLOY_MODEL"}
    cluster.monitor.count(model, "deploy", targets or cluster.eligible(model))
    rules, is_remote = cluster.rules, model.algorithm == "REMOTE"
    return Answer(answer | {"status": rules.remote_deploy_status if is_remote else rules.deploy_status})


def _custom_plan(cluster: Cluster, model: Model, node_ids: list[str]) -> tuple[str, ...]:
    _require_custom_plan_allowed(cluster)
    left_out = [node for node in model.memory_nodes if node not in node_ids]
    if left_out:
        raise illegal_argument(
            f"Model already deployed to these nodes: [{', '.join(left_out)}], but they are not included in "
            "target node ids. Undeploy model from these nodes if don't need them any more."
            "Undeploy from old nodes before try to deploy model on new nodes. "
            "Or include all old nodes on your target nodes."
        )
    may = cluster.eligible(model)
    targets = tuple(dict.fromkeys(node for node in node_ids if node in may))
    if not targets:
        raise illegal_argument("no eligible node found")
    return targets


def _require_custom_plan_allowed(cluster: Cluster) -> None:
    if cluster.rules.custom_plan_needs_setting and not cluster.settings.on(CUSTOM_PLAN):
        raise illegal_argument("Don't allow custom deployment plan")


def undeploy(call: Call) -> Answer:
    """POST models/{model_id}/_undeploy and POST models/_undeploy: ids in the body win."""
    cluster, fields = call.cluster, call.fields()
    node_ids, model_ids = fields.texts("node_ids"), fields.texts("model_ids")
    if not model_ids and "model_id" in call.parameters:
        model_ids = [call.parameters["model_id"]]
    if not model_ids:
        raise illegal_argument("Must set specific model ids to undeploy")
    if node_ids:
        _require_custom_plan_allowed(cluster)
    access.require_undeploy(call, model_ids)
    unique = list(dict.fromkeys(model_ids))
    _require_ids(cluster, model_ids)
    targets = tuple(node for node in cluster.node_ids if not node_ids or node in node_ids)
    stats: dict[str, dict[str, str]] = {node: {} for node in targets}
    models = [model for model_id in unique if (model := cluster.store.models.get(model_id)) is not None]
    cluster.let_others_in()
    found = {name: cluster.lifecycle.remnants.undeploy(name, targets) for name in unique}
    found |= {model.id: cluster.lifecycle.undeploy(model, targets) for model in models}
    for model in models:
        _note(cluster, model, found[model.id])
    if cluster.rules.undeploy_marks_what_it_missed and not any(found.values()):
        for model in models:
            if not model.in_memory or cluster.rules.undeploy_marks_what_others_have:
                cluster.lifecycle.mark_undeployed(model)
    for model_id in unique:
        for node in targets:
            was_there = node in found.get(model_id, ())
            stats[node][model_id] = cluster.rules.undeployed_value if was_there else "not_found"
    return Answer({node: {"stats": values} for node, values in stats.items()})


def _note(cluster: Cluster, model: Model, node_ids: tuple[str, ...]) -> None:
    """These nodes have let go of a model; with the last of them goes what was counted of its calls."""
    cluster.monitor.count(model, "undeploy", node_ids)
    if not model.in_memory:
        cluster.throttle.forget(model.id)


def _require_ids(cluster: Cluster, model_ids: list[str]) -> None:
    if len(model_ids) == 1 and model_ids[0] not in cluster.store.models:
        raise _unknown(cluster, model_ids[0])
    if not all(model_ids):
        raise _no_id_of_several(cluster)


def _no_id_of_several(cluster: Cluster) -> ApiError:
    """Several models are searched for, and a search takes no empty id."""
    index, empty = (
        cluster.store.models.name,
        {"type": "illegal_argument_exception", "reason": "Ids can't be empty"},
    )
    failure = {
        "type": "query_shard_exception",
        "reason": "failed to create query: Ids can't be empty",
        "index": index,
        "index_uuid": cluster.store.models.uuid,
    }
    shard = {"shard": 0, "index": index, "node": cluster.local_node_id}
    cause = {
        "type": "search_phase_execution_exception",
        "reason": "all shards failed",
        "phase": "query",
        "grouped": True,
        "failed_shards": [{**shard, "reason": {**failure, "caused_by": empty}}],
    }
    reason = f"Failed to search indices [{index}]"
    status = cluster.rules.blank_id_undeploy_status
    return ApiError(status, "status_exception", reason, caused_by=cause, root=failure)


def _unknown(cluster: Cluster, model_id: str) -> ApiError:
    if model_id.strip():
        return status_error(404, "Failed to find model")
    cause = {"type": "action_request_validation_exception", "reason": "Validation Failed: 1: id is missing;"}
    reason = "Failed to get data object from index .plugins-ml-model"
    return ApiError(cluster.rules.blank_id_undeploy_status, "status_exception", reason, caused_by=cause)
