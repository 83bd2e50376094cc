"""Model groups: register, get, update, delete, search."""

from __future__ import annotations

from collections.abc import Callable

from mock_server.opensearch_ml import conflicts
from mock_server.opensearch_ml.bodies.checked_texts import check_texts
from mock_server.opensearch_ml.bodies.fields import Fields, flag_reader, read_in_order, text_reader
from mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mock_server.opensearch_ml.errors import (
    ApiError,
    illegal_argument,
    node_error,
    parse_error,
    status_error,
)
from mock_server.opensearch_ml.search.operation import answer_search
from mock_server.opensearch_ml.store import JsonObject, ModelGroup

_ACCESS_MODES = frozenset({"public", "private", "restricted"})
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
    if call.document.empty:
        raise parse_error(_NO_BODY)
    fields = call.fields()
    name, description = _read(fields)
    if name is None:
        status = call.cluster.rules.nameless_group_status
        raise ApiError(status, "null_pointer_exception", "model group name must not be null")
    check_texts(call.cluster.rules, ((_NAME, name), (_DESCRIPTION, description)), required=_NAME)
    _require_free_name(call.cluster, name, _TAKEN)
    refuse_access(fields, lowered=True)
    return Answer({"model_group_id": create(call.cluster, name, description), "status": "CREATED"})


def _read(fields: Fields) -> tuple[str | None, str | None]:
    """Name and description, after every member was read as it came."""
    readers = {**access_readers(lowered=True), **{name: text_reader(name) for name in _TEXTS}}
    read_in_order(fields, readers)
    return fields.text("name"), fields.text("description")


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
    """PUT model_groups/{model_group_id}: name and description; a blank one is as good as none."""
    rules, groups, group_id = call.cluster.rules, call.cluster.store.groups, call.parameters["model_group_id"]
    if call.document.empty:
        raise node_error("i_o_exception", _NO_BODY)
    fields = call.fields()
    name, description = _read(fields)
    check_texts(rules, ((_NAME, name), (_DESCRIPTION, description)))
    group = _find(call)
    refuse_access(fields, lowered=True)
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
    if rules.group_update_moves_time:
        group.updated = call.cluster.now_ms()
    if rules.group_update_moves_time or before != (group.name, group.description):
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
    return answer_search(call, call.cluster.store.groups, lambda _id, group: view(group))


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


def access_readers(*, lowered: bool) -> dict[str, Callable[[Fields], object]]:
    """How the members that say who has access are read; `lowered` as in `refuse_access`."""
    return {
        "access_mode": lambda fields: access_mode(fields, lowered=lowered),
        "backend_roles": lambda fields: fields.texts("backend_roles"),
        "add_all_backend_roles": flag_reader("add_all_backend_roles"),
    }


def refuse_access(fields: Fields, *, lowered: bool) -> None:
    """Without the security plugin nobody can say who has access to a group.

    A mode that is not known is as good as none; with `lowered`, capitals in it do not matter. No roles are
    as good as none too. Raises ApiError 400.
    """
    given = [reader(fields) for name, reader in access_readers(lowered=lowered).items() if name in fields]
    if any(value not in (None, []) for value in given):
        raise illegal_argument(
            "You cannot specify model access control parameters because the Security plugin or model access "
            "control is disabled on your cluster."
        )


def access_mode(fields: Fields, *, lowered: bool = False) -> str | None:
    """One of the modes there are; any other text is as good as none."""
    mode = fields.text("access_mode") or ""
    mode = mode.lower() if lowered else mode
    return mode if mode in _ACCESS_MODES else None


def _require_free_name(cluster: Cluster, name: str, refusal: str) -> None:
    holder = named(cluster, name)
    if holder is not None:
        raise illegal_argument(refusal.format(holder=holder))
