"""What a cluster with ML Commons tells of itself before anything is done to it."""

from __future__ import annotations

from typing import Any

from mlconform.conformance.contract.model import Condition
from mlconform.conformance.errors import PrerequisiteMissing
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.opensearch_settings import MODEL_ACCESS_CONTROL, read_settings
from mlconform.conformance.targets.opensearch_users import who_is
from mlconform.conformance.targets.session import Facts, Session

# Roles that may hold a remote model, as a node of the recorded versions reports them.
_HOLDS_MODELS = frozenset({"data", "ml"})


def discover(session: Session) -> Facts:
    """Read product, version, plugin and nodes; raises `PrerequisiteMissing` with what is not there."""
    root = session.request("GET", "/")
    if root.answer is not None and root.status in (401, 403):
        raise PrerequisiteMissing(_not_let_in(session, root))
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
    return Facts(
        "opensearch-ml", product, number, tuple(sorted(holding or nodes)), unmet=unmet_conditions(session)
    )


def unmet_conditions(session: Session) -> frozenset[Condition]:
    """Access is controlled where there are users and the setting is on (page model-access-control,
    prerequisites)."""
    try:
        controlled = (
            who_is(session) is not None and str(read_settings(session).get(MODEL_ACCESS_CONTROL)) == "true"
        )
    except Untestable:
        # Nobody tells, so nothing is known not to hold.
        return frozenset()
    return frozenset({Condition.ACCESS_CONTROL_OFF}) if controlled else frozenset()


def _not_let_in(session: Session, root: Exchange) -> str:
    """Why the first request was refused, and what to do: nobody asked, with wrong credentials, or without
    the permission."""
    who = session.options.credentials
    if who is None:
        return (
            f"GET / was refused with {root.status}: give credentials with --credentials FILE, in the "
            "target's URL or in MLCONFORM_USERNAME and MLCONFORM_PASSWORD"
        )
    if root.status == 401:
        return f"GET / was refused with 401: the credentials of {who.name} are not accepted; correct them"
    return (
        f"GET / was refused with 403: the credentials of {who.name} are accepted, but the user may not ask "
        f"for it; give the user a role such as ml_full_access: {root.summary}"
    )


def _holds_models(node: Any) -> bool:
    roles = node.get("roles") if isinstance(node, dict) else None
    return isinstance(roles, list) and any(role in _HOLDS_MODELS for role in roles)


def _looks_like_json(exchange: Exchange) -> bool:
    return exchange.text.lstrip()[:1] in ("{", "[")
