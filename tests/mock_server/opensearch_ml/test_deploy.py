from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def test_a_deploy_is_answered_before_the_model_is_deployed(ml: Any) -> None:
    model_id = ml.model()
    answer = ml.post(f"~/models/{model_id}/_deploy").body
    assert set(answer) == {"task_id", "task_type", "status"}
    assert (answer["task_type"], answer["status"]) == ("DEPLOY_MODEL", "CREATED")
    assert ml.state(model_id) == "DEPLOYING"


def test_a_deploy_ends_with_the_model_deployed_on_every_node(make_client: Callable[..., Any]) -> None:
    ml = make_client(nodes=3)
    model = ml.get(f"~/models/{ml.deployed()}").body
    assert model["model_state"] == "DEPLOYED"
    assert model["current_worker_node_count"] == 3
    assert set(model["planning_worker_nodes"]) == set(ml.get("/_nodes").body["nodes"])
    assert model["deploy_to_all_nodes"] is True


def test_the_task_goes_from_created_over_running_to_completed(ml: Any) -> None:
    model_id = ml.model()
    task_id = ml.post(f"~/models/{model_id}/_deploy").body["task_id"]
    states = []
    for _ in range(3):
        task = ml.get(f"~/tasks/{task_id}").body
        states.append(task["state"])
        ml.time.now += 0.0151
    assert states == ["CREATED", "RUNNING", "COMPLETED"]
    assert (task["task_type"], task["model_id"], task["is_async"]) == ("DEPLOY_MODEL", model_id, True)


def test_a_failed_deploy_says_why_in_its_task(ml: Any) -> None:
    model_id = ml.model()
    ml.put(f"~/models/{model_id}", {"connector_id": "gone"})
    task_id = ml.post(f"~/models/{model_id}/_deploy").body["task_id"]
    ml.time.now += 1
    task = ml.get(f"~/tasks/{task_id}").body
    assert (ml.state(model_id), task["state"]) == ("DEPLOY_FAILED", "FAILED")
    assert task["error"].endswith(':"Failed to find connector:gone"}')


def test_a_model_whose_deploy_failed_can_be_deleted(ml: Any) -> None:
    model_id = ml.model()
    ml.put(f"~/models/{model_id}", {"connector_id": "gone"})
    ml.post(f"~/models/{model_id}/_deploy")
    ml.time.now += 1
    assert ml.delete(f"~/models/{model_id}").status == 200


def test_a_second_deploy_leaves_the_model_deployed_and_both_tasks_completed(ml: Any) -> None:
    model_id = ml.model()
    task_ids = [ml.post(f"~/models/{model_id}/_deploy").body["task_id"] for _ in range(2)]
    ml.time.now += 1
    assert ml.state(model_id) == "DEPLOYED"
    assert [ml.get(f"~/tasks/{task_id}").body["state"] for task_id in task_ids] == ["COMPLETED"] * 2


def test_node_ids_need_the_setting(ml: Any) -> None:
    answer = ml.post(f"~/models/{ml.model()}/_deploy", {"node_ids": ["x"]})
    assert (answer.status, ml.reason(answer)) == (400, "Don't allow custom deployment plan")


def test_node_ids_limit_the_deployment(make_client: Callable[..., Any]) -> None:
    ml = make_client(nodes=3)
    ml.setting("allow_custom_deployment_plan", True)
    chosen = list(ml.get("/_nodes").body["nodes"])[1]
    model_id = ml.model()
    ml.post(f"~/models/{model_id}/_deploy", {"node_ids": [chosen]})
    ml.time.now += 1
    model = ml.get(f"~/models/{model_id}").body
    assert model["planning_worker_nodes"] == [chosen]
    assert "deploy_to_all_nodes" not in model


def test_nodes_that_do_not_exist_are_refused(ml: Any) -> None:
    ml.setting("allow_custom_deployment_plan", True)
    answer = ml.post(f"~/models/{ml.model()}/_deploy", {"node_ids": ["nope"]})
    assert (answer.status, ml.reason(answer)) == (400, "no eligible node found")


def test_a_plan_must_include_the_nodes_that_have_the_model(ml: Any) -> None:
    ml.setting("allow_custom_deployment_plan", True)
    answer = ml.post(f"~/models/{ml.deployed()}/_deploy", {"node_ids": ["nope"]})
    assert answer.status == 400
    assert ml.reason(answer).startswith("Model already deployed to these nodes: [")


def test_no_node_ids_mean_all_nodes(ml: Any) -> None:
    model_id = ml.model()
    assert ml.post(f"~/models/{model_id}/_deploy", {"node_ids": []}).status == 200
    ml.time.now += 1
    assert ml.get(f"~/models/{model_id}").body["deploy_to_all_nodes"] is True


@pytest.mark.parametrize(
    ("value", "token"), [("x", "VALUE_STRING"), (None, "VALUE_NULL"), ({}, "START_OBJECT")]
)
def test_node_ids_of_another_type_are_refused_with_their_place(ml: Any, value: Any, token: str) -> None:
    answer = ml.post(f"~/models/{ml.model()}/_deploy", {"node_ids": value})
    expected = f"Failed to parse object: expecting token of type [START_ARRAY] but found [{token}]"
    assert (answer.status, ml.reason(answer)) == (400, expected)
    assert (answer.body["error"]["line"], answer.body["error"]["col"]) == (1, 14)


def test_register_can_deploy_at_once(ml: Any) -> None:
    body = {"name": "m", "function_name": "remote", "connector_id": ml.connector()}
    model_id = ml.post("~/models/_register?deploy=true", body).body["model_id"]
    ml.time.now += 1
    assert ml.state(model_id) == "DEPLOYED"


def test_undeploy_says_undeployed_where_the_model_was(ml: Any) -> None:
    model_id = ml.deployed()
    (node,) = ml.get("/_nodes").body["nodes"]
    assert ml.post(f"~/models/{model_id}/_undeploy").body == {node: {"stats": {model_id: "UNDEPLOYED"}}}
    assert ml.state(model_id) == "UNDEPLOYED"


def test_undeploy_says_not_found_where_the_model_was_not(ml: Any) -> None:
    model_id = ml.model()
    answer = ml.post(f"~/models/{model_id}/_undeploy")
    assert [node["stats"] for node in answer.body.values()] == [{model_id: "not_found"}]
    assert ml.state(model_id) == "REGISTERED"


def test_an_undeploy_during_a_deploy_comes_after_it(ml: Any) -> None:
    model_id = ml.model()
    task_id = ml.post(f"~/models/{model_id}/_deploy").body["task_id"]
    ml.post(f"~/models/{model_id}/_undeploy")
    ml.time.now += 1
    assert ml.state(model_id) == "UNDEPLOYED"
    assert ml.get(f"~/tasks/{task_id}").body["state"] == "COMPLETED"


def test_ids_in_the_body_win_over_the_id_in_the_path(ml: Any) -> None:
    kept, named = ml.deployed(), ml.deployed()
    ml.post(f"~/models/{kept}/_undeploy", {"model_ids": [named]})
    assert (ml.state(kept), ml.state(named)) == ("DEPLOYED", "UNDEPLOYED")


def test_known_and_unknown_models_can_be_undeployed_together(ml: Any) -> None:
    model_id = ml.deployed()
    (node,) = ml.post("~/models/_undeploy", {"model_ids": [model_id, "nope"]}).body.values()
    assert node["stats"] == {model_id: "UNDEPLOYED", "nope": "not_found"}


@pytest.mark.parametrize("model_id", ["nope", "", " "])
def test_one_unknown_model_is_404(ml: Any, model_id: str) -> None:
    assert ml.post("~/models/_undeploy", {"model_ids": [model_id]}).status == 404


@pytest.mark.parametrize("body", [None, {}, {"model_ids": []}, {"bogus": 1}])
def test_an_undeploy_of_nothing_is_refused(ml: Any, body: Any) -> None:
    answer = ml.post("~/models/_undeploy", body)
    assert (answer.status, ml.reason(answer)) == (400, "Must set specific model ids to undeploy")


def test_an_undeploy_from_one_node_leaves_the_others(make_client: Callable[..., Any]) -> None:
    ml = make_client(nodes=3)
    ml.setting("allow_custom_deployment_plan", True)
    model_id = ml.deployed()
    first, *rest = ml.get("/_nodes").body["nodes"]
    answer = ml.post("~/models/_undeploy", {"model_ids": [model_id], "node_ids": [first]})
    model = ml.get(f"~/models/{model_id}").body
    assert list(answer.body) == [first]
    assert (model["model_state"], set(model["planning_worker_nodes"])) == ("DEPLOYED", set(rest))
    ml.post("~/models/_undeploy", {"model_ids": [model_id], "node_ids": rest})
    assert ml.state(model_id) == "UNDEPLOYED"


def test_undeploying_from_named_nodes_needs_the_setting(ml: Any) -> None:
    answer = ml.post("~/models/_undeploy", {"model_ids": [ml.model()], "node_ids": ["x"]})
    assert (answer.status, ml.reason(answer)) == (400, "Don't allow custom deployment plan")


def test_an_undeploy_from_nodes_that_are_not_there_is_believed_later(make_client: Any) -> None:
    """Since 3.4 the document then says that no node has the model, though one has and answers."""
    for behaviour, state in (("opensearch-2.19", "DEPLOYED"), ("opensearch-3.4", "UNDEPLOYED")):
        ml = make_client(behaviour=behaviour)
        ml.setting("allow_custom_deployment_plan", True)
        model_id = ml.deployed()
        answer = ml.post("~/models/_undeploy", {"model_ids": [model_id], "node_ids": ["nope"]})
        assert (answer.status, answer.body) == (200, {})
        assert ml.state(model_id) == state
        assert ml.predict(model_id).status == 200
        (undeployed,) = ml.post(f"~/models/{model_id}/_undeploy").body.values()
        assert undeployed == {"stats": {model_id: "undeployed"}}
        assert ml.state(model_id) == "UNDEPLOYED"


def test_an_undeploy_from_nodes_without_it_leaves_it_deployed_on_the_others(make_client: Any) -> None:
    """On a recorded node of 3.4 it then reads UNDEPLOYED, and tells where it is after the next one."""
    for options, state in (
        ({"docs_version": "3.4"}, "DEPLOYED"),
        ({"behaviour": "opensearch-3.4"}, "UNDEPLOYED"),
    ):
        ml = make_client(nodes=3, **options)
        ml.setting("allow_custom_deployment_plan", True)
        model_id, nodes = ml.model(), list(ml.get("/_nodes").body["nodes"])
        ml.post(f"~/models/{model_id}/_deploy", {"node_ids": nodes[:2]})
        ml.time.now += 1
        ml.post("~/models/_undeploy", {"model_ids": [model_id], "node_ids": nodes[2:]})
        assert ml.state(model_id) == state
        ml.post("~/models/_undeploy", {"model_ids": [model_id], "node_ids": nodes[:1]})
        read = ml.get(f"~/models/{model_id}").body
        assert (read["model_state"], read["planning_worker_nodes"]) == (state, nodes[1:2])


def test_an_undeploy_that_meets_the_sync_up_job_leaves_the_model_failed(make_client: Any) -> None:
    """About every tenth does where the job runs once a second; an undeploy once more helps."""
    ml = make_client(behaviour="opensearch-3.4")
    ml.setting("sync_up_job_interval_in_seconds", 1)
    model_id, states = ml.deployed(), []
    for _ in range(100):
        ml.post(f"~/models/{model_id}/_undeploy")
        states.append(ml.state(model_id))
        if states[-1] != "UNDEPLOYED":
            ml.post(f"~/models/{model_id}/_undeploy")
            assert ml.state(model_id) == "UNDEPLOYED"
        ml.post(f"~/models/{model_id}/_deploy")
        ml.time.now += 1
    assert set(states) == {"UNDEPLOYED", "DEPLOY_FAILED"}
    assert 3 <= states.count("DEPLOY_FAILED") <= 20


def test_what_the_sync_up_job_lets_fail_is_written_down_anew(make_client: Any) -> None:
    ml = make_client(behaviour="opensearch-3.4")
    ml.setting("sync_up_job_interval_in_seconds", 1)
    model = f"~/models/{ml.deployed()}"
    for _ in range(100):
        deployed = ml.get(model).body
        ml.time.now += 1
        ml.post(f"{model}/_undeploy")
        undeployed = ml.get(model).body
        if undeployed["model_state"] == "DEPLOY_FAILED":
            break
        ml.post(f"{model}/_deploy")
        ml.time.now += 1
    assert undeployed["model_state"] == "DEPLOY_FAILED"
    assert undeployed["last_updated_time"] >= deployed["last_updated_time"] + 1000
    assert undeployed["last_deployed_time"] == deployed["last_deployed_time"]


def _states_after_a_call(ml: Any, seconds: float) -> list[str]:
    """What 60 models read as so long after the predict call that deploys each."""
    states = []
    for _ in range(60):
        model_id = ml.model()
        assert ml.predict(model_id).status == 200
        ml.time.now += seconds
        states.append(ml.state(model_id))
    return states


@pytest.mark.parametrize("behaviour", ["opensearch-2.19", "opensearch-3.4"])
def test_when_the_deployment_by_a_call_is_seen_is_chance_on_a_node(make_client: Any, behaviour: str) -> None:
    """In 39 of 80 tries within 80 ms of the answer, and in all of them within 430 ms."""
    states = _states_after_a_call(make_client(behaviour=behaviour), 0.08)
    assert 15 <= states.count("REGISTERED") <= 45
    assert set(_states_after_a_call(make_client(behaviour=behaviour), 0.5)) == {"DEPLOYED"}


def test_as_documented_the_deployment_by_a_call_is_seen_after_a_fixed_time(ml: Any) -> None:
    assert set(_states_after_a_call(ml, 0.07)) == {"REGISTERED"}
    assert "REGISTERED" not in _states_after_a_call(ml, 0.09)
