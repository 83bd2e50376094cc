"""Connector access control: which connectors are open to whom. Models that use a connector do not ask."""

from __future__ import annotations

from mlconform.mock_server.opensearch_ml.cluster import Call
from mlconform.mock_server.opensearch_ml.errors import ApiError, illegal_argument, status_error
from mlconform.mock_server.opensearch_ml.opensearch_core.settings import CONNECTOR_ACCESS_CONTROL
from mlconform.mock_server.opensearch_ml.security import access
from mlconform.mock_server.opensearch_ml.security.access_modes import Sent
from mlconform.mock_server.opensearch_ml.security.accounts import Caller
from mlconform.mock_server.opensearch_ml.store import Connector, Model


def give(call: Call, connector: Connector, sent: Sent) -> None:
    """Give a connector that is being made the access that was sent, and its owner.

    Raises ApiError 400 for access that can't be given.
    """
    caller = call.caller
    if caller is None or not call.cluster.settings.on(CONNECTOR_ACCESS_CONTROL):
        if not sent.says_nothing:
            raise illegal_argument(
                "You cannot specify connector access control parameters because the Security plugin or "
                "connector access control is disabled on your cluster."
            )
        return
    _require_valid(sent, caller)
    connector.access, connector.backend_roles = sent.mode_or(), sent.roles_for(caller)
    connector.owner = access.owner_of(caller)


def _require_valid(sent: Sent, caller: Caller) -> None:
    if sent.mode in ("public", "private") and (sent.backend_roles or sent.all_backend_roles):
        raise illegal_argument(
            "You can specify backend roles only for a connector with the restricted access mode."
        )
    if sent.mode_or() != "restricted":
        return
    if sent.all_backend_roles:
        if caller.is_admin:
            raise illegal_argument("Admin can't add all backend roles")
        if not caller.backend_roles:
            raise illegal_argument("You must have at least one backend role to create a connector.")
        if sent.backend_roles:
            raise illegal_argument(
                "You can't specify backend roles and add all backend roles to true at same time."
            )
        return
    if not sent.backend_roles:
        raise illegal_argument(
            "You must specify at least one backend role or make the connector public/private for registering "
            "it."
        )
    if not caller.is_admin and not set(sent.backend_roles) <= set(caller.backend_roles):
        raise illegal_argument("You don't have the backend roles specified.")


def is_open(call: Call, connector: Connector) -> bool:
    """Whether the caller may use the connector; one without an owner is open to all."""
    caller = access.bound(call, CONNECTOR_ACCESS_CONTROL)
    if not call.cluster.rules.connectors_are_controlled:
        return True
    return caller is None or connector.owner is None or access.is_open(connector, caller, call.cluster.rules)


def require_read(call: Call, connector: Connector) -> None:
    """Raises ApiError 403 for a connector that is not open to the caller."""
    if not is_open(call, connector):
        raise status_error(403, "You don't have permission to access this connector")


def require_use(call: Call, model: Model) -> None:
    """Raises ApiError 403 where the connector of a model is not open to the caller of a predict."""
    connector = call.cluster.store.connectors.get(model.connector_id or "")
    if call.cluster.rules.connectors_serve_their_users and connector is not None:
        require_read(call, connector)


def require_update(call: Call, connector: Connector, connector_id: str) -> None:
    """Raises ApiError 400 for a connector that is not open to the caller."""
    if not is_open(call, connector):
        raise illegal_argument(
            f"You don't have permission to update the connector, connector id: {connector_id}"
        )


def require_delete(call: Call, connector_id: str) -> None:
    """Raises ApiError 403 for a connector that is not open to the caller, and 404 for an unknown one."""
    if access.bound(call, CONNECTOR_ACCESS_CONTROL) is None:
        return
    connector = call.cluster.store.connectors.get(connector_id)
    if connector is None:
        reason = f"Failed to find connector with the provided connector id: {connector_id}"
        raise status_error(404, reason)
    if not is_open(call, connector):
        status = call.cluster.rules.refused_connector_delete_status
        raise ApiError(status, "m_l_validation_exception", "You are not allowed to delete this connector")


def shows(call: Call, connector: Connector) -> bool:
    """Whether a search shows the connector to the caller: a backend role is enough, whatever the mode.

    One of which nothing is said it does not show.
    """
    caller = access.bound(call, CONNECTOR_ACCESS_CONTROL)
    if caller is None or access.shares_role(connector, caller):
        return True
    return connector.access is not None and access.is_open(connector, caller, call.cluster.rules)
