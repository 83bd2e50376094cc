"""What is trained on the node: each algorithm's own refusals, and the columns that it predicts."""

from __future__ import annotations

from typing import Any

import pytest


def frame(kinds: dict[str, str], *rows: tuple[Any, ...]) -> dict[str, Any]:
    metas = [{"name": name, "column_type": kind} for name, kind in kinds.items()]
    cells = [
        [{"column_type": kind, "value": value} for kind, value in zip(kinds.values(), row, strict=True)]
        for row in rows
    ]
    return {"input_data": {"column_metas": metas, "rows": [{"values": row} for row in cells]}}


NUMBERS = frame({"a": "DOUBLE", "b": "DOUBLE"}, (1, 2), (3, 4))
LABELS = frame({"a": "DOUBLE", "kind": "STRING"}, (1, "x"), (2, "y"), (3, "y"))


@pytest.mark.parametrize(
    ("algorithm", "body", "column"),
    [
        ("kmeans", NUMBERS, {"name": "ClusterID", "column_type": "INTEGER"}),
        (
            "linear_regression",
            {**NUMBERS, "parameters": {"target": "b"}},
            {"name": "b", "column_type": "DOUBLE"},
        ),
        (
            "logistic_regression",
            {**LABELS, "parameters": {"target": "kind"}},
            {"name": "result", "column_type": "STRING"},
        ),
        ("batch_rcf", NUMBERS, {"name": "score", "column_type": "DOUBLE"}),
    ],
)
def test_an_algorithm_predicts_columns_of_its_own(
    ml: Any, algorithm: str, body: Any, column: dict[str, str]
) -> None:
    model_id = ml.post(f"~/_train/{algorithm}", body).body["model_id"]
    assert ml.get(f"~/models/{model_id}").body["algorithm"] == algorithm.upper()
    answer = ml.post(f"~/_predict/{algorithm}/{model_id}", frame({"a": "DOUBLE"}, (1,))).body
    assert answer["status"] == "COMPLETED"
    assert answer["prediction_result"]["column_metas"][0] == column
    (row,) = answer["prediction_result"]["rows"]
    assert row["values"][0]["column_type"] == column["column_type"]


@pytest.mark.parametrize("algorithm", ["linear_regression", "logistic_regression"])
@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({}, "Empty target when generating dataset from data frame."),
        ({"target": ""}, "Empty target when generating dataset from data frame."),
        ({"target": "c"}, "No matched target when generating dataset from data frame."),
    ],
)
def test_what_is_to_be_predicted_is_named(ml: Any, algorithm: str, parameters: Any, reason: str) -> None:
    answer = ml.post(f"~/_train/{algorithm}", {**NUMBERS, "parameters": parameters})
    assert (answer.status, ml.reason(answer)) == (400, reason)


def test_rows_near_each_other_are_one_cluster(ml: Any) -> None:
    body = {**frame({"a": "DOUBLE"}, (0,), (9,)), "parameters": {"centroids": 2}}
    model_id = ml.post("~/_train/kmeans", body).body["model_id"]
    answer = ml.post(f"~/models/{model_id}/_predict", frame({"a": "DOUBLE"}, (1,), (8,), (0.5,))).body
    rows = answer["prediction_result"]["rows"]
    assert [row["values"][0]["value"] for row in rows] == [0, 1, 0]


def test_what_the_mock_does_not_train_it_says(ml: Any) -> None:
    answer = ml.post("~/_train/fit_rcf", NUMBERS)
    expected = "The mock does not train fit_rcf, but these: "
    assert (answer.status, ml.reason(answer).startswith(expected)) == (400, True)
