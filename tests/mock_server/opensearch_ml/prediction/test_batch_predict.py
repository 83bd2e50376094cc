"""Batch predict: a job at the remote endpoint, followed by a task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

ACTION = {
    "action_type": "batch_predict",
    "method": "POST",
    "url": "http://127.0.0.1:9/v1/batches",
    "request_body": '{ "file": "${parameters.file}" }',
}


def _started(ml: Any) -> tuple[str, str]:
    model_id = ml.model(connector_id=ml.connector(actions=[ACTION]))
    answer = ml.post(f"~/models/{model_id}/_batch_predict", {"parameters": {"file": "f"}})
    assert (answer.status, answer.body["status"]) == (200, "CREATED")
    return model_id, answer.body["task_id"]


def test_the_task_tells_of_the_job_and_completes(ml: Any) -> None:
    ml.put("/_mock/predict", {"answer": {"id": "batch_1", "status": "in_progress"}})
    model_id, task_id = _started(ml)
    task = ml.get(f"~/tasks/{task_id}").body
    assert (task["task_type"], task["state"], task["input_type"]) == ("BATCH_PREDICTION", "RUNNING", "REMOTE")
    assert (task["model_id"], task["remote_job"]["id"]) == (model_id, "batch_1")
    ml.time.now += 5
    assert ml.get(f"~/tasks/{task_id}").body["state"] == "COMPLETED"


def test_a_job_can_be_cancelled(ml: Any) -> None:
    _, task_id = _started(ml)
    assert ml.post(f"~/tasks/{task_id}/_cancel_batch").body == {"status": "OK"}
    ml.time.now += 5
    assert ml.get(f"~/tasks/{task_id}").body["state"] == "CANCELLED"


def test_a_task_of_another_kind_has_no_job_to_cancel(ml: Any) -> None:
    task_id = ml.post(f"~/models/{ml.model()}/_deploy").body["task_id"]
    assert ml.post(f"~/tasks/{task_id}/_cancel_batch").status == 400


def test_no_job_is_cancelled_where_there_is_no_task(ml: Any) -> None:
    answer = ml.post("~/tasks/nope/_cancel_batch")
    assert (answer.status, ml.reason(answer)) == (404, "Fail to find task")


def test_a_connector_without_the_action_is_refused(ml: Any) -> None:
    answer = ml.post(f"~/models/{ml.model()}/_batch_predict", {"parameters": {}})
    assert (answer.status, ml.reason(answer)) == (400, "no BATCH_PREDICT action found")


def test_a_missing_parameter_is_refused(ml: Any) -> None:
    model_id = ml.model(connector_id=ml.connector(actions=[ACTION]))
    answer = ml.post(f"~/models/{model_id}/_batch_predict", {"parameters": {}})
    assert answer.status == 400
    assert ml.reason(answer).endswith("not filled in payload: file")


STATUS = {
    "action_type": "batch_predict_status",
    "method": "POST",
    "url": "http://127.0.0.1:9/v1/batches/${parameters.id}",
    "request_body": "{}",
}


@pytest.fixture
def node(make_client: Callable[..., Any]) -> Any:
    return make_client(behaviour="opensearch-3.4")


@pytest.mark.parametrize(
    ("method", "suffix", "purpose"),
    [("GET", "", "get the batch job details"), ("POST", "/_cancel_batch", "cancel the batch job")],
)
def test_a_node_fails_without_an_action_to_ask_by(node: Any, method: str, suffix: str, purpose: str) -> None:
    _, task_id = _started(node)
    answer = node.send(method, f"~/tasks/{task_id}{suffix}")
    assert (answer.status, answer.body["error"]["type"]) == (500, "unsupported_operation_exception")
    assert node.reason(answer) == f"Please configure the action type to {purpose} in the connector"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("in_progress", "RUNNING"),
        ("Completed", "COMPLETED"),
        ("cancelling", "CANCELLING"),
        ("cancelled", "CANCELLED"),
        ("expired", "EXPIRED"),
        ("failed", "FAILED"),
    ],
)
def test_a_node_takes_the_state_from_the_endpoint(node: Any, status: str, state: str) -> None:
    model_id = node.model(connector_id=node.connector(actions=[ACTION, STATUS]))
    started = node.post(f"~/models/{model_id}/_batch_predict", {"parameters": {"file": "f"}})
    node.put("/_mock/predict", {"answer": {"status": status}})
    task = node.get(f"~/tasks/{started.body['task_id']}").body
    assert (task["state"], task["remote_job"]["status"]) == (state, status)
    assert "choices" in task["remote_job"]


def test_the_task_of_a_deleted_model_can_not_be_asked_about(node: Any) -> None:
    model_id, task_id = _started(node)
    node.time.now += 1
    node.post(f"~/models/{model_id}/_undeploy")
    node.delete(f"~/models/{model_id}")
    answer = node.get(f"~/tasks/{task_id}")
    expected = "Failed to retrieve the ML model for the given task ID"
    assert (answer.status, node.reason(answer)) == (404, expected)


def test_a_node_keeps_a_running_task(node: Any) -> None:
    _, task_id = _started(node)
    answer = node.delete(f"~/tasks/{task_id}")
    expected = (500, "exception", "Task cannot be deleted in running state. Try after some time.")
    assert (answer.status, answer.body["error"]["type"], node.reason(answer)) == expected


def test_as_documented_a_running_task_is_deleted(ml: Any) -> None:
    _, task_id = _started(ml)
    assert ml.delete(f"~/tasks/{task_id}").body["result"] == "deleted"


@pytest.mark.parametrize("body", [None, "{}"])
def test_an_action_to_ask_by_needs_a_body(node: Any, body: str | None) -> None:
    status = {name: value for name, value in STATUS.items() if name != "request_body" or body is not None}
    model_id = node.model(connector_id=node.connector(actions=[ACTION, status]))
    started = node.post(f"~/models/{model_id}/_batch_predict", {"parameters": {"file": "f"}})
    assert node.get(f"~/tasks/{started.body['task_id']}").status == (500 if body is None else 200)


@pytest.mark.parametrize("status", ["stopped", "Timeout", "stopping", "complete"])
def test_platforms_have_other_words_for_the_same_states(node: Any, status: str) -> None:
    model_id = node.model(connector_id=node.connector(actions=[ACTION, STATUS]))
    started = node.post(f"~/models/{model_id}/_batch_predict", {"parameters": {"file": "f"}})
    node.put("/_mock/predict", {"answer": {"TransformJobStatus": status}})
    states = {"stopped": "CANCELLED", "Timeout": "EXPIRED", "stopping": "CANCELLING", "complete": "COMPLETED"}
    assert node.get(f"~/tasks/{started.body['task_id']}").body["state"] == states[status]


def test_a_job_that_is_over_is_not_cancelled(ml: Any) -> None:
    _, task_id = _started(ml)
    ml.time.now += 5
    assert ml.get(f"~/tasks/{task_id}").body["state"] == "COMPLETED"
    assert ml.post(f"~/tasks/{task_id}/_cancel_batch").body == {"status": "OK"}
    assert ml.get(f"~/tasks/{task_id}").body["state"] == "COMPLETED"
