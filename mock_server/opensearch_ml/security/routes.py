"""The operations that a cluster has with the Security plugin."""

from __future__ import annotations

from mlconform.mock_server.opensearch_ml.router import Route
from mlconform.mock_server.opensearch_ml.security import api

_API = "/_plugins/_security/api"

SECURITY_ROUTES = (
    Route("GET", "/_plugins/_security/health", api.health, None, is_open=True),
    Route("GET", "/_plugins/_security/authinfo", api.authinfo, None, frozenset({"auth_type"})),
    Route("POST", "/_plugins/_security/authinfo", api.authinfo, None, frozenset({"auth_type"}), raw=True),
    Route("GET", f"{_API}/account", api.account, None),
    Route("GET", f"{_API}/internalusers", api.get_users, None),
    Route("GET", f"{_API}/internalusers/{{name}}", api.get_users, None),
    Route("PUT", f"{_API}/internalusers/{{name}}", api.put_user, None, raw=True),
    Route("DELETE", f"{_API}/internalusers/{{name}}", api.delete_user, None),
    Route("GET", f"{_API}/roles", api.get_roles, None),
    Route("GET", f"{_API}/roles/{{name}}", api.get_roles, None),
    Route("PUT", f"{_API}/roles/{{name}}", api.put_role, None, raw=True),
    Route("DELETE", f"{_API}/roles/{{name}}", api.delete_role, None),
    Route("GET", f"{_API}/rolesmapping", api.get_mappings, None),
    Route("GET", f"{_API}/rolesmapping/{{name}}", api.get_mappings, None),
    Route("PUT", f"{_API}/rolesmapping/{{name}}", api.put_mapping, None, raw=True),
    Route("DELETE", f"{_API}/rolesmapping/{{name}}", api.delete_mapping, None),
)
