"""Model groups: register, get, update, delete, search."""

from __future__ import annotations

from functools import partial

from mlconform.mock_server.opensearch_ml import conflicts
from mlconform.mock_server.opensearch_ml.bodies.checked_texts import check_texts
from mlconform.mock_server.opensearch_ml.bodies.fields import Fields, read_in_order, text_reader
from mlconform.mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mlconform.mock_server.opensearch_ml.errors import (
    ApiError,
    illegal_argument,
    node_error,
    parse_error,
    status_error,
)
from mlconform.mock_server.opensearch_ml.search.operation import answer_search
from mlconform.mock_server.opensearch_ml.security import access, access_modes
from mlconform.mock_server.opensearch_ml.security.access_modes import Sent
from mlconform.mock_server.opensearch_ml.store import JsonObject, ModelGroup

_TEXTS = ("name", "description", "model_group_id")
_NO_BODY = "Model group request has empty body"
_TAKEN = "The name you provided is already being used by a model group with ID: {holder}."
_TAKEN_BY_ANOTHER = (
    "The name you provided is already being used by another model with ID: {holder}. "
    "Please provide a different name"
)
_NAME, _DESCRIPTION = "Model group name", "Model group description"


def register(call: Call) -> Answer:
    """POST model_groups/_register: the name must be free."""
    fields, name, description = _read_new(call)
    check_texts(call.cluster.rules, ((_NAME, name), (_DESCRIPTION, description)), required=_NAME)
    _require_free_name(call.cluster, name, _TAKEN)
    access_modes.require_known(fields, call.cluster.rules)
    sent = access_modes.read(fields, lowered=True)
    return Answer({"model_group_id": create(call, name, description, sent), "status": "CREATED"})


def form(call: Call) -> None:
    """Read the body of a register as a node does before it asks whether the caller may. Raises ApiError."""
    _read_new(call)


def _read_new(call: Call) -> tuple[Fields, str, str | None]:
    if call.document.empty:
        raise parse_error(_NO_BODY)
    fields = call.fields()
    name, description = _read(fields)
    if name is None:
        status = call.cluster.rules.nameless_group_status
        raise ApiError(status, "null_pointer_exception", "model group name must not be null")
    return fields, name, description


def _read(fields: Fields) -> tuple[str | None, str | None]:
    """Name and description, after every member was read as it came."""
    readers = {**access_modes.readers(lowered=True), **{name: text_reader(name) for name in _TEXTS}}
    read_in_order(fields, readers)
    return fields.text("name"), fields.text("description")


def create(call: Call, name: str, description: str | None, sent: Sent) -> str:
    """Make a group without versions, with the access that was sent; gives its id.

    Two at the same moment may have one name. Raises ApiError 400 for access that can't be given.
    """
    cluster = call.cluster
    now = cluster.now_ms()
    group = ModelGroup(name, description, now, now)
    if call.caller is not None and access.is_on(call):
        access_modes.require_valid(sent, call.caller, cluster.rules)
        access_modes.give(group, sent, call.caller, cluster.rules)
        group.owner = access.owner_of(call.caller)
    else:
        access_modes.refuse(sent)
        group.access = cluster.rules.access_without_control
    return put(cluster, group)


def put(cluster: Cluster, group: ModelGroup) -> str:
    """Keep a group that is made; gives its id."""
    cluster.let_others_in()
    group_id = cluster.ids.document()
    cluster.store.groups.put(group_id, group)
    return group_id


def named(cluster: Cluster, name: str) -> str | None:
    """The id of the group with this name."""
    return next(iter(cluster.store.groups.where("name", name)), None)


def next_version(cluster: Cluster, group_id: str, at: int) -> str:
    """Count one more version in a group at this time; gives its number as the API shows it.

    Raises ApiError 409 where another request wrote the group meanwhile, and another where it deleted it.
    """
    groups = cluster.store.groups
    group = groups.get(group_id)
    if group is None:
        raise LookupError(f"no model group {group_id}: look it up before counting a version in it")
    version = max(group.latest_version + 1, cluster.rules.first_version)
    expected = conflicts.seq_no(cluster, groups, group_id)
    cluster.let_others_in()
    if cluster.rules.group_write_is_conditional:
        conflicts.require_unchanged(cluster, groups, group_id, expected)
    group.latest_version, group.updated = version, at
    groups.touch(group_id)
    return str(version)


def get(call: Call) -> Answer:
    """GET model_groups/{model_group_id}."""
    group = _find(call)
    _require_open(call, group)
    return Answer(view(group))


def update(call: Call) -> Answer:
    """PUT model_groups/{model_group_id}: name and description; a blank one is as good as none."""
    rules, groups, group_id = call.cluster.rules, call.cluster.store.groups, call.parameters["model_group_id"]
    if call.document.empty:
        raise node_error("i_o_exception", _NO_BODY)
    fields = call.fields()
    name, description = _read(fields)
    check_texts(rules, ((_NAME, name), (_DESCRIPTION, description)))
    group = _find(call)
    sent = access_modes.read(fields, lowered=True)
    _require_update(call, group, sent)
    renamed = name is not None and name.strip() != "" and name != group.name
    if name is not None and renamed:
        _require_free_name(call.cluster, name, _TAKEN_BY_ANOTHER)
    call.cluster.let_others_in()
    conflicts.begin_update(call.cluster, groups, group_id)
    before = group.name, group.description
    if name is not None and renamed:
        group.name = name
    if description is not None and description.strip():
        group.description = description
    if call.caller is not None and not sent.is_empty:
        access_modes.give(group, sent, call.caller, rules)
    if rules.group_update_moves_time:
        group.updated = call.cluster.now_ms()
    if rules.group_update_moves_time or before != (group.name, group.description):
        groups.touch(group_id)
    return Answer({"status": "Updated"})


def _require_update(call: Call, group: ModelGroup, sent: Sent) -> None:
    if call.caller is None or not access.is_on(call):
        access_modes.refuse(sent)
        return
    access_modes.require_update(call, group, sent)
    access_modes.require_valid(sent, call.caller, call.cluster.rules)


def delete(call: Call) -> Answer:
    """DELETE model_groups/{model_group_id}: refused while it has versions."""
    group_id = call.parameters["model_group_id"]
    group = call.cluster.store.groups.get(group_id)
    if group is not None and call.cluster.rules.group_delete_is_controlled:
        _require_open(call, group)
    if call.cluster.store.models.where("group_id", group_id):
        raise status_error(409, "Cannot delete the model group when it has associated model versions")
    call.cluster.let_others_in()
    return Answer(call.cluster.store.groups.delete(group_id).answer())


def find_all(call: Call) -> Answer:
    """GET or POST model_groups/_search."""
    groups = call.cluster.store.groups
    return answer_search(call, groups, lambda _id, group: view(group), partial(access.shows_group, call))


def view(group: ModelGroup) -> JsonObject:
    """A group as the API shows it; without model access control every group is public."""
    shown = {
        "name": group.name,
        "latest_version": group.latest_version,
        "description": group.description,
        "backend_roles": group.backend_roles,
        "owner": None if group.owner is None else group.owner.view(),
        "access": group.access,
        "created_time": group.created,
        "last_updated_time": group.updated,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _require_open(call: Call, group: ModelGroup) -> None:
    caller = access.bound(call)
    if caller is not None and not access.is_open(group, caller, call.cluster.rules):
        raise status_error(403, "User doesn't have privilege to perform this operation on this model group")


def _find(call: Call) -> ModelGroup:
    group_id = call.parameters["model_group_id"]
    group = call.cluster.store.groups.get(group_id)
    if group is None:
        raise status_error(404, f"Failed to find model group with the provided model group id: {group_id}")
    return group


def _require_free_name(cluster: Cluster, name: str, refusal: str) -> None:
    holder = named(cluster, name)
    if holder is not None:
        raise illegal_argument(refusal.format(holder=holder))
