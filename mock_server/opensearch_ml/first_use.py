"""What a node answers before ML Commons ever kept a thing of a kind: there is no index to look into.

Needed by the recordings of `first_use`; the pages speak of clusters that are in use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mlconform.mock_server.opensearch_ml import (
    agents,
    connectors,
    controllers,
    deploy,
    model_groups,
    models,
    tasks,
)
from mlconform.mock_server.opensearch_ml.cluster import Answer, Call, Handler
from mlconform.mock_server.opensearch_ml.errors import ApiError, illegal_argument, status_error
from mlconform.mock_server.opensearch_ml.prediction import predict
from mlconform.mock_server.opensearch_ml.search import operation
from mlconform.mock_server.opensearch_ml.security import access
from mlconform.mock_server.opensearch_ml.store import Index

Looks = Callable[[Call, Index[Any]], Answer]


def before_first(handler: Handler) -> Handler:
    """The handler that tells of a missing index where the recorded versions do."""
    found = _TOLD.get(handler)
    if found is None:
        return handler
    kind, looks = found

    def handle(call: Call) -> Answer:
        if not call.cluster.rules.missing_index_is_told:
            return handler(call)
        index: Index[Any] = getattr(call.cluster.store, kind)
        return handler(call) if index.exists else looks(call, index)

    return handle


def _says(reason: str, verb: str = "get") -> Looks:
    def refuse(call: Call, index: Index[Any]) -> Answer:
        if verb in call.cluster.rules.missing_index_breaks:
            raise _unread(index, verb, 500)
        raise status_error(404, reason)

    return refuse


def _no_agent(call: Call, _index: Index[Any]) -> Answer:
    agents.require_framework(call.cluster)
    raise status_error(404, "Failed to get agent index")


def _search_agents(call: Call, index: Index[Any]) -> Answer:
    agents.require_framework(call.cluster)
    operation.form(call)
    if "search" in call.cluster.rules.missing_index_breaks:
        raise _unread(index, "search", 500)
    raise _no_index(index, "index_or_alias")


def _delete_controller(call: Call, index: Index[Any]) -> Answer:
    access.require_controller(call, call.parameters["model_id"])
    raise _no_index(index, "index_expression")


def _no_index(index: Index[Any], kind: str) -> ApiError:
    cause = _cause(index, kind)
    return ApiError(404, cause.pop("type"), cause.pop("reason"), cause)


def _fails(verb: str, status: int) -> Looks:
    def refuse(_call: Call, index: Index[Any]) -> Answer:
        raise _unread(index, verb, status)

    return refuse


def _undeploy(call: Call, index: Index[Any]) -> Answer:
    if "model_id" not in call.parameters and not call.fields().texts("model_ids"):
        raise illegal_argument("Must set specific model ids to undeploy")
    raise _unread(index, "get", 500)


def _predict(call: Call, index: Index[Any]) -> Answer:
    by_function = "algorithm" in call.parameters
    raise _unread(index, "get", 500 if by_function and call.cluster.rules.missing_index_fails else 404)


def _delete(reason: str) -> Looks:
    def refuse(call: Call, index: Index[Any]) -> Answer:
        if call.cluster.rules.missing_index_fails:
            raise _unread(index, "delete", 500)
        raise status_error(404, reason)

    return refuse


def _delete_task(_call: Call, index: Index[Any]) -> Answer:
    unread = _unread(index, "get", 404)
    cause = {"type": unread.type, "reason": unread.reason, "caused_by": unread.caused_by}
    raise ApiError(404, "status_exception", "Failed to find task", caused_by=cause, root=unread.root)


def _unread(index: Index[Any], verb: str, status: int) -> ApiError:
    cause = _cause(index, "index_expression")
    reason = f"Failed to {verb} data object from index {index.name}"
    return ApiError(status, "status_exception", reason, caused_by=cause, root=cause)


def _cause(index: Index[Any], kind: str) -> dict[str, Any]:
    reason = f"no such index [{index.name}]"
    place = {"index": index.name, "resource.id": index.name, "resource.type": kind, "index_uuid": "_na_"}
    return {"type": "index_not_found_exception", "reason": reason, **place}


_TOLD: Mapping[Handler, tuple[str, Looks]] = {
    agents.find_all: ("agents", _search_agents),
    models.get: ("models", _says("Fail to find model")),
    model_groups.get: ("groups", _says("Failed to find model group index")),
    connectors.get: ("connectors", _says("Failed to find connector")),
    agents.get: ("agents", _no_agent),
    model_groups.update: ("groups", _says("Failed to find model group", "update")),
    connectors.update: ("connectors", _says("Failed to find connector", "update")),
    controllers.get: ("controllers", _says("Failed to find model controller")),
    agents.delete: ("agents", _no_agent),
    model_groups.delete: ("groups", _delete("Failed to find model group")),
    connectors.delete: ("connectors", _delete("Failed to find connector")),
    tasks.delete: ("tasks", _delete_task),
    controllers.delete: ("controllers", _delete_controller),
    deploy.deploy: ("models", _fails("get", 500)),
    deploy.undeploy: ("models", _undeploy),
    predict.predict: ("models", _predict),
}
