"""Model groups, tasks, agents, controllers, profile and stats."""

from __future__ import annotations

from typing import Any

import pytest

LIMITS = {"user_rate_limiter": {"john": {"limit": 2, "unit": "MINUTES"}}}


def _group(ml: Any, name: str = "g") -> str:
    return str(ml.post("~/model_groups/_register", {"name": name, "description": "d"}).body["model_group_id"])


def test_a_group_begins_without_versions(ml: Any) -> None:
    shown = ml.get(f"~/model_groups/{_group(ml)}").body
    assert (shown["latest_version"], shown["access"]) == (0, "public")


def test_a_group_can_be_renamed(ml: Any) -> None:
    group_id = _group(ml)
    assert ml.put(f"~/model_groups/{group_id}", {"name": "g2"}).body == {"status": "Updated"}
    shown = ml.get(f"~/model_groups/{group_id}").body
    assert (shown["name"], shown["description"]) == ("g2", "d")


def test_a_name_is_used_once(ml: Any) -> None:
    group_id = _group(ml)
    expected = f"The name you provided is already being used by a model group with ID: {group_id}."
    answer = ml.post("~/model_groups/_register", {"name": "g"})
    assert (answer.status, ml.reason(answer)) == (400, expected)
    assert ml.put(f"~/model_groups/{_group(ml, 'other')}", {"name": "g"}).status == 400


@pytest.mark.parametrize("body", [{}, {"description": "no name"}])
def test_a_group_needs_a_name(ml: Any, body: Any) -> None:
    answer = ml.post("~/model_groups/_register", body)
    assert (answer.status, ml.reason(answer)) == (400, "model group name must not be null")


@pytest.mark.parametrize(
    "access", [{"access_mode": "public"}, {"backend_roles": ["a"]}, {"add_all_backend_roles": True}]
)
def test_access_can_not_be_controlled(ml: Any, access: dict[str, Any]) -> None:
    answer = ml.post("~/model_groups/_register", {"name": "g", **access})
    assert ml.reason(answer).startswith("You cannot specify model access control parameters")


def test_a_group_with_versions_is_not_deleted(ml: Any) -> None:
    group_id = _group(ml)
    ml.model(model_group_id=group_id)
    answer = ml.delete(f"~/model_groups/{group_id}")
    expected = "Cannot delete the model group when it has associated model versions"
    assert (answer.status, ml.reason(answer)) == (409, expected)


def test_a_deleted_group_is_gone(ml: Any) -> None:
    group_id = _group(ml)
    assert ml.delete(f"~/model_groups/{group_id}").body["result"] == "deleted"
    assert ml.get(f"~/model_groups/{group_id}").status == 404
    assert ml.delete(f"~/model_groups/{group_id}").body["result"] == "not_found"


def test_a_deleted_task_is_gone(ml: Any) -> None:
    task_id = ml.post(f"~/models/{ml.model()}/_deploy").body["task_id"]
    assert ml.delete(f"~/tasks/{task_id}").body["result"] == "deleted"
    answer = ml.get(f"~/tasks/{task_id}")
    assert (answer.status, ml.reason(answer)) == (404, "Failed to find task")
    assert ml.delete(f"~/tasks/{task_id}").status == 404


def test_an_agent_is_shown_with_its_tools(ml: Any) -> None:
    tool = {"type": "MLModelTool", "name": "t", "parameters": {"model_id": "m"}}
    body = {"name": "a", "type": "flow", "description": "d", "tools": [tool]}
    agent_id = ml.post("~/agents/_register", body).body["agent_id"]
    shown = ml.get(f"~/agents/{agent_id}").body
    assert shown["tools"] == [{**tool, "include_output_in_agent_response": False}]
    assert ml.delete(f"~/agents/{agent_id}").body["result"] == "deleted"
    assert ml.reason(ml.delete(f"~/agents/{agent_id}")) == "Fail to find ml agent"
    gone = ml.get(f"~/agents/{agent_id}")
    assert ml.reason(gone) == f"Failed to find agent with the provided agent id: {agent_id}"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"type": "flow"}, "Agent name can't be null"),
        ({"name": "x"}, "Agent type can't be null"),
        ({"name": "x", "type": "nope"}, "nope is not a valid Agent Type"),
        (
            {"name": "x", "type": "conversational"},
            "We need model information for the conversational agent type",
        ),
    ],
)
def test_a_bad_agent_is_refused(ml: Any, body: Any, reason: str) -> None:
    answer = ml.post("~/agents/_register", body)
    assert (answer.status, ml.reason(answer)) == (400, reason)


def test_a_controller_is_created_merged_replaced_and_deleted(ml: Any) -> None:
    path = f"~/controllers/{ml.model()}"
    assert ml.post(path, LIMITS).body["status"] == "CREATED"
    ml.put(path, {"user_rate_limiter": {"jane": {"limit": 3, "unit": "HOURS"}}})
    assert set(ml.get(path).body["user_rate_limiter"]) == {"john", "jane"}
    assert ml.post(path, LIMITS).body["status"] == "UPDATED"
    assert ml.get(path).body["user_rate_limiter"] == {"john": {"limit": "2", "unit": "MINUTES"}}
    assert ml.delete(path).body["result"] == "deleted"
    assert (ml.get(path).status, ml.delete(path).status) == (404, 404)


def test_a_controller_needs_a_model_and_goes_with_it(ml: Any) -> None:
    assert ml.post("~/controllers/nope", LIMITS).status == 404
    model_id = ml.model()
    ml.post(f"~/controllers/{model_id}", LIMITS)
    ml.delete(f"~/models/{model_id}")
    assert ml.get(f"~/controllers/{model_id}").status == 404


def test_profile_and_stats_show_what_is_in_memory(ml: Any) -> None:
    model_id = ml.deployed()
    (node,) = ml.get("/_nodes").body["nodes"]
    assert ml.get(f"~/profile/models/{model_id}").body["nodes"][node]["models"][model_id]["worker_nodes"] == [
        node
    ]
    assert ml.get("~/stats").body[node]["ml_deployed_model_count"] == 1
    ml.post(f"~/models/{model_id}/_undeploy")
    assert ml.get(f"~/profile/models/{model_id}").body == {}
    assert ml.get(f"~/{node}/stats/ml_deployed_model_count").body == {node: {"ml_deployed_model_count": 0}}


def test_profile_shows_tasks_that_are_not_done(ml: Any) -> None:
    task_id = ml.post(f"~/models/{ml.model()}/_deploy").body["task_id"]
    (node,) = ml.get("~/profile/tasks").body["nodes"].values()
    assert node["tasks"][task_id]["state"] == "CREATED"
    ml.time.now += 1
    assert ml.get("~/profile/tasks").body == {}


def test_a_trained_model_can_be_read_undeployed_and_deleted(ml: Any) -> None:
    body = {"input_data": {"rows": [{"values": [{"column_type": "DOUBLE", "value": 1.0}]}]}}
    model_id = ml.post("~/_train/kmeans", body).body["model_id"]
    shown = {
        "name": "KMEANS",
        "algorithm": "KMEANS",
        "model_version": "1.0.0",
        "model_state": "TRAINED",
        "is_hidden": False,
    }
    assert ml.get(f"~/models/{model_id}").body == shown
    (node,) = ml.post(f"~/models/{model_id}/_undeploy").body.values()
    assert node["stats"] == {model_id: "not_found"}
    assert ml.delete(f"~/models/{model_id}").status == 200
