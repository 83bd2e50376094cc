"""Model groups: register, get, update, delete, search."""

from __future__ import annotations

from mock_server.opensearch_ml import conflicts, search
from mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mock_server.opensearch_ml.errors import ApiError, illegal_argument, parse_error, status_error
from mock_server.opensearch_ml.fields import Fields
from mock_server.opensearch_ml.store import JsonObject, ModelGroup

_ACCESS_FIELDS = ("access_mode", "backend_roles", "add_all_backend_roles")


def register(call: Call) -> Answer:
    """POST model_groups/_register: the name must be free."""
    _require_body(call)
    fields = call.fields()
    name, description = fields.text("name"), fields.text("description")
    if name is None:
        status = call.cluster.rules.nameless_group_status
        raise ApiError(status, "null_pointer_exception", "model group name must not be null")
    _refuse_access_fields(fields)
    _require_free_name(call.cluster, name)
    return Answer({"model_group_id": create(call.cluster, name, description), "status": "CREATED"})


def create(cluster: Cluster, name: str, description: str | None) -> str:
    """Make a group without versions; gives its id. Two at the same moment may have one name."""
    cluster.let_others_in()
    now = cluster.now_ms()
    group_id = cluster.ids.document()
    cluster.store.groups.put(group_id, ModelGroup(name, description, now, now))
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
    version, expected = group.latest_version + 1, conflicts.seq_no(cluster, groups, group_id)
    cluster.let_others_in()
    if cluster.rules.group_write_is_conditional:
        conflicts.require_unchanged(cluster, groups, group_id, expected)
    group.latest_version, group.updated = version, at
    groups.touch(group_id)
    return str(version)


def get(call: Call) -> Answer:
    """GET model_groups/{model_group_id}."""
    return Answer(view(_find(call)))


def update(call: Call) -> Answer:
    """PUT model_groups/{model_group_id}: name and description."""
    _require_body(call)
    group, fields = _find(call), call.fields()
    name, description = fields.text("name"), fields.text("description")
    _refuse_access_fields(fields)
    if name is not None and name != group.name:
        _require_free_name(call.cluster, name)
    groups, group_id = call.cluster.store.groups, call.parameters["model_group_id"]
    call.cluster.let_others_in()
    conflicts.begin_update(call.cluster, groups, group_id)
    if name is not None:
        group.name = name
    if description is not None:
        group.description = description
    moves_time = call.cluster.rules.group_update_moves_time
    if moves_time:
        group.updated = call.cluster.now_ms()
    if moves_time or name is not None or description is not None:
        groups.touch(group_id)
    return Answer({"status": "Updated"})


def delete(call: Call) -> Answer:
    """DELETE model_groups/{model_group_id}: refused while it has versions."""
    group_id = call.parameters["model_group_id"]
    if call.cluster.store.models.where("group_id", group_id):
        raise status_error(409, "Cannot delete the model group when it has associated model versions")
    call.cluster.let_others_in()
    return Answer(call.cluster.store.groups.delete(group_id).answer())


def find_all(call: Call) -> Answer:
    """GET or POST model_groups/_search."""
    return search.answer(call, call.cluster.store.groups, lambda _id, group: view(group))


def view(group: ModelGroup) -> JsonObject:
    """A group as the API shows it; without model access control every group is public."""
    described = {} if group.description is None else {"description": group.description}
    return {
        "name": group.name,
        "latest_version": group.latest_version,
        **described,
        "access": "public",
        "created_time": group.created,
        "last_updated_time": group.updated,
    }


def _find(call: Call) -> ModelGroup:
    group_id = call.parameters["model_group_id"]
    group = call.cluster.store.groups.get(group_id)
    if group is None:
        raise status_error(404, f"Failed to find model group with the provided model group id: {group_id}")
    return group


def _require_body(call: Call) -> None:
    if call.document.empty:
        raise parse_error("Model group request has empty body")


def _refuse_access_fields(fields: Fields) -> None:
    if any(name in fields for name in _ACCESS_FIELDS):
        raise illegal_argument(
            "You cannot specify model access control parameters because the Security plugin or model access "
            "control is disabled on your cluster."
        )


def _require_free_name(cluster: Cluster, name: str) -> None:
    holder = named(cluster, name)
    if holder is not None:
        raise illegal_argument(
            f"The name you provided is already being used by a model group with ID: {holder}."
        )
