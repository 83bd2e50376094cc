"""Models that were deleted and are in the memory of nodes still."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

SYNC_SECONDS = 10


@pytest.fixture
def node(make_client: Callable[..., Any]) -> Any:
    return make_client(mutant="deleted-model-stays")


@pytest.fixture
def recorded(make_client: Callable[..., Any]) -> Any:
    return make_client(behaviour="opensearch-3.4")


def deleted_beside_a_call(ml: Any) -> str:
    """A model that was deleted before the predict call that deploys it had done so."""
    model_id = str(ml.model())
    assert ml.predict(model_id).status == 200
    assert ml.delete(f"~/models/{model_id}").status == 200
    return model_id


def deleted_after_a_failure(ml: Any) -> str:
    model_id = str(ml.model())
    ml.put(f"~/models/{model_id}", {"connector_id": "no-such-connector"})
    ml.post(f"~/models/{model_id}/_deploy")
    ml.time.now += 1
    assert ml.state(model_id) == "DEPLOY_FAILED"
    assert ml.delete(f"~/models/{model_id}").status == 200
    return model_id


def held(ml: Any) -> dict[str, Any]:
    """What nodes say of the models that they have, by model; of one node."""
    nodes = ml.get("~/profile/models").body.get("nodes", {}).values()
    return {model: shown for part in nodes for model, shown in part["models"].items()}


def test_as_documented_a_deleted_model_is_in_no_memory(ml: Any) -> None:
    deleted_beside_a_call(ml)
    deleted_after_a_failure(ml)
    ml.time.now += SYNC_SECONDS
    assert held(ml) == {}


def test_one_that_a_call_deploys_serves_from_the_next_run_of_the_sync_up_job_on(node: Any) -> None:
    model_id = deleted_beside_a_call(node)
    assert (node.predict(model_id).status, "worker_nodes" in held(node)[model_id]) == (404, False)
    node.time.now += SYNC_SECONDS
    assert (node.predict(model_id).status, "worker_nodes" in held(node)[model_id]) == (200, True)
    assert node.get(f"~/models/{model_id}").status == 404


def test_calls_count_in_its_profile_though_they_are_refused(node: Any) -> None:
    model_id = deleted_beside_a_call(node)
    node.predict(model_id)
    counted = held(node)[model_id]
    assert counted["predict_request_stats"]["count"] == 2
    assert counted["model_inference_stats"]["count"] == 1


def test_an_undeploy_of_several_models_frees_it_and_one_of_it_alone_does_not(node: Any) -> None:
    model_id = deleted_beside_a_call(node)
    node.time.now += SYNC_SECONDS
    assert node.post(f"~/models/{model_id}/_undeploy").status == 404
    assert model_id in held(node)
    (answer,) = node.post("~/models/_undeploy", {"model_ids": [model_id, "x"]}).body.values()
    assert answer["stats"] == {model_id: "UNDEPLOYED", "x": "not_found"}
    assert (held(node), node.predict(model_id).status) == ({}, 404)


def test_a_recorded_node_goes_on_to_deploy_one_whose_deploy_failed(recorded: Any) -> None:
    model_id = deleted_after_a_failure(recorded)
    recorded.time.now += SYNC_SECONDS
    (worker,) = recorded.get("/_nodes").body["nodes"]
    assert held(recorded) == {model_id: {"model_state": "DEPLOYING", "target_worker_nodes": [worker]}}
    assert recorded.predict(model_id).status == 404


def test_a_recorded_node_keeps_most_that_a_call_deploys(recorded: Any) -> None:
    kept = [deleted_beside_a_call(recorded) for _ in range(40)]
    recorded.time.now += SYNC_SECONDS
    assert 20 < len(held(recorded)) < len(kept)


def test_a_restart_frees_it(node: Any) -> None:
    deleted_beside_a_call(node)
    node.post("/_mock/restart")
    assert held(node) == {}


def test_the_state_of_a_cluster_has_it(node: Any) -> None:
    model_id = deleted_beside_a_call(node)
    state = node.get("/_mock/state").body
    node.post("/_mock/reset")
    assert held(node) == {}
    node.put("/_mock/state", state)
    node.time.now += SYNC_SECONDS
    assert (list(held(node)), node.predict(model_id).status) == ([model_id], 200)


def test_it_leaves_with_its_node(make_client: Callable[..., Any]) -> None:
    ml = make_client(nodes=2, mutant="deleted-model-stays")
    model_id = deleted_beside_a_call(ml)
    ml.time.now += SYNC_SECONDS
    assert ml.post("/_mock/nodes", {"stop": 2}).status == 200
    assert [len(shown["worker_nodes"]) for shown in held(ml).values()] == [1]
    assert ml.predict(model_id).status == 200
