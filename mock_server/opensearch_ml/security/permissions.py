"""Whether a role of the caller allows an action; where the cluster has no users, anybody may do anything."""

from __future__ import annotations

from mlconform.mock_server.opensearch_ml.cluster import Call
from mlconform.mock_server.opensearch_ml.errors import ApiError


def may(call: Call, action: str, index: str | None = None) -> bool:
    """Whether the caller may do something, where it concerns an index with that one."""
    accounts = call.cluster.accounts
    return accounts is None or call.caller is None or accounts.permits(call.caller, action, index)


def require(call: Call, action: str, index: str | None = None) -> None:
    """Raises ApiError 403 where the caller may not do something."""
    if not may(call, action, index):
        raise ApiError(call.cluster.rules.forbidden_status, "security_exception", refusal(call, action))


def refusal(call: Call, action: str) -> str:
    """What a refusal says."""
    return f"no permissions for [{action}] and {call.caller}"
