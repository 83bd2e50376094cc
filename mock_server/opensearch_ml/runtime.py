"""Profile and stats: what runs in memory now."""

from __future__ import annotations

from zlib import crc32

from mock_server.opensearch_ml.cluster import Answer, Call
from mock_server.opensearch_ml.errors import illegal_argument
from mock_server.opensearch_ml.store import JsonObject, TaskState

STATS = ("ml_executing_task_count", "ml_deployed_model_count")


def profile(call: Call) -> Answer:
    """GET profile, profile/models and profile/models/{model_ids}: models in memory, by node."""
    wanted = call.parameters.get("model_ids")
    nodes: dict[str, JsonObject] = {}
    for model_id, model in call.cluster.store.models:
        if wanted is not None and model_id not in wanted.split(","):
            continue
        predictor = f"org.opensearch.ml.engine.algorithms.remote.RemoteModel@{crc32(model_id.encode()):x}"
        for node in model.memory_nodes:
            models = nodes.setdefault(node, {"models": {}})["models"]
            models[model_id] = {
                "model_state": "DEPLOYED",
                "predictor": predictor,
                "target_worker_nodes": list(model.planned_nodes or ()),
                "worker_nodes": list(model.memory_nodes),
            }
    return Answer({"nodes": nodes} if nodes else {})


def profile_tasks(call: Call) -> Answer:
    """GET profile/tasks and profile/tasks/{task_ids}: tasks that are not done, by node."""
    wanted = call.parameters.get("task_ids")
    nodes: dict[str, JsonObject] = {}
    for task_id, task in call.cluster.store.tasks:
        if wanted is not None and task_id not in wanted.split(","):
            continue
        if task.state in (TaskState.CREATED, TaskState.RUNNING):
            for node in task.nodes:
                nodes.setdefault(node, {"tasks": {}})["tasks"][task_id] = {
                    "task_type": task.type,
                    "function_name": task.function,
                    "state": str(task.state),
                }
    return Answer({"nodes": nodes} if nodes else {})


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
