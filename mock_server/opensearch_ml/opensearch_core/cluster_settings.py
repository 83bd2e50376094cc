"""The cluster settings API."""

from __future__ import annotations

from typing import Any

from mlconform.mock_server.opensearch_ml.bodies.fields import flag_of, unexpected_token
from mlconform.mock_server.opensearch_ml.cluster import Answer, Call
from mlconform.mock_server.opensearch_ml.errors import NodeError, parse_error, wrong_class
from mlconform.mock_server.opensearch_ml.opensearch_core.settings import SYNC_INTERVAL, Settings, Value, nest


def get(call: Call) -> Answer:
    """GET /_cluster/settings, with `include_defaults` and `flat_settings`."""
    settings = call.cluster.settings
    scopes = {scope: settings.explicit(scope) for scope in Settings.SCOPES}
    if flag_of(call.query.get("include_defaults", "false") or "true"):
        scopes["defaults"] = settings.defaults()
    return Answer(_shown(call, scopes))


def put(call: Call) -> Answer:
    """PUT /_cluster/settings: all or nothing."""
    if call.document.missing:
        raise parse_error("request body is required")
    cluster, changes = call.cluster, _changes(call)
    before = cluster.settings.number(SYNC_INTERVAL)
    applied = cluster.settings.change(changes)
    if cluster.settings.number(SYNC_INTERVAL) != before:
        cluster.lifecycle.sync_up.change_from(before)
    return Answer({"acknowledged": True, **_shown(call, applied)})


def _changes(call: Call) -> dict[str, dict[str, Any]]:
    """What the body says of each scope; all else in it, and a body that is no object, counts for nothing."""
    body = call.document.value if call.document.is_object else {}
    changes = {}
    for name in ("transient", "persistent"):
        if name not in body:
            continue
        if body[name] is None:
            found = unexpected_token("START_OBJECT", None, 1, 1)
            cause = {"type": found.type, "reason": found.reason, **found.extra}
            reason = "Failed to load settings from [null]"
            raise NodeError(500, "settings_exception", reason, caused_by=cause, root=cause)
        if not isinstance(body[name], dict):
            raise wrong_class(body[name], "java.util.Map")
        changes[name] = body[name]
    return changes


def _shown(call: Call, scopes: dict[str, dict[str, Value]]) -> dict[str, Any]:
    flat = flag_of(call.query.get("flat_settings", "false") or "true")
    return {scope: values if flat else nest(values) for scope, values in scopes.items()}
