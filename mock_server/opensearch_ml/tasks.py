"""Tasks: get, search, delete, and the batch jobs that some of them follow."""

from __future__ import annotations

import re

from mlconform.mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mlconform.mock_server.opensearch_ml.connectors import find_action
from mlconform.mock_server.opensearch_ml.errors import illegal_argument, node_error, status_error
from mlconform.mock_server.opensearch_ml.prediction.remote_models import connector_of
from mlconform.mock_server.opensearch_ml.search.operation import answer_search
from mlconform.mock_server.opensearch_ml.store import JsonObject, Task, TaskState

BATCH_PREDICTION = "BATCH_PREDICTION"
_PLATFORMS = ("sagemaker", "openai", "cohere", "bedrock")
_STATUS_MEMBERS = ("status", "Status", "TransformJobStatus")
_STATES = {
    TaskState.CANCELLING: "stopping|cancelling",
    TaskState.CANCELLED: "stopped|cancelled",
    TaskState.COMPLETED: "complete|completed|partiallyCompleted",
    TaskState.EXPIRED: "expired|timeout",
    TaskState.FAILED: "failed",
}


def get(call: Call) -> Answer:
    """GET tasks/{task_id}; reading the task of a batch predict asks how its job is doing."""
    task = _find(call)
    call.cluster.lifecycle.look(call.parameters["task_id"])
    if task.type == BATCH_PREDICTION and call.cluster.rules.batch_jobs_are_asked_about:
        _ask(call.cluster, task)
        call.cluster.store.tasks.touch(call.parameters["task_id"])
    elif task.due is not None and task.state is TaskState.RUNNING and call.cluster.clock.now() >= task.due:
        task.state, task.updated = TaskState.COMPLETED, call.cluster.now_ms()
        call.cluster.store.tasks.touch(call.parameters["task_id"])
    return Answer(view(call.cluster.lifecycle.copies.read(call.parameters["task_id"], task)))


def cancel_batch(call: Call) -> Answer:
    """POST tasks/{task_id}/_cancel_batch."""
    task, cluster = _find(call, "Fail to find task"), call.cluster
    if task.type != BATCH_PREDICTION:
        raise illegal_argument("The task ID you provided does not have any associated batch job")
    if cluster.rules.batch_jobs_are_asked_about:
        _require_action(cluster, task, "CANCEL_BATCH_PREDICT", "cancel the batch job")
    elif task.state is TaskState.RUNNING:
        task.state, task.updated = TaskState.CANCELLED, cluster.now_ms()
        cluster.store.tasks.touch(call.parameters["task_id"])
    return Answer({"status": "OK"})


def _ask(cluster: Cluster, task: Task) -> None:
    """Ask the endpoint how a job is doing: what it answers is kept, and its status is that of the task."""
    _require_action(cluster, task, "BATCH_PREDICT_STATUS", "get the batch job details")
    answer = cluster.endpoint.answer
    task.remote_job = {**(task.remote_job or {}), **(answer if isinstance(answer, dict) else {})}
    for member in _STATUS_MEMBERS:
        for state, pattern in _STATES.items():
            if re.search(pattern, str(task.remote_job.get(member, "")), re.IGNORECASE):
                task.state = state
                break


def _require_action(cluster: Cluster, task: Task, kind: str, purpose: str) -> None:
    """A connector has an action for it, with a body, or calls a platform that the node knows."""
    model = cluster.store.models.get(task.model_id or "")
    if model is None:
        raise status_error(404, "Failed to retrieve the ML model for the given task ID")
    connector = connector_of(cluster, model)
    action, job = find_action(connector, kind), find_action(connector, "BATCH_PREDICT")
    if action is not None and action.get("request_body") is not None:
        return
    if job is None or not any(platform in job["url"] for platform in _PLATFORMS):
        reason = f"Please configure the action type to {purpose} in the connector"
        raise node_error("unsupported_operation_exception", reason)


def delete(call: Call) -> Answer:
    """DELETE tasks/{task_id}; as documented, the state of the task is not looked at."""
    task_id = call.parameters["task_id"]
    task = call.cluster.lifecycle.copies.read(task_id, _find(call))
    if task.state is TaskState.RUNNING and call.cluster.rules.running_tasks_are_kept:
        raise node_error("exception", "Task cannot be deleted in running state. Try after some time.")
    call.cluster.let_others_in()
    return Answer(call.cluster.store.tasks.delete(task_id).answer())


def find_all(call: Call) -> Answer:
    """GET or POST tasks/_search."""
    return answer_search(call, call.cluster.store.tasks, lambda _id, task: view(task))


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


def _find(call: Call, reason: str = "Failed to find task") -> Task:
    task = call.cluster.store.tasks.get(call.parameters["task_id"])
    if task is None:
        raise status_error(404, reason)
    return task
