"""At the door of a secured cluster: who calls, and whether a role of the caller allows the action."""

from __future__ import annotations

from mock_server.core import Request
from mock_server.opensearch_ml.cluster import Call, Cluster
from mock_server.opensearch_ml.errors import Unauthorized
from mock_server.opensearch_ml.routes import Route
from mock_server.opensearch_ml.security import permissions
from mock_server.opensearch_ml.security.accounts import Caller


def identify(cluster: Cluster, request: Request, route: Route) -> Caller | None:
    """Who sends this request; nobody, where the cluster has no users or the route is open to all.

    Raises Unauthorized for credentials that are missing or wrong.
    """
    if cluster.accounts is None or route.is_open:
        return None
    caller = cluster.accounts.caller(request.headers.get("authorization"))
    if caller is None:
        raise Unauthorized
    return caller


def authorize(call: Call, route: Route) -> None:
    """Raises ApiError 403 where no role of the caller allows the route's action.

    What a node refuses because of its form, it refuses before it asks for the permission.
    """
    index = call.parameters.get("index")
    if route.permission is None or permissions.may(call, route.permission, index):
        return
    if route.form is not None:
        route.form(call)
    permissions.require(call, route.permission, index)
