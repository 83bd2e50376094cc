"""At the door of a secured cluster: who calls, and whether a role of the caller allows the action."""

from __future__ import annotations

import fnmatch
from contextlib import suppress

from msgspec.structs import replace

from mlconform.mock_server.core import Request
from mlconform.mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mlconform.mock_server.opensearch_ml.errors import ApiError, RestError, Unauthorized
from mlconform.mock_server.opensearch_ml.router import Route
from mlconform.mock_server.opensearch_ml.security import permissions
from mlconform.mock_server.opensearch_ml.security.accounts import Caller

_CHANGES = frozenset(
    {
        "indices:admin/create",
        "indices:admin/delete",
        "indices:data/write/index",
        "indices:data/write/delete",
    }
)


def identify(cluster: Cluster, request: Request, route: Route) -> Caller | None:
    """Who sends this request; nobody, where the cluster has no users or the route is open to all.

    Raises Unauthorized for credentials that are missing or wrong.
    """
    if cluster.accounts is None:
        return None
    connection = request.connection
    if connection is not None and connection.owes_refusal:
        connection.owes_refusal = False
        raise Unauthorized
    if route.is_open:
        return None
    caller = cluster.accounts.caller(request.headers.get("authorization"))
    if caller is None:
        raise Unauthorized
    return caller


def remember_refusal(cluster: Cluster, request: Request) -> None:
    """A request was refused before anybody asked who sends it.

    Where a refusal outlives its request, the next one on the connection gets what this one was spared.
    """
    if cluster.accounts is None or request.connection is None or not cluster.rules.refusal_outlives_request:
        return
    if cluster.accounts.caller(request.headers.get("authorization")) is None:
        request.connection.owes_refusal = True


def handle(call: Call, route: Route) -> Answer:
    """What the route answers to a caller who may do it. Raises ApiError 403 to others."""
    try:
        _authorize(call, route)
        return route.handler(call)
    except ApiError as refusal:
        if refusal.status == 403 and not call.cluster.rules.refusals_change_nothing:
            with suppress(ApiError, RestError):
                route.handler(replace(call, caller=None))
        raise


def _authorize(call: Call, route: Route) -> None:
    """Raises ApiError 403 where no role of the caller allows the route's action.

    What a node refuses because of its form, it refuses before it asks for the permission.
    """
    index = call.parameters.get("index")
    if index is not None:
        _require_index_allowed(call, index, route.permission or "")
    if route.permission is None or permissions.may(call, route.permission, index):
        return
    if route.form is not None:
        route.form(call)
    permissions.require(call, route.permission, index)


def _require_index_allowed(call: Call, index: str, action: str) -> None:
    """Raises ApiError for a name that no index has, and for a change to an index that plugins keep."""
    from mlconform.mock_server.opensearch_ml.opensearch_core import indices  # noqa: PLC0415 - a fast start

    if index.startswith("_") and index != "_all":
        raise indices.invalid_name(index, "must not start with '_'.")
    if action in _CHANGES and any(
        fnmatch.fnmatchcase(kept, name) for kept in indices.SYSTEM_INDICES for name in index.split(",")
    ):
        raise ApiError(403, "security_exception", permissions.refusal(call, ""))
