"""Training on the node, and the input that it and its predictions take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

NO_INPUT = "Validation Failed: 1: input data can't be null;"


def rows(*numbers: Any, kind: str = "DOUBLE") -> dict[str, Any]:
    cells = [{"values": [{"column_type": kind, "value": number}]} for number in numbers]
    return {"input_data": {"column_metas": [{"name": "a", "column_type": kind}], "rows": cells}}


@pytest.mark.parametrize(
    ("algorithm", "body", "kind", "reason"),
    [
        ("kmeans", {}, "action_request_validation_exception", NO_INPUT),
        ("kmeans", b"", "parse_exception", "request body is required"),
        ("nope", rows(1), "illegal_argument_exception", "Wrong function name"),
        ("remote", rows(1), "illegal_argument_exception", "Unsupported algorithm: REMOTE"),
        (
            "kmeans",
            {**rows(1), "parameters": {"centroids": 0}},
            "illegal_argument_exception",
            "K should be positive.",
        ),
        (
            "kmeans",
            {**rows(1), "parameters": {"iterations": -1}},
            "illegal_argument_exception",
            "Iterations should be positive.",
        ),
        (
            "kmeans",
            {**rows(1), "parameters": {"iterations": 0}},
            "illegal_argument_exception",
            "Iterations should be positive.",
        ),
        (
            "kmeans",
            {**rows(1), "parameters": {"distance_type": "MOON"}},
            "illegal_argument_exception",
            "Wrong distance type",
        ),
        (
            "kmeans",
            rows(),
            "illegal_argument_exception",
            "Input data frame should not be null or empty",
        ),
        (
            "kmeans",
            {"input_data": {"rows": [{"values": [{"value": 1, "column_type": "DOUBLE"}]}]}},
            "illegal_argument_exception",
            "wrong column type, expect column_type field but got value",
        ),
        (
            "kmeans",
            {"input_data": {"rows": [{"values": [{"column_type": "DOUBLE", "x": 1}]}]}},
            "illegal_argument_exception",
            "wrong column value, expect value field but got x",
        ),
        ("kmeans", rows("a"), "number_format_exception", 'For input string: "a"'),
        ("kmeans", rows("a", kind="STRING"), "runtime_exception", "the value isn't Double type"),
        ("kmeans", {"input_query": {}}, "illegal_argument_exception", "indices can't be empty"),
    ],
)
def test_what_can_not_be_learned_from_is_refused(
    ml: Any, algorithm: str, body: Any, kind: str, reason: str
) -> None:
    answer = ml.post(f"~/_train/{algorithm}", body)
    assert (answer.status, answer.body["error"]["type"], ml.reason(answer)) == (400, kind, reason)


def test_a_search_gives_the_rows(ml: Any) -> None:
    body = {"input_index": ["flowers"], "input_query": {"query": {"match_all": {}}}}
    missing = ml.post("~/_train/kmeans", body)
    assert (missing.status, ml.reason(missing)) == (404, "no such index [flowers]")
    for number in (1, 9):
        ml.put(f"/flowers/_doc/{number}", {"petal": number})
    assert ml.post("~/_train/kmeans", body).body["status"] == "COMPLETED"
    nothing = {**body, "input_query": {"query": {"term": {"petal": 3}}}}
    assert ml.reason(ml.post("~/_train/kmeans", nothing)) == "No document found"


def test_in_the_background_a_task_tells_the_model(ml: Any) -> None:
    answer = ml.post("~/_train/kmeans?async=true", rows(1, 2)).body
    assert answer["status"] == "CREATED"
    task = ml.get(f"~/tasks/{answer['task_id']}").body
    expected = ("TRAINING", "KMEANS", "COMPLETED", "DATA_FRAME", True)
    members = ("task_type", "function_name", "state", "input_type", "is_async")
    assert tuple(task[name] for name in members) == expected
    assert ml.get(f"~/models/{task['model_id']}").body["model_state"] == "TRAINED"


def test_in_the_background_a_task_tells_what_failed(ml: Any) -> None:
    task_id = ml.post("~/_train/kmeans?async=true", rows()).body["task_id"]
    task = ml.get(f"~/tasks/{task_id}").body
    assert (task["state"], task["error"]) == ("FAILED", "Input data frame should not be null or empty")


def test_a_prediction_needs_input(ml: Any) -> None:
    model_id = ml.post("~/_train/kmeans", rows(1, 2)).body["model_id"]
    answer = ml.post(f"~/models/{model_id}/_predict", {"parameters": {}})
    assert (answer.status, ml.reason(answer)) == (400, NO_INPUT)


def test_a_trained_model_can_be_deployed(make_client: Callable[..., Any]) -> None:
    ml = make_client(behaviour="opensearch-2.19")
    model_id = ml.post("~/_train/kmeans", rows(1, 2)).body["model_id"]
    assert ml.post(f"~/models/{model_id}/_deploy").body["status"] == "CREATED"
    ml.time.now += 1
    assert ml.state(model_id) == "DEPLOYED"


def test_a_parameter_without_a_value_is_turned_on(ml: Any) -> None:
    assert "task_id" in ml.post("~/_train/kmeans?async", rows(1, 2)).body


def test_a_cell_without_a_value_needs_none(ml: Any) -> None:
    columns = {"column_metas": [{"name": "a", "column_type": "DOUBLE"}]}
    body = {"input_data": {**columns, "rows": [{"values": [{"column_type": "NULL"}]}]}}
    assert ml.reason(ml.post("~/_train/kmeans", body)) == "the value isn't Double type"
