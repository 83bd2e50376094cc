"""What the suite must know to be a good guest on a cluster with ML Commons.

Discovery, the two settings that a remote model needs, reading and changing cluster settings, and
taking away what a run created.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from conformance.outcomes import PrerequisiteMissing, Untestable
from conformance.target.exchange import Exchange
from conformance.target.session import Facts, Session
from conformance.target.tracker import Resource

ML = "/_plugins/_ml"
SETTINGS = "/_cluster/settings"
TRUSTED_ENDPOINTS = "plugins.ml_commons.trusted_connector_endpoints_regex"
PRIVATE_ADDRESSES = "plugins.ml_commons.connector.private_ip_enabled"
# Roles that may hold a remote model, as a node of the recorded versions reports them.
_HOLDS_MODELS = frozenset({"data", "ml"})


def discover(session: Session) -> Facts:
    """Read product, version, plugin and nodes; raises `PrerequisiteMissing` with what is not there."""
    root = session.request("GET", "/")
    if root.answer is not None and root.status in (401, 403):
        raise PrerequisiteMissing(
            f"GET / was refused with {root.status}: give credentials in the target's URL or in "
            "MLCONFORM_USERNAME and MLCONFORM_PASSWORD"
        )
    if root.status != 200 or not _looks_like_json(root):
        raise PrerequisiteMissing(f"expected OpenSearch's JSON at GET /, but {root.summary}")
    number = root.member("version", "number")
    if not isinstance(number, str):
        raise PrerequisiteMissing(f"expected version.number at GET /, but {root.summary}")
    plugins = session.request("GET", "/_cat/plugins?format=json")
    listed = plugins.json if plugins.status == 200 else []
    rows = listed if isinstance(listed, list) else []
    if not any(isinstance(row, dict) and row.get("component") == "opensearch-ml" for row in rows):
        raise PrerequisiteMissing(
            f"the plugin opensearch-ml is not listed at /_cat/plugins: {plugins.summary}"
        )
    answered = session.request("GET", "/_nodes")
    nodes = answered.member("nodes") if answered.status == 200 else None
    if not isinstance(nodes, dict) or not nodes:
        raise PrerequisiteMissing(f"expected the nodes at GET /_nodes, but {answered.summary}")
    holding = [key for key, node in nodes.items() if _holds_models(node)]
    product = str(root.member("version", "distribution") or "unknown")
    return Facts("opensearch-ml", product, number, tuple(sorted(holding or nodes)))


def prepare(session: Session) -> None:
    """Let connectors reach the run's own endpoint; what was set is put back when the run ends."""
    if not session.options.may_change_settings:
        return
    change_settings(session, {TRUSTED_ENDPOINTS: [".*"], PRIVATE_ADDRESSES: True})


def read_settings(session: Session, *, defaults: bool = False) -> Mapping[str, Any]:
    """The persistent settings by full name; with `defaults` also those that nobody set."""
    query = "?flat_settings=true" + ("&include_defaults=true" if defaults else "")
    answered = session.request("GET", SETTINGS + query)
    if answered.status != 200:
        raise Untestable(f"cluster settings could not be read: {answered.summary}")
    merged: dict[str, Any] = {}
    for scope in ("defaults", "persistent", "transient"):
        found = answered.member(scope)
        merged.update(found if isinstance(found, dict) else {})
    return merged


def change_settings(session: Session, wanted: Mapping[str, Any]) -> Exchange:
    """Set persistent cluster settings and remember what they were, to be put back.

    Raises `Untestable` where settings may not be changed or the cluster refuses.
    """
    remember_settings(session, wanted)
    answered = session.request("PUT", SETTINGS, {"persistent": dict(wanted)})
    if answered.status != 200:
        raise Untestable(f"the settings {', '.join(wanted)} could not be set: {answered.summary}")
    return answered


def remember_settings(session: Session, names: Iterable[str]) -> None:
    """Have these persistent settings put back to what they are now.

    Raises `Untestable` where settings may not be changed.
    """
    if not session.options.may_change_settings:
        raise Untestable("cluster settings may not be changed on this target; allow it with --allow-settings")
    before = read_settings(session)
    back = {name: before.get(name) for name in names}

    def restore() -> str | None:
        answered = session.request("PUT", SETTINGS, {"persistent": back})
        return None if answered.status == 200 else answered.summary

    session.tracker.add(Resource("settings", ", ".join(back), restore))


def track(session: Session, kind: str, resource_id: str) -> None:
    """Remember a created resource; `kind` is one of the keys of `PATHS`, or `model`."""
    remove = remove_model if kind == "model" else remove_plain
    session.tracker.add(
        Resource(kind, resource_id, lambda: remove(session, kind, resource_id)),
    )


PATHS: Mapping[str, str] = {
    "model": f"{ML}/models/",
    "model group": f"{ML}/model_groups/",
    "connector": f"{ML}/connectors/",
    "agent": f"{ML}/agents/",
    "ingest pipeline": "/_ingest/pipeline/",
    "search pipeline": "/_search/pipeline/",
}


def remove_plain(session: Session, kind: str, resource_id: str) -> str | None:
    """Delete one resource; what is in the way, or None when it is gone."""
    deleted = session.request("DELETE", PATHS[kind] + quote(resource_id, safe=""))
    return None if deleted.status in (200, 404) else deleted.summary


def remove_model(session: Session, kind: str, model_id: str) -> str | None:
    """Undeploy and delete a model, and the group that registering it made."""
    path = PATHS[kind] + quote(model_id, safe="")
    known = session.request("GET", path)
    if known.status == 404:
        return None
    group = known.member("model_group_id")
    deleted = session.request("DELETE", path)
    if deleted.status == 400:
        session.request("POST", f"{path}/_undeploy")
        deleted = session.request("DELETE", path)
    if deleted.status == 400:
        # A model whose deploy failed stays until it was deployed and undeployed once
        # (recording deploy_fails#12): the next try undeploys it.
        session.request("POST", f"{path}/_deploy")
    if deleted.status not in (200, 404):
        return deleted.summary
    if isinstance(group, str):
        made_by_run = session.request("GET", PATHS["model group"] + group)
        if made_by_run.status == 200 and _named_by(session, made_by_run):
            return remove_plain(session, "model group", group)
    return None


def sweep(session: Session, prefix: str) -> tuple[list[str], list[str]]:
    """Remove everything whose name starts with `prefix`: (what was removed, what could not be)."""
    removed: list[str] = []
    complaints: list[str] = []
    for kind in ("ingest pipeline", "search pipeline"):
        answered = session.request("GET", PATHS[kind].rstrip("/"))
        names = answered.json if answered.status == 200 and isinstance(answered.json, dict) else {}
        for name in [name for name in names if name.startswith(prefix)]:
            _account(removed, complaints, kind, name, remove_plain(session, kind, name))
    for kind in ("agent", "model", "connector", "model group"):
        found, problem = _found_by_name(session, kind, prefix)
        if problem is not None:
            complaints.append(f"{kind}s could not be searched: {problem}")
        for resource_id in found:
            remove = remove_model if kind == "model" else remove_plain
            _account(removed, complaints, kind, resource_id, remove(session, kind, resource_id))
    return removed, complaints


def _account(removed: list[str], complaints: list[str], kind: str, name: str, problem: str | None) -> None:
    if problem is None:
        removed.append(f"{kind} {name}")
    else:
        complaints.append(f"{kind} {name}: {problem}")


def _found_by_name(session: Session, kind: str, prefix: str) -> tuple[list[str], str | None]:
    """The ids of what is named so, and why there may be more. Without an index (404) there is nothing."""
    search = PATHS[kind] + "_search"
    body = {"query": {"prefix": {"name.keyword": {"value": prefix}}}, "size": 1000}
    answered = session.request("POST", search, body)
    if answered.status != 200:
        return [], None if answered.status == 404 else answered.summary
    hits = answered.member("hits", "hits")
    if not isinstance(hits, list):
        return [], answered.summary
    return [str(hit.get("_id")) for hit in hits if isinstance(hit, dict)], None


def _named_by(session: Session, exchange: Exchange) -> bool:
    return str(exchange.member("name") or "").startswith(session.options.prefix)


def _holds_models(node: Any) -> bool:
    roles = node.get("roles") if isinstance(node, dict) else None
    return isinstance(roles, list) and any(role in _HOLDS_MODELS for role in roles)


def _looks_like_json(exchange: Exchange) -> bool:
    return exchange.text.lstrip()[:1] in ("{", "[")
