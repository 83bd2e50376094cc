"""Which nodes hold local models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

META = {
    "name": "mine",
    "function_name": "SPARSE_TOKENIZE",
    "model_format": "TORCH_SCRIPT",
    "model_content_hash_value": "0",
    "total_chunks": 1,
}


def announced(ml: Any) -> str:
    ml.setting("allow_registering_model_via_local_file", True)
    return str(ml.post("~/models/_register_meta", META).body["model_id"])


def planned(ml: Any, model: str) -> list[str]:
    answer = ml.post(f"~/models/{model}/_deploy")
    assert answer.status == 200, answer.body
    return list(ml.get(f"~/models/{model}").body["planning_worker_nodes"])


def test_only_nodes_for_machine_learning_take_a_local_model(make_client: Callable[..., Any]) -> None:
    ml = make_client(nodes=3, ml_nodes=1)
    nodes = ml.get("/_nodes").body["nodes"]
    (dedicated,) = [name for name, node in nodes.items() if "ml" in node["roles"]]
    assert planned(ml, announced(ml)) == [dedicated]


def test_where_the_setting_is_off_every_node_takes_it(make_client: Callable[..., Any]) -> None:
    ml = make_client(nodes=3, ml_nodes=1)
    ml.setting("only_run_on_ml_node", False)
    assert len(planned(ml, announced(ml))) == 3


def test_the_roles_that_are_eligible_decide_then(make_client: Callable[..., Any]) -> None:
    ml = make_client(nodes=3, ml_nodes=2)
    ml.setting("only_run_on_ml_node", False)
    ml.setting("task_dispatcher.eligible_node_role.local_model", ["ml"])
    assert len(planned(ml, announced(ml))) == 2


def test_without_such_a_node_nothing_is_deployed(make_client: Callable[..., Any]) -> None:
    ml = make_client(nodes=2, ml_nodes=0)
    answer = ml.post(f"~/models/{announced(ml)}/_deploy")
    assert (answer.status, answer.body["error"]["reason"]) == (400, "no eligible node found")


def test_remote_models_run_anywhere(make_client: Callable[..., Any]) -> None:
    ml = make_client(nodes=2, ml_nodes=0)
    assert ml.state(ml.deployed()) == "DEPLOYED"


@pytest.mark.parametrize("count", [-1, 3])
def test_there_are_not_more_of_them_than_nodes(make_client: Callable[..., Any], count: int) -> None:
    with pytest.raises(ValueError, match=f"not {count}"):
        make_client(nodes=2, ml_nodes=count)
