"""Profiles: which models and tasks are shown, where, and what their requests took."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def node(make_client: Callable[..., Any]) -> Any:
    return make_client(behaviour="opensearch-3.4")


def _model(ml: Any, model_id: str, suffix: str = "") -> Any:
    (part,) = ml.get(f"~/profile/models/{model_id}{suffix}").body["nodes"].values()
    return part["models"][model_id]


def test_requests_are_counted_and_so_are_those_that_were_answered(ml: Any) -> None:
    model_id = ml.deployed()
    assert not {"model_inference_stats", "predict_request_stats"} & set(_model(ml, model_id))
    ml.predict(model_id)
    ml.post(f"~/models/{model_id}/_predict", {"parameters": {"other": "x"}})
    shown = _model(ml, model_id)
    assert set(shown["predict_request_stats"]) == {"count", "max", "min", "average", "p50", "p90", "p99"}
    assert (shown["model_inference_stats"]["count"], shown["predict_request_stats"]["count"]) == (1, 2)


def test_an_undeployed_model_is_not_remembered(ml: Any) -> None:
    model_id = ml.deployed()
    ml.predict(model_id)
    ml.post(f"~/models/{model_id}/_undeploy")
    ml.post(f"~/models/{model_id}/_deploy")
    ml.time.now += 1
    assert "predict_request_stats" not in _model(ml, model_id)


def test_only_as_many_requests_are_monitored_as_the_setting_says(ml: Any) -> None:
    model_id = ml.deployed()
    for _ in range(3):
        ml.predict(model_id)
    ml.setting("monitoring_request_count", 2)
    assert _model(ml, model_id)["predict_request_stats"]["count"] == 2
    ml.setting("monitoring_request_count", 0)
    assert "predict_request_stats" not in _model(ml, model_id)


class TestRefused:
    """A predict call to a model that is not in memory is remembered (recordings profile_refused)."""

    @pytest.fixture
    def model(self, ml: Any) -> str:
        ml.setting("model_auto_deploy.enable", False)
        model_id = str(ml.model())
        assert ml.predict(model_id).status == 400
        return model_id

    def test_it_is_counted(self, ml: Any, model: str) -> None:
        assert set(_model(ml, model)) == {"predict_request_stats"}
        ml.predict(model)
        assert _model(ml, model)["predict_request_stats"]["count"] == 2

    def test_nothing_is_where_nothing_is_monitored(self, ml: Any, model: str) -> None:
        ml.setting("monitoring_request_count", 0)
        assert ml.get(f"~/profile/models/{model}").body == {}

    def test_a_deploy_begins_anew(self, ml: Any, model: str) -> None:
        ml.post(f"~/models/{model}/_deploy")
        ml.time.now += 1
        assert "predict_request_stats" not in _model(ml, model)

    def test_an_undeploy_forgets_it(self, ml: Any, model: str) -> None:
        ml.post(f"~/models/{model}/_undeploy")
        assert ml.get("~/profile/models").body == {}

    def test_the_sync_up_job_forgets_it(self, ml: Any, model: str) -> None:
        ml.time.now += 10
        assert ml.get(f"~/profile/models/{model}").body == {}
        ml.predict(model)
        assert _model(ml, model)["predict_request_stats"]["count"] == 1

    def test_what_the_job_forgot_does_not_come_back_with_another_interval(self, ml: Any, model: str) -> None:
        ml.time.now += 10
        ml.setting("sync_up_job_interval_in_seconds", 0)
        assert ml.get(f"~/profile/models/{model}").body == {}

    def test_a_restart_forgets_it(self, ml: Any, model: str) -> None:
        ml.post("/_mock/restart")
        assert ml.get(f"~/profile/models/{model}").body == {}

    def test_it_outlives_the_model_until_an_undeploy_names_it(self, ml: Any, model: str) -> None:
        ml.delete(f"~/models/{model}")
        assert _model(ml, model)["predict_request_stats"]["count"] == 1
        ml.post("~/models/_undeploy", {"model_ids": [model, "nothing"]})
        assert ml.get(f"~/profile/models/{model}").body == {}

    def test_what_the_job_forgot_of_deleted_models_takes_no_room(self, ml: Any, model: str) -> None:
        ml.delete(f"~/models/{model}")
        ml.time.now += 10
        other = str(ml.model())
        ml.predict(other)
        ml.delete(f"~/models/{other}")
        assert set(ml.get("/_mock/state").body["profiles"]["opensearch-ml"]["asked"]) == {other}

    def test_a_restart_forgets_that_of_a_deleted_one(self, ml: Any, model: str) -> None:
        ml.delete(f"~/models/{model}")
        ml.post("/_mock/restart")
        assert ml.get(f"~/profile/models/{model}").body == {}

    def test_a_state_that_was_kept_tells_it(self, ml: Any, model: str) -> None:
        ml.delete(f"~/models/{model}")
        kept = ml.get("/_mock/state").body
        ml.post("/_mock/restart")
        ml.put("/_mock/state", kept)
        assert _model(ml, model)["predict_request_stats"]["count"] == 1


def test_the_view_by_model_tells_once_where_it_is(node: Any) -> None:
    model_id = node.deployed()
    (worker,) = node.get("/_nodes").body["nodes"]
    shown = node.get(f"~/profile/models/{model_id}?view=model").body["models"][model_id]
    assert (shown["worker_nodes"], shown["target_worker_nodes"]) == ([worker], [worker])
    assert set(shown["nodes"][worker]) == {"model_state", "predictor"}
    assert node.get("~/profile?view=other").body == {}


def test_a_node_without_the_model_knows_where_it_is(make_client: Callable[..., Any]) -> None:
    ml = make_client(nodes=2)
    ml.setting("allow_custom_deployment_plan", True)
    first, second = ml.get("/_nodes").body["nodes"]
    model_id = ml.model()
    ml.post(f"~/models/{model_id}/_deploy", {"node_ids": [second]})
    ml.time.now += 1
    nodes = ml.get("~/profile").body["nodes"]
    assert nodes[first]["models"][model_id] == {"worker_nodes": [second]}
    assert nodes[second]["models"][model_id]["model_state"] == "DEPLOYED"


@pytest.mark.parametrize(
    ("behaviour", "body", "found"),
    [
        ("documented", {}, True),
        ("opensearch-2.19", {}, False),
        ("opensearch-3.4", {}, False),
        ("opensearch-3.4", {"return_all_models": True}, True),
        ("opensearch-3.4", {"return_all_models": True, "node_ids": ["nope"]}, False),
        ("opensearch-3.4", {"return_all_tasks": True}, False),
        ("documented", {"return_all_models": False}, False),
    ],
)
def test_a_body_says_what_is_shown(
    make_client: Callable[..., Any], behaviour: str, body: Any, found: bool
) -> None:
    ml = make_client(behaviour=behaviour)
    ml.deployed()
    assert bool(ml.get("~/profile", body).body) is found


def test_a_body_names_models(node: Any) -> None:
    model_id = node.deployed()
    assert "models" in node.get("~/profile", {"model_ids": [model_id]}).body["nodes"].popitem()[1]
    assert node.get("~/profile", {"model_ids": ["nope"]}).body == {}


def test_a_body_leaves_the_path_unread(node: Any) -> None:
    answer = node.get("~/profile/tasks/t", {})
    expected = "request [/_plugins/_ml/profile/tasks/t] contains unrecognized parameter: [task_id]"
    assert (answer.status, node.reason(answer)) == (400, expected)


def test_a_task_under_way_is_found_by_its_model_too(ml: Any) -> None:
    model_id = ml.model()
    task_id = ml.post(f"~/models/{model_id}/_deploy").body["task_id"]
    (part,) = ml.get(f"~/profile/models/{model_id}").body["nodes"].values()
    assert part["tasks"][task_id]["task_id"] == task_id
    assert part["tasks"][task_id]["task_type"] == "DEPLOY_MODEL"
