"""Model access control: which groups, and with them which models, are open to whom.

It needs users and a setting. Where one of them is missing everything is open, whatever a group says; to an
admin everything is.
"""

from __future__ import annotations

from mlconform.mock_server.opensearch_ml.cluster import Call
from mlconform.mock_server.opensearch_ml.errors import ApiError, illegal_argument, node_error, status_error
from mlconform.mock_server.opensearch_ml.opensearch_core.settings import MODEL_ACCESS_CONTROL
from mlconform.mock_server.opensearch_ml.rules import Rules
from mlconform.mock_server.opensearch_ml.security.accounts import Caller
from mlconform.mock_server.opensearch_ml.store import Connector, Model, ModelGroup, Owner

_PRIVILEGE = "User doesn't have privilege to perform this operation on this model"


def is_on(call: Call) -> bool:
    """Whether this call meets access control at all."""
    return call.caller is not None and call.cluster.settings.on(MODEL_ACCESS_CONTROL)


def bound(call: Call, setting: str = MODEL_ACCESS_CONTROL) -> Caller | None:
    """The caller, where access control is on and binds this user; None where everything is open."""
    caller = call.caller
    if caller is None or caller.is_admin or not call.cluster.settings.on(setting):
        return None
    return caller


def owner_of(caller: Caller) -> Owner:
    """What a group keeps of the user who makes it."""
    access = "WRITE" if caller.is_admin else "NONE"
    return Owner(caller.name, list(caller.backend_roles), list(caller.roles), access)


def owns(thing: ModelGroup | Connector, caller: Caller) -> bool:
    """Whether this user made it."""
    return thing.owner is not None and thing.owner.name == caller.name


def shares_role(thing: ModelGroup | Connector, caller: Caller) -> bool:
    """Whether this user has one of its backend roles."""
    return not set(thing.backend_roles or ()).isdisjoint(caller.backend_roles)


def is_open(thing: ModelGroup | Connector, caller: Caller, rules: Rules) -> bool:
    """Whether the access mode of a group or connector lets this user in."""
    if thing.access == "private":
        return owns(thing, caller) or (not rules.private_is_closed_to_roles and _shares_owners(thing, caller))
    if thing.access == "restricted":
        if not rules.restricted_needs_a_shared_role and caller.backend_roles:
            return True
        return shares_role(thing, caller) or (rules.owner_keeps_restricted and owns(thing, caller))
    return True


def _shares_owners(thing: ModelGroup | Connector, caller: Caller) -> bool:
    return thing.owner is not None and not set(thing.owner.backend_roles).isdisjoint(caller.backend_roles)


def may_use_group(call: Call, group_id: str | None) -> bool:
    """Whether the caller may use a group, and the models in it; a model without one is open to all.

    Raises ApiError where the group is not there, and NodeError where a model's group was emptied.
    """
    caller = bound(call)
    if caller is None or group_id is None:
        return True
    if not group_id:
        raise node_error("m_l_validation_exception", "Fail to get model group")
    group = call.cluster.store.groups.get(group_id)
    if group is None:
        status = call.cluster.rules.unknown_group_under_control_status
        raise ApiError(status, "m_l_resource_not_found_exception", "Fail to find model group")
    return is_open(group, caller, call.cluster.rules)


def require_model(call: Call, model: Model, reason: str = _PRIVILEGE) -> None:
    """Raises ApiError 403 for a model that is not open to the caller."""
    if not may_use_group(call, model.group_id):
        told = "" if call.cluster.rules.refusals_name_nothing else f" {model.name}"
        raise status_error(403, reason + told)


def require_update(call: Call, model: Model) -> None:
    """Raises ApiError 403, which names the model, for one that is not open to the caller."""
    require_model(call, model, f"{_PRIVILEGE}, model ID {model.id}")


def require_controller(call: Call, model_id: str) -> None:
    """Raises ApiError 403 where the model of a controller is not open to the caller."""
    model = call.cluster.store.models.get(model_id)
    if model is not None:
        require_model(call, model, f"{_PRIVILEGE} controller. Model ID: {model_id}")


def require_prediction(call: Call, model: Model) -> None:
    """Raises ApiError 403 for a model that is not open to the caller, or whose group can't be asked."""
    try:
        require_model(call, model)
    except ApiError as error:
        if error.status == 403:
            raise
        raise status_error(403, f"Failed to Validate Access for ModelId {model.id}") from None


def require_new_version(call: Call, group_id: str) -> None:
    """Raises ApiError 400 where the caller may not register a version in a group, or send a part of one."""
    if call.cluster.rules.new_versions_are_controlled and not may_use_group(call, group_id):
        raise illegal_argument("You don't have permissions to perform this operation on this model.")


def require_other_group(call: Call, group_id: str) -> None:
    """Raises ApiError 403 where the caller may not move a model into a group."""
    if not may_use_group(call, group_id):
        raise status_error(
            403,
            "User Doesn't have privilege to re-link this model to the target model group due to no access to "
            f"the target model group with model group ID {group_id}",
        )


def require_undeploy(call: Call, model_ids: list[str]) -> None:
    """Raises ApiError 400 where one of the models is not open to the caller, or where they are too many."""
    if not is_on(call):
        return
    if len(model_ids) > 1 and not call.cluster.rules.several_undeploy_under_control:
        raise illegal_argument("only support undeploy one model")
    for model_id in model_ids:
        model = call.cluster.store.models.get(model_id)
        if model is not None and not may_use_group(call, model.group_id):
            raise illegal_argument(f"No permission to undeploy model {model_id}")


def shows_model(call: Call, model: Model) -> bool:
    """Whether a search shows a model to the caller."""
    caller = bound(call)
    if caller is None or model.group_id is None or not call.cluster.rules.searches_hide_models:
        return True
    group = call.cluster.store.groups.get(model.group_id)
    return group is not None and is_open(group, caller, call.cluster.rules)


def shows_group(call: Call, group: ModelGroup) -> bool:
    """Whether a search shows a group to the caller."""
    caller, rules = bound(call), call.cluster.rules
    return caller is None or not rules.searches_hide_groups or is_open(group, caller, rules)
