"""Profiles: what runs in memory now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from zlib import crc32

from msgspec import Struct

from mlconform.mock_server.opensearch_ml import tasks
from mlconform.mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mlconform.mock_server.opensearch_ml.errors import RestError, illegal_argument
from mlconform.mock_server.opensearch_ml.opensearch_core.settings import MONITORED_REQUESTS
from mlconform.mock_server.opensearch_ml.security import permissions
from mlconform.mock_server.opensearch_ml.security.roles import ACTIONS
from mlconform.mock_server.opensearch_ml.store import JsonObject, Model, TaskState

_MILLISECONDS = 5.0
# As recorded: what a node takes a model to need, by the size of its file.
_MEMORY_A_BYTE = 1.2
_PREDICTORS = {
    "BATCH_RCF": "rcf.BatchRandomCutForest",
    "KMEANS": "clustering.KMeans",
    "LINEAR_REGRESSION": "regression.LinearRegression",
    "LOGISTIC_REGRESSION": "regression.LogisticRegression",
    "REMOTE": "remote.RemoteModel",
    "SPARSE_TOKENIZE": "tokenize.SparseTokenizerModel",
}


class _Wanted(Struct, frozen=True):
    """What a profile shows; no nodes are all nodes."""

    model_ids: frozenset[str] = frozenset()
    task_ids: frozenset[str] = frozenset()
    node_ids: frozenset[str] = frozenset()
    all_models: bool = False
    all_tasks: bool = False


def profile(call: Call) -> Answer:
    """GET profile: models in memory and tasks under way, by node, as far as the body asks for them."""
    return _answer(call, _Wanted(all_models=True, all_tasks=True))


def profile_models(call: Call) -> Answer:
    """GET profile/models and profile/models/{model_id}: models in memory, by node."""
    ids = _ids(call, "model_id")
    return _answer(call, _Wanted(model_ids=ids, all_models=not ids))


def profile_tasks(call: Call) -> Answer:
    """GET profile/tasks and profile/tasks/{task_id}: tasks that are not done, by node."""
    ids = _ids(call, "task_id")
    return _answer(call, _Wanted(task_ids=ids, all_tasks=not ids))


def _ids(call: Call, name: str) -> frozenset[str]:
    return frozenset(call.parameters[name].split(",")) if name in call.parameters else frozenset()


def _answer(call: Call, wanted: _Wanted) -> Answer:
    """The profile that the body asks for, or else the path."""
    _require_permission(call)
    if not call.document.empty:
        for name in call.parameters:
            # A body leaves the path unread, and a node refuses what nobody reads.
            path = f"/_plugins/_ml/profile/{name.removesuffix('_id')}s/{call.parameters[name]}"
            raise illegal_argument(f"request [{path}] contains unrecognized parameter: [{name}]")
        wanted = _read(call)
    found: dict[str, JsonObject] = {}
    _add_tasks(call.cluster, found, wanted)
    _add_models(call.cluster, found, wanted)
    nodes = {node: part for node, part in found.items() if not wanted.node_ids or node in wanted.node_ids}
    view = call.query.get("view", "node")
    if not nodes or view not in ("node", "model"):
        return Answer({})
    return Answer({"nodes": nodes} if view == "node" else {"models": _by_model(nodes)})


def _require_permission(call: Call) -> None:
    """Raises ApiError 403, or what a node makes of it where it has models to tell of."""
    action, rules = f"{ACTIONS}/profile/nodes", call.cluster.rules
    if not rules.refused_profile_fails:
        permissions.require(call, action)
    elif call.cluster.store.models.exists and not permissions.may(call, action):
        raise RestError(
            500, "Failed to get ML node level profile", exception=permissions.refusal(call, action)
        )


def _read(call: Call) -> _Wanted:
    fields, unless_told = call.fields(), call.cluster.rules.profile_body_means_all
    models, tasks_ = fields.flag("return_all_models"), fields.flag("return_all_tasks")
    return _Wanted(
        model_ids=frozenset(fields.texts("model_ids") or ()),
        task_ids=frozenset(fields.texts("task_ids") or ()),
        node_ids=frozenset(fields.texts("node_ids") or ()),
        all_models=(unless_told and not fields.get("model_ids")) if models is None else models,
        all_tasks=(unless_told and not fields.get("task_ids")) if tasks_ is None else tasks_,
    )


def _add_models(cluster: Cluster, nodes: dict[str, JsonObject], wanted: _Wanted) -> None:
    for model in _held(cluster):
        if not (wanted.all_models or model.id in wanted.model_ids):
            continue
        is_known = model.memory_nodes or model.is_kept_as_failed
        for node in cluster.node_ids if is_known else _asked(cluster, model):
            models = nodes.setdefault(node, {}).setdefault("models", {})
            models[model.id] = _model(cluster, model, node)


def _held(cluster: Cluster) -> Iterator[Model]:
    """What nodes have in memory, remember of a failed deploy, or were asked for; of deleted models too."""
    for _, model in cluster.store.models:
        if model.in_memory or model.is_kept_as_failed or model.asked_at:
            yield model
    yield from cluster.lifecycle.remnants.models.values()
    yield from cluster.lifecycle.remnants.asked.values()


def _asked(cluster: Cluster, model: Model) -> Mapping[str, int]:
    """How many of the predict calls that came to it each node without the model shows."""
    most = cluster.settings.number(MONITORED_REQUESTS)
    asked = cluster.lifecycle.sync_up.asked(model)
    return {node: min(count, most) for node, count in asked.items() if most}


def _model(cluster: Cluster, model: Model, node: str) -> JsonObject:
    """A model as a node knows it; the others know only where it is."""
    targets = list(model.planned_nodes or ())
    if model.is_kept_as_failed:
        return {"model_state": "DEPLOYING", "target_worker_nodes": targets}
    workers = list(model.memory_nodes)
    if node not in workers:
        known: JsonObject = {"worker_nodes": workers} if workers else {}
        asked = _asked(cluster, model).get(node)
        return known | {"predict_request_stats": _times(asked)} if asked else known
    shown: JsonObject = {
        "model_state": "DEPLOYED",
        "predictor": f"{_predictor(model)}@{crc32(model.id.encode()):x}",
        "target_worker_nodes": targets,
        "worker_nodes": workers,
    }
    if model.id in cluster.lifecycle.remnants.models and cluster.lifecycle.sync_up.is_forgotten(model):
        del shown["worker_nodes"]
    if node == (cluster.local_node_id if cluster.local_node_id in workers else workers[0]):
        monitored = cluster.settings.number(MONITORED_REQUESTS)
        counts = {"model_inference_stats": model.inferences, "predict_request_stats": model.requests}
        shown |= {name: _times(min(count, monitored)) for name, count in counts.items() if count * monitored}
    if model.file is not None and model.file.size is not None:
        estimated = int(model.file.size * _MEMORY_A_BYTE)
        shown |= dict.fromkeys(("memory_size_estimation_cpu", "memory_size_estimation_gpu"), estimated)
    return shown


def _times(count: int) -> JsonObject:
    """The times that so many requests took, in milliseconds: made up, for in the mock nothing takes time."""
    return {
        "count": count,
        **dict.fromkeys(("max", "min", "average", "p50", "p90", "p99"), _MILLISECONDS),
    }


def _predictor(model: Model) -> str:
    package = "org.opensearch.ml.engine.algorithms"
    if model.algorithm in _PREDICTORS:
        return f"{package}.{_PREDICTORS[model.algorithm]}"
    words = model.algorithm.lower().split("_")
    name = "".join(word.capitalize() for word in words)
    return f"{package}.{'_'.join(words)}.{name}Model"


def _add_tasks(cluster: Cluster, nodes: dict[str, JsonObject], wanted: _Wanted) -> None:
    for task_id, task in cluster.store.tasks:
        named = task_id in wanted.task_ids or task.model_id in wanted.model_ids
        if task.state not in (TaskState.CREATED, TaskState.RUNNING) or not (wanted.all_tasks or named):
            continue
        for node in task.nodes:
            shown = nodes.setdefault(node, {}).setdefault("tasks", {})
            shown[task_id] = {"task_id": task_id, **tasks.view(task)}


def _by_model(nodes: dict[str, JsonObject]) -> JsonObject:
    """The same, by model: where it is, how each node knows it, and its tasks."""
    found: dict[str, JsonObject] = {}
    for node, part in nodes.items():
        for model_id, model in part.get("models", {}).items():
            shown = found.setdefault(model_id, {})
            for name in ("target_worker_nodes", "worker_nodes"):
                if name in model:
                    shown.setdefault(name, model[name])
            rest = {name: value for name, value in model.items() if not name.endswith("worker_nodes")}
            shown.setdefault("nodes", {})[node] = rest
        for task_id, task in part.get("tasks", {}).items():
            found.setdefault(str(task.get("model_id")), {}).setdefault("tasks", {})[task_id] = task
    return found
