"""What a client asks to find out what it talks to: the main page, nodes, health, plugins."""

from __future__ import annotations

from typing import Any

from mlconform.mock_server.codings import MAX_CONTENT
from mlconform.mock_server.opensearch_ml.cluster import Answer, Call
from mlconform.mock_server.opensearch_ml.errors import illegal_argument
from mlconform.mock_server.opensearch_ml.nodes import USED_PERCENT, Node, uuid_of
from mlconform.mock_server.opensearch_ml.store import Index
from mlconform.mock_server.opensearch_ml.unmocked import refuse

CLUSTER_NAME = "mock-cluster"
PLUGINS = ("opensearch-job-scheduler", "opensearch-ml")
_SECURED_PLUGINS = (*PLUGINS, "opensearch-security")
_HASH = "0" * 40
_METRICS = frozenset(
    {
        "_all",
        "settings",
        "os",
        "process",
        "jvm",
        "thread_pool",
        "transport",
        "http",
        "plugins",
        "ingest",
        "roles",
    }
)


def main_page(call: Call) -> Answer:
    """GET /."""
    version = call.cluster.version
    return Answer(
        {
            "name": call.cluster.all_nodes[call.node - 1].name,
            "cluster_name": CLUSTER_NAME,
            "cluster_uuid": uuid_of(f"cluster of {call.cluster.nodes[0].id}"),
            "version": {
                "distribution": "opensearch",
                "number": version,
                "build_type": "tar",
                "build_hash": _HASH,
                "build_date": "2025-01-01T00:00:00.000000000Z",
                "build_snapshot": False,
                "lucene_version": "10.3.2" if version.startswith("3.") else "9.12.1",
                "minimum_wire_compatibility_version": "2.19.0" if version.startswith("3.") else "7.10.0",
                "minimum_index_compatibility_version": "2.0.0" if version.startswith("3.") else "7.0.0",
            },
            "tagline": "The OpenSearch Project: https://opensearch.org/",
        }
    )


def nodes(call: Call) -> Answer:
    """GET /_nodes, /_nodes/{what} and /_nodes/{node_id}/{what}; `what` is a metric, or node ids."""
    what = call.parameters.get("what", "_all")
    refuse("GET", f"/_nodes/{what}")
    wanted = call.parameters.get("node_id", "_all" if _is_metric(what) else what)
    chosen = [node for node in call.cluster.nodes if _is_chosen(node, wanted, call)]
    return Answer(
        {
            "_nodes": {"total": len(chosen), "successful": len(chosen), "failed": 0},
            "cluster_name": CLUSTER_NAME,
            "nodes": {node.id: _node(node, call) for node in chosen},
        }
    )


def _is_metric(what: str) -> bool:
    return all(part in _METRICS for part in what.split(","))


def _is_chosen(node: Node, wanted: str, call: Call) -> bool:
    names = {"_all", "*", node.id, node.name}
    if node.number == 1:
        names |= {"_cluster_manager", "_master"}
    if node.number == call.node:
        names.add("_local")
    return not names.isdisjoint(wanted.split(","))


def _plugins(call: Call) -> tuple[str, ...]:
    return PLUGINS if call.cluster.accounts is None else _SECURED_PLUGINS


def _node(node: Node, call: Call) -> dict[str, Any]:
    version = call.cluster.version
    return {
        "name": node.name,
        "transport_address": node.address,
        "host": "127.0.0.1",
        "ip": "127.0.0.1",
        "version": version,
        "build_type": "tar",
        "build_hash": _HASH,
        "roles": list(node.roles),
        "attributes": {},
        "plugins": [
            {"name": name, "version": f"{version}.0", "opensearch_version": version}
            for name in _plugins(call)
        ],
        **_http(call.cluster.http_address(node.number)),
    }


def _http(address: str | None) -> dict[str, Any]:
    """Where a node listens for HTTP; nothing where it has no port of its own."""
    if address is None:
        return {}
    told = {"bound_address": [address], "publish_address": address}
    return {"http": {**told, "max_content_length_in_bytes": MAX_CONTENT}}


def health(call: Call) -> Answer:
    """GET /_cluster/health; the cluster is green, and nobody waits."""
    wanted = call.query.get("wait_for_status", "green")
    if wanted.upper() not in ("GREEN", "YELLOW", "RED"):
        enum = "org.opensearch.cluster.health.ClusterHealthStatus"
        raise illegal_argument(f"No enum constant {enum}.{wanted.upper()}")
    count = len(call.cluster.nodes)
    used = len(_indices(call))
    replicas = used if count > 1 else 0
    return Answer(
        {
            "cluster_name": CLUSTER_NAME,
            "status": "green",
            "timed_out": False,
            "number_of_nodes": count,
            "number_of_data_nodes": count,
            "discovered_master": True,
            "discovered_cluster_manager": True,
            "active_primary_shards": used,
            "active_shards": used + replicas,
            "relocating_shards": 0,
            "initializing_shards": 0,
            "unassigned_shards": 0,
            "delayed_unassigned_shards": 0,
            "number_of_pending_tasks": 0,
            "number_of_in_flight_fetch": 0,
            "task_max_waiting_in_queue_millis": 0,
            "active_shards_percent_as_number": 100.0,
        }
    )


def _indices(call: Call) -> dict[str, int]:
    """Every index that holds something, with the number of its documents."""
    store = call.cluster.store
    kept: tuple[Index[Any], ...] = (
        store.groups,
        store.models,
        store.tasks,
        store.connectors,
        store.agents,
        store.controllers,
    )
    counts = {index.name: len(index) for index in (*kept, *store.indices.values()) if len(index)}
    if call.cluster.accounts is not None:
        # With a user come the configurations of the plugin, of nine kinds.
        counts |= {".plugins-ml-config": 1, ".opendistro_security": 9}
    return counts


def cat_indices(call: Call) -> Answer:
    """GET /_cat/indices: every index that holds something, as text or as JSON."""
    copies = 1 if len(call.cluster.nodes) > 1 else 0
    rows = [
        {
            "health": "green",
            "status": "open",
            "index": name,
            "uuid": uuid_of(name),
            "pri": "1",
            "rep": str(copies),
            "docs.count": str(count),
            "docs.deleted": "0",
            "store.size": f"{4 * (1 + copies)}kb",
            "pri.store.size": "4kb",
        }
        for name, count in _indices(call).items()
    ]
    return _table(call, rows)


def cat_plugins(call: Call) -> Answer:
    """GET /_cat/plugins: plugins of every node, as text or as JSON."""
    rows = [
        {"name": node.name, "component": plugin, "version": f"{call.cluster.version}.0"}
        for node in call.cluster.nodes
        for plugin in _plugins(call)
    ]
    return _table(call, rows)


def cat_nodes(call: Call) -> Answer:
    """GET /_cat/nodes."""
    rows = [
        {
            "ip": "127.0.0.1",
            "heap.percent": str(USED_PERCENT),
            "ram.percent": str(USED_PERCENT),
            "id": node.id if call.query.get("full_id") == "true" else node.id[:4],
            "node.roles": ",".join(node.roles),
            "cluster_manager": "*" if node.number == 1 else "-",
            "name": node.name,
        }
        for node in call.cluster.nodes
    ]
    return _table(call, rows)


def _table(call: Call, rows: list[dict[str, str]]) -> Answer:
    names = list(rows[0]) if rows else []
    if "h" in call.query:
        wanted = call.query["h"].split(",")
        names = [name for name in wanted if name in rows[0]]
    if call.query.get("format") in ("json", "yaml"):
        return Answer([{name: row[name] for name in names} for row in rows])
    shown = [names, *([row[name] for name in names] for row in rows)]
    if call.query.get("v") not in ("", "true"):
        shown = shown[1:]
    widths = [max((len(row[column]) for row in shown), default=0) for column in range(len(names))]
    lines = [" ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in shown]
    return Answer(text="".join(f"{line.rstrip()}\n" for line in lines))
