"""Batch predict: a job at the remote endpoint, followed by a task."""

from __future__ import annotations

from typing import Any

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
