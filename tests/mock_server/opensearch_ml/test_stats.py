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
    counts = {"deploy": 1, "predict": 2, "undeploy": 1}
    by_model = {action: {"ml_action_request_count": count} for action, count in counts.items()}
    by_algorithm = by_model | {"register": {"ml_action_request_count": 1}}
    assert (numbers["algorithms"], numbers["models"]) == ({"remote": by_algorithm}, {model_id: by_model})
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


@pytest.mark.parametrize(("query", "count"), [("", 1), ("?deploy=true", 2)])
def test_a_registration_that_deploys_counts_twice(node: Any, query: str, count: int) -> None:
    body = {"name": "m", "function_name": "remote", "connector_id": node.connector()}
    model_id = node.post(f"~/models/_register{query}", body).body["model_id"]
    (numbers,) = node.get("~/stats").body["nodes"].values()
    assert numbers["ml_request_count"] == count
    assert ("deploy" in numbers["models"].get(model_id, {})) is (count == 2)


def test_several_nodes_are_asked_for_by_their_ids(make_client: Callable[..., Any]) -> None:
    ml = make_client(nodes=3)
    first, second, _ = ml.get("/_nodes").body["nodes"]
    assert set(ml.get(f"~/{first},{second}/stats").body) == {first, second}


def test_a_task_runs_on_its_own_nodes(make_client: Callable[..., Any]) -> None:
    ml = make_client(nodes=2)
    action = {"action_type": "batch_predict", "method": "POST", "url": "http://127.0.0.1:9/x"}
    action["request_body"] = "{}"
    model_id = ml.model(connector_id=ml.connector(actions=[action]))
    task_id = ml.post(f"~/models/{model_id}/_batch_predict", {"parameters": {}}).body["task_id"]
    workers = set(ml.get(f"~/tasks/{task_id}").body["worker_node"])
    counts = {node: shown["ml_executing_task_count"] for node, shown in ml.get("~/stats").body.items()}
    assert len(workers) == 1
    assert {node for node, count in counts.items() if count} == workers
