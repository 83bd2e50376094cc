"""Statistics: what the cluster holds and what its nodes did."""

from __future__ import annotations

from typing import Any

from mlconform.mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mlconform.mock_server.opensearch_ml.errors import illegal_argument
from mlconform.mock_server.opensearch_ml.security import permissions
from mlconform.mock_server.opensearch_ml.security.roles import ACTIONS
from mlconform.mock_server.opensearch_ml.store import Index, JsonObject, TaskState

NODE_STATS = (
    "ml_jvm_heap_usage",
    "ml_executing_task_count",
    "ml_request_count",
    "ml_failure_count",
    "ml_deployed_model_count",
    "ml_circuit_breaker_trigger_count",
)
_COUNTS = ("ml_model_count", "ml_connector_count")
_HEAP_PERCENT = 30


def stats(call: Call) -> Answer:
    """GET stats, with nodes before it and names of statistics after it, each separated by commas."""
    cluster = call.cluster
    _require_permission(call)
    named = call.parameters.get("stat")
    names = None if named is None else [name.lower() for name in named.split(",") if name]
    shown = _cluster_stats(cluster, names)
    if names is not None and not any(name in NODE_STATS for name in names):
        return Answer(shown)
    wanted = call.parameters.get("node_id")
    nodes = {
        node: _node_stats(cluster, node, names)
        for node in cluster.node_ids
        if wanted is None or node in wanted.split(",")
    }
    if cluster.rules.stats_are_by_node_alone:
        return Answer(nodes)
    return Answer(shown | {"nodes": nodes} if nodes else shown)


def _require_permission(call: Call) -> None:
    """Raises ApiError 403; counting models takes a permission on their index too."""
    cluster, named = call.cluster, call.parameters.get("stat", _COUNTS[0]).lower().split(",")
    if cluster.rules.stats_ask_for_indices and cluster.store.models.exists and _COUNTS[0] in named:
        permissions.require(call, "indices:monitor/stats", cluster.store.models.name)
    permissions.require(call, f"{ACTIONS}/stats/nodes")


def _cluster_stats(cluster: Cluster, names: list[str] | None) -> JsonObject:
    """What is asked for; the count of models brings that of connectors, as the node counts both at once."""
    known = _of_cluster(cluster)
    wanted = list(known) if names is None else [name for name in names if name not in NODE_STATS]
    if not set(wanted) <= set(known):
        raise illegal_argument("Wrong ML cluster level stat")
    if _COUNTS[0] in wanted:
        wanted += _COUNTS
    return {name: known[name] for name in wanted}


def _of_cluster(cluster: Cluster) -> JsonObject:
    store = cluster.store
    indices: dict[str, Index[Any]] = {
        "model": store.models,
        "connector": store.connectors,
        # The key that encrypts credentials is made with the first connector.
        "config": store.connectors,
        "task": store.tasks,
        "controller": store.controllers,
    }
    health = {
        f"ml_{name}_index_status": "green" if index.exists else "non-existent"
        for name, index in indices.items()
    }
    return {**health, **dict(zip(_COUNTS, (len(store.models), len(store.connectors)), strict=True))}


def _node_stats(cluster: Cluster, node: str, names: list[str] | None) -> JsonObject:
    store = cluster.store
    running = sum(task.state is TaskState.RUNNING and node in task.nodes for _, task in store.tasks)
    held = [*(model for _, model in store.models), *cluster.lifecycle.remnants.models.values()]
    deployed = sum(node in model.memory_nodes for model in held)
    numbers = (_HEAP_PERCENT, running, cluster.monitor.requests(node), 0, deployed, 0)
    shown: JsonObject = {
        name: number
        for name, number in zip(NODE_STATS, numbers, strict=True)
        if names is None or name in names
    }
    if cluster.rules.stats_are_by_node_alone:
        return shown
    sections = cluster.monitor.sections(node)
    return shown | (sections if names is None else {**sections, "algorithms": {}})
