"""Profile and stats: what runs in memory now."""

from __future__ import annotations

from zlib import crc32

from mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mock_server.opensearch_ml.errors import illegal_argument
from mock_server.opensearch_ml.store import JsonObject, Model, TaskState

STATS = ("ml_executing_task_count", "ml_deployed_model_count")


def profile(call: Call) -> Answer:
    """GET profile: models in memory and tasks under way, by node, as far as the body asks for them."""
    fields = call.fields()
    nodes = _wanted(fields.texts("node_ids"))
    found: dict[str, JsonObject] = {}
    model_ids, task_ids = _wanted(fields.texts("model_ids")), _wanted(fields.texts("task_ids"))
    if fields.flag("return_all_models") is not False or model_ids:
        _add_models(call.cluster, found, model_ids)
    if fields.flag("return_all_tasks") is not False or task_ids:
        _add_tasks(call.cluster, found, task_ids)
    shown = {node: values for node, values in found.items() if not nodes or node in nodes}
    return Answer({"nodes": shown} if shown else {})


def profile_models(call: Call) -> Answer:
    """GET profile/models and profile/models/{model_ids}: models in memory, by node."""
    nodes: dict[str, JsonObject] = {}
    _add_models(call.cluster, nodes, _ids(call, "model_ids"))
    return Answer({"nodes": nodes} if nodes else {})


def profile_tasks(call: Call) -> Answer:
    """GET profile/tasks and profile/tasks/{task_ids}: tasks that are not done, by node."""
    nodes: dict[str, JsonObject] = {}
    _add_tasks(call.cluster, nodes, _ids(call, "task_ids"))
    return Answer({"nodes": nodes} if nodes else {})


def _ids(call: Call, name: str) -> frozenset[str]:
    return frozenset(call.parameters[name].split(",")) if name in call.parameters else frozenset()


def _wanted(ids: list[str] | None) -> frozenset[str]:
    return frozenset(ids or ())


def _add_models(cluster: Cluster, nodes: dict[str, JsonObject], wanted: frozenset[str]) -> None:
    for model_id, model in cluster.store.models:
        if wanted and model_id not in wanted:
            continue
        for node in model.memory_nodes:
            models = nodes.setdefault(node, {}).setdefault("models", {})
            models[model_id] = {
                "model_state": "DEPLOYED",
                "predictor": f"{_predictor(model)}@{crc32(model_id.encode()):x}",
                "target_worker_nodes": list(model.planned_nodes or ()),
                "worker_nodes": list(model.memory_nodes),
            }


def _predictor(model: Model) -> str:
    if model.algorithm == "REMOTE":
        return "org.opensearch.ml.engine.algorithms.remote.RemoteModel"
    words = model.algorithm.lower().split("_")
    name = "".join(word.capitalize() for word in words)
    return f"org.opensearch.ml.engine.algorithms.{'_'.join(words)}.{name}Model"


def _add_tasks(cluster: Cluster, nodes: dict[str, JsonObject], wanted: frozenset[str]) -> None:
    for task_id, task in cluster.store.tasks:
        if (wanted and task_id not in wanted) or task.state not in (TaskState.CREATED, TaskState.RUNNING):
            continue
        for node in task.nodes:
            tasks = nodes.setdefault(node, {}).setdefault("tasks", {})
            tasks[task_id] = {
                "task_type": task.type,
                "function_name": task.function,
                "state": str(task.state),
            }


def stats(call: Call) -> Answer:
    """GET stats, with a node before it and a stat after it: numbers by node."""
    wanted = call.parameters.get("stat")
    if wanted is not None and wanted not in STATS:
        raise illegal_argument(
            f"request [/_plugins/_ml/stats/{wanted}] contains unrecognized stat: [{wanted}], "
            f"expected one of {list(STATS)}"
        )
    node_id = call.parameters.get("node_id")
    nodes = [node for node in call.cluster.node_ids if node_id is None or node in node_id.split(",")]
    return Answer({node: _numbers(call, node, wanted) for node in nodes})


def _numbers(call: Call, node: str, wanted: str | None) -> JsonObject:
    store = call.cluster.store
    running = sum(task.state is TaskState.RUNNING and node in task.nodes for _, task in store.tasks)
    deployed = sum(node in model.memory_nodes for _, model in store.models)
    numbers = dict(zip(STATS, (running, deployed), strict=True))
    return {name: number for name, number in numbers.items() if wanted in (None, name)}
