"""TTL, the sync-up job, and restarts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

MINUTE = 60.0
INTERVAL = 10.0


def _with_ttl(ml: Any, minutes: int) -> str:
    return str(ml.deployed(deploy_setting={"model_ttl_minutes": minutes}))


def test_a_model_stays_until_its_ttl_and_goes_by_the_next_tick(ml: Any) -> None:
    model_id = _with_ttl(ml, 1)
    start = ml.time.now
    ml.time.now = start + MINUTE - 2
    assert ml.state(model_id) == "DEPLOYED"
    ml.time.now = start + MINUTE + INTERVAL
    assert ml.state(model_id) == "UNDEPLOYED"


def test_the_job_ticks_at_multiples_of_its_interval_since_the_start(ml: Any) -> None:
    origin = ml.time.now
    model_id = _with_ttl(ml, 1)
    ml.time.now = origin + 69.9
    assert ml.state(model_id) == "DEPLOYED"
    ml.time.now = origin + 70
    assert ml.state(model_id) == "UNDEPLOYED"


def test_a_changed_interval_counts_from_its_change(ml: Any) -> None:
    model_id = _with_ttl(ml, 1)
    ml.time.now += 4
    changed = ml.time.now
    ml.setting("sync_up_job_interval_in_seconds", 100)
    ml.time.now = changed + 99
    assert ml.state(model_id) == "DEPLOYED"
    ml.time.now = changed + 100
    assert ml.state(model_id) == "UNDEPLOYED"


def test_an_interval_of_zero_stops_the_job(ml: Any) -> None:
    ml.setting("sync_up_job_interval_in_seconds", 0)
    model_id = _with_ttl(ml, 1)
    ml.time.now += 1000 * MINUTE
    assert ml.state(model_id) == "DEPLOYED"


def test_predict_begins_the_ttl_anew(ml: Any) -> None:
    model_id = _with_ttl(ml, 1)
    ml.time.now += 55
    ml.predict(model_id)
    ml.time.now += 55
    assert ml.state(model_id) == "DEPLOYED"
    ml.time.now += 5 + INTERVAL
    assert ml.state(model_id) == "UNDEPLOYED"


def test_reading_does_not_begin_the_ttl_anew(ml: Any) -> None:
    model_id = _with_ttl(ml, 1)
    for _ in range(7):
        ml.time.now += 10
        state = ml.state(model_id)
    assert state == "UNDEPLOYED"


def test_a_ttl_of_zero_ends_at_the_next_tick(ml: Any) -> None:
    model_id = _with_ttl(ml, 0)
    assert ml.state(model_id) == "DEPLOYED"
    ml.time.now += INTERVAL
    assert ml.state(model_id) == "UNDEPLOYED"


def test_a_ttl_of_minus_one_never_ends(ml: Any) -> None:
    model_id = _with_ttl(ml, -1)
    ml.time.now += 1e6
    assert ml.state(model_id) == "DEPLOYED"


def test_a_shorter_ttl_counts_from_the_last_use(ml: Any) -> None:
    model_id = _with_ttl(ml, 100)
    ml.time.now += 2 * MINUTE
    ml.put(f"~/models/{model_id}", {"deploy_setting": {"model_ttl_minutes": 1}})
    ml.time.now += INTERVAL
    assert ml.state(model_id) == "UNDEPLOYED"


def test_several_models_go_at_one_tick(ml: Any) -> None:
    model_ids = [_with_ttl(ml, 1) for _ in range(3)]
    ml.time.now += MINUTE + INTERVAL
    assert [ml.state(model_id) for model_id in model_ids] == ["UNDEPLOYED"] * 3


def test_a_leap_over_years_is_answered_at_once(ml: Any) -> None:
    ml.setting("sync_up_job_interval_in_seconds", 1)
    model_id = _with_ttl(ml, 1)
    ml.post("/_mock/clock", {"advance": 3e8})
    assert ml.state(model_id) == "UNDEPLOYED"


@pytest.mark.parametrize(
    ("value", "status"), [("5", 200), (1.5, 200), (2**31, 200), ("x", 400), (None, 400), (2**63, 400)]
)
def test_a_ttl_must_be_a_number(ml: Any, value: Any, status: int) -> None:
    body = {"name": "m", "function_name": "remote", "connector_id": ml.connector()}
    assert (
        ml.post("~/models/_register", body | {"deploy_setting": {"model_ttl_minutes": value}}).status
        == status
    )


def test_a_restart_takes_models_out_of_memory(ml: Any) -> None:
    ml.setting("model_auto_redeploy.enable", False)
    ml.setting("model_auto_deploy.enable", False)
    model_id = ml.deployed()
    ml.post("/_mock/restart")
    ml.time.now += 10 * INTERVAL
    assert ml.state(model_id) == "UNDEPLOYED"
    assert ml.predict(model_id).status == 400
    ml.post(f"~/models/{model_id}/_deploy")
    ml.time.now += 1
    assert ml.predict(model_id).status == 200


def test_with_auto_redeploy_a_model_comes_back_by_itself(ml: Any) -> None:
    ml.setting("model_auto_deploy.enable", False)
    model_id = ml.deployed()
    ml.post("/_mock/restart")
    assert ml.predict(model_id).status == 400
    ml.time.now += INTERVAL + 1
    assert (ml.state(model_id), ml.predict(model_id).status) == ("DEPLOYED", 200)


def test_a_model_that_was_undeployed_stays_so_after_a_restart(ml: Any) -> None:
    model_id = ml.deployed()
    ml.post(f"~/models/{model_id}/_undeploy")
    ml.post("/_mock/restart")
    ml.time.now += 10 * INTERVAL
    assert ml.state(model_id) == "UNDEPLOYED"


def test_a_restart_ends_what_was_under_way(ml: Any) -> None:
    task_id = ml.post(f"~/models/{ml.model()}/_deploy").body["task_id"]
    ml.post("/_mock/restart")
    assert ml.get(f"~/tasks/{task_id}").body["state"] == "FAILED"


def test_a_restart_forgets_transient_settings_alone(ml: Any) -> None:
    name = "plugins.ml_commons.safe_delete_model"
    ml.put("/_cluster/settings", {"persistent": {name: True}, "transient": {name: False}})
    ml.post("/_mock/restart")
    assert ml.get("/_cluster/settings?flat_settings=true").body == {
        "persistent": {name: "true"},
        "transient": {},
    }


def _restarted(make_client: Callable[..., Any], interval: int, seed: int = 0) -> tuple[Any, str]:
    """A recorded node of 2.19 that restarted with a deployed model, and that model."""
    ml = make_client(behaviour="opensearch-2.19", seed=seed)
    ml.setting("model_auto_redeploy.enable", True)
    ml.setting("sync_up_job_interval_in_seconds", interval)
    model_id = ml.deployed()
    ml.post("/_mock/restart")
    assert ml.state(model_id) == "DEPLOYED"
    return ml, model_id


def test_a_recorded_node_deploys_again_ten_seconds_after_a_restart(make_client: Callable[..., Any]) -> None:
    ml, model_id = _restarted(make_client, 60)
    ml.time.now += 9.9
    assert not ml.get("/_plugins/_ml/profile/models").body
    ml.time.now += 1
    assert ml.state(model_id) == "DEPLOYED"
    assert ml.get("/_plugins/_ml/profile/models").body["nodes"]


def test_what_its_sync_up_job_missed_before_is_left_alone(make_client: Callable[..., Any]) -> None:
    """Whether the job comes first is chance."""
    states = set()
    for seed in range(20):
        ml, model_id = _restarted(make_client, 3, seed=seed)
        ml.time.now += 3
        before = ml.state(model_id)
        ml.time.now += 60
        states.add((before, ml.state(model_id), bool(ml.get("/_plugins/_ml/profile/models").body)))
    assert states == {("DEPLOY_FAILED", "DEPLOY_FAILED", False), ("DEPLOYED", "DEPLOYED", True)}
