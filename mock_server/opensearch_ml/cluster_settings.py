"""The cluster settings API."""

from __future__ import annotations

from typing import Any

from mock_server.opensearch_ml.cluster import Answer, Call
from mock_server.opensearch_ml.errors import parse_error, parsing_error
from mock_server.opensearch_ml.fields import flag_of, token_of
from mock_server.opensearch_ml.settings import SYNC_INTERVAL, Settings, Value, nest


def get(call: Call) -> Answer:
    """GET /_cluster/settings, with `include_defaults` and `flat_settings`."""
    settings = call.cluster.settings
    scopes = {scope: settings.explicit(scope) for scope in Settings.SCOPES}
    if flag_of(call.query.get("include_defaults", "false")):
        scopes["defaults"] = settings.defaults()
    return Answer(_shown(call, scopes))


def put(call: Call) -> Answer:
    """PUT /_cluster/settings: all or nothing."""
    if call.document.empty:
        raise parse_error("request body is required")
    cluster, changes = call.cluster, _changes(call)
    before = cluster.settings.number(SYNC_INTERVAL)
    applied = cluster.settings.change(changes)
    if cluster.settings.number(SYNC_INTERVAL) != before:
        cluster.lifecycle.sync_up.restart()
    return Answer({"acknowledged": True, **_shown(call, applied)})


def _changes(call: Call) -> dict[str, dict[str, Any]]:
    changes = {}
    for name, value in call.fields().values.items():
        if name not in Settings.SCOPES or not isinstance(value, dict):
            known = f"{name} doesn't support values of type: {token_of(value)}"
            problem = known if name in Settings.SCOPES else f"unknown field [{name}]"
            reason = f"[cluster_update_settings_request] {problem}"
            raise parsing_error(reason, *call.document.place((name,)))
        changes[name] = value
    return changes


def _shown(call: Call, scopes: dict[str, dict[str, Value]]) -> dict[str, Any]:
    flat = flag_of(call.query.get("flat_settings", "false"))
    return {scope: values if flat else nest(values) for scope, values in scopes.items()}
