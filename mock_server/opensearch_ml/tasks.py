"""Tasks: get, search, delete."""

from __future__ import annotations

from mock_server.opensearch_ml import search
from mock_server.opensearch_ml.cluster import Answer, Call
from mock_server.opensearch_ml.errors import status_error
from mock_server.opensearch_ml.store import JsonObject, Task


def get(call: Call) -> Answer:
    """GET tasks/{task_id}."""
    return Answer(view(_find(call)))


def delete(call: Call) -> Answer:
    """DELETE tasks/{task_id}: the state of the task is not looked at."""
    _find(call)
    return Answer(call.cluster.store.tasks.delete(call.parameters["task_id"]).answer())


def find_all(call: Call) -> Answer:
    """GET or POST tasks/_search."""
    return search.answer(call, call.cluster.store.tasks, lambda _id, task: view(task))


def view(task: Task) -> JsonObject:
    """A task as the API shows it."""
    shown: JsonObject = {} if task.model_id is None else {"model_id": task.model_id}
    shown |= {
        "task_type": task.type,
        "function_name": task.function,
        "state": str(task.state),
        "worker_node": list(task.nodes),
        "create_time": task.created,
        "last_update_time": task.updated,
    }
    if task.error is not None:
        shown["error"] = task.error
    return shown | {"is_async": task.is_async}


def _find(call: Call) -> Task:
    task = call.cluster.store.tasks.get(call.parameters["task_id"])
    if task is None:
        raise status_error(404, "Failed to find task")
    return task
