"""Statistics of the cluster and of its nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

NUMBERS = {
    "ml_jvm_heap_usage",
    "ml_executing_task_count",
    "ml_request_count",
    "ml_failure_count",
    "ml_deployed_model_count",
    "ml_circuit_breaker_trigger_count",
}


@pytest.fixture
def node(make_client: Callable[..., Any]) -> Any:
    return make_client(behaviour="opensearch-3.4")


def test_the_pages_show_numbers_by_node(make_client: Callable[..., Any]) -> None:
    ml = make_client(nodes=2)
    shown = ml.get("~/stats").body
    assert set(shown) == set(ml.get("/_nodes").body["nodes"])
    assert all(set(numbers) == NUMBERS for numbers in shown.values())


def test_a_node_begins_with_the_cluster(node: Any) -> None:
    assert node.get("~/stats").body["ml_model_index_status"] == "non-existent"
    node.deployed()
    shown = node.get("~/stats").body
    assert (shown["ml_model_index_status"], shown["ml_controller_index_status"]) == ("green", "non-existent")
    assert (shown["ml_model_count"], shown["ml_connector_count"]) == (1, 1)
    (numbers,) = shown["nodes"].values()
    assert set(numbers) == NUMBERS | {"algorithms", "models"}


def test_actions_are_counted_by_algorithm_and_by_model(node: Any) -> None:
    model_id = node.deployed()
    node.predict(model_id)
    node.predict(model_id)
    node.post(f"~/models/{model_id}/_undeploy")
    (numbers,) = node.get("~/stats").body["nodes"].values()
    counts = {"register": 1, "deploy": 1, "predict": 2, "undeploy": 1}
    expected = {action: {"ml_action_request_count": count} for action, count in counts.items()}
    assert (numbers["algorithms"], numbers["models"]) == ({"remote": expected}, {model_id: expected})
    assert (numbers["ml_request_count"], numbers["ml_deployed_model_count"]) == (5, 0)


def test_a_restart_counts_from_zero(node: Any) -> None:
    node.deployed()
    node.post("/_mock/restart")
    (numbers,) = node.get("~/stats").body["nodes"].values()
    assert (numbers["ml_request_count"], numbers["algorithms"]) == (0, {})


@pytest.mark.parametrize(
    ("stat", "members"),
    [
        ("ml_executing_task_count", {"nodes"}),
        ("ML_EXECUTING_TASK_COUNT", {"nodes"}),
        ("ml_model_count", {"ml_model_count", "ml_connector_count"}),
        ("ml_task_index_status", {"ml_task_index_status"}),
        ("ml_task_index_status,ml_request_count", {"ml_task_index_status", "nodes"}),
    ],
)
def test_statistics_are_asked_for_by_name(node: Any, stat: str, members: set[str]) -> None:
    assert set(node.get(f"~/stats/{stat}").body) == members


@pytest.mark.parametrize("stat", ["nope", "ml_request_count,nope"])
def test_an_unknown_statistic_is_refused(node: Any, stat: str) -> None:
    answer = node.get(f"~/stats/{stat}")
    assert (answer.status, node.reason(answer)) == (400, "Wrong ML cluster level stat")


def test_an_unknown_node_has_no_numbers(node: Any) -> None:
    assert node.get("~/nope/stats/ml_request_count").body == {}
