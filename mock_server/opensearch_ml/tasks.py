"""Tasks: get, search, delete."""

from __future__ import annotations

from mock_server.opensearch_ml import search
from mock_server.opensearch_ml.cluster import Answer, Call
from mock_server.opensearch_ml.errors import illegal_argument, status_error
from mock_server.opensearch_ml.store import JsonObject, Task, TaskState

BATCH_PREDICTION = "BATCH_PREDICTION"


def get(call: Call) -> Answer:
    """GET tasks/{task_id}; reading the task of a batch predict asks how its job is doing."""
    task = _find(call)
    call.cluster.lifecycle.look(call.parameters["task_id"])
    if task.due is not None and task.state is TaskState.RUNNING and call.cluster.clock.now() >= task.due:
        task.state, task.updated = TaskState.COMPLETED, call.cluster.now_ms()
        call.cluster.store.tasks.touch(call.parameters["task_id"])
    return Answer(view(task))


def cancel_batch(call: Call) -> Answer:
    """POST tasks/{task_id}/_cancel_batch."""
    task, cluster = _find(call), call.cluster
    if task.type != BATCH_PREDICTION:
        raise illegal_argument("The task ID you provided does not have any associated batch job")
    if task.state is TaskState.RUNNING:
        task.state, task.updated = TaskState.CANCELLED, cluster.now_ms()
        cluster.store.tasks.touch(call.parameters["task_id"])
    return Answer({"status": "OK"})


def delete(call: Call) -> Answer:
    """DELETE tasks/{task_id}: the state of the task is not looked at."""
    _find(call)
    call.cluster.let_others_in()
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
        **({} if task.input_type is None else {"input_type": task.input_type}),
        "worker_node": list(task.nodes),
        "create_time": task.created,
        "last_update_time": task.updated,
    }
    if task.error is not None:
        shown["error"] = task.error
    shown["is_async"] = task.is_async
    return shown if task.remote_job is None else shown | {"remote_job": task.remote_job}


def _find(call: Call) -> Task:
    task = call.cluster.store.tasks.get(call.parameters["task_id"])
    if task is None:
        raise status_error(404, "Failed to find task")
    return task
