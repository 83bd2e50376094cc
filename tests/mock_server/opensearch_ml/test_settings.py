from __future__ import annotations

from typing import Any

import pytest

PREFIX = "plugins.ml_commons."
INTERVAL = "sync_up_job_interval_in_seconds"


def test_a_setting_is_acknowledged_as_text(ml: Any) -> None:
    nested = {"plugins": {"ml_commons": {INTERVAL: "0"}}}
    assert ml.setting(INTERVAL, 0).body == {"acknowledged": True, "persistent": nested, "transient": {}}


def test_settings_can_be_nested_in_any_way(ml: Any) -> None:
    ml.put("/_cluster/settings", {"persistent": {"plugins": {"ml_commons.safe_delete_model": True}}})
    assert ml.get("/_cluster/settings?flat_settings=true").body["persistent"] == {
        PREFIX + "safe_delete_model": "true"
    }


def test_defaults_are_those_of_the_documentation(ml: Any) -> None:
    defaults = ml.get("/_cluster/settings?include_defaults=true&flat_settings=true").body["defaults"]
    expected = {
        INTERVAL: "10",
        "safe_delete_model": "false",
        "allow_custom_deployment_plan": "false",
        "model_auto_deploy.enable": "true",
        "model_auto_redeploy.enable": "true",
        "only_run_on_ml_node": "true",
        "max_model_on_node": "10",
        "ml_task_timeout_in_seconds": "600",
        "native_memory_threshold": "90",
    }
    assert {name: defaults[PREFIX + name] for name in expected} == expected


def test_a_setting_that_is_set_is_not_among_the_defaults(ml: Any) -> None:
    ml.setting("safe_delete_model", False)
    path = "/_cluster/settings?include_defaults=true&filter_path=*.plugins.ml_commons.safe_delete_model"
    assert ml.get(path).body == {"persistent": {"plugins": {"ml_commons": {"safe_delete_model": "false"}}}}


@pytest.mark.parametrize("key", [PREFIX + "safe_delete_model", PREFIX + "*"])
def test_null_resets(ml: Any, key: str) -> None:
    ml.setting("safe_delete_model", True)
    assert ml.put("/_cluster/settings", {"persistent": {key: None}}).body["persistent"] == {}
    assert ml.get("/_cluster/settings").body["persistent"] == {}


def test_transient_wins_over_persistent(ml: Any) -> None:
    ml.setting("model_auto_deploy.enable", False)
    ml.put("/_cluster/settings", {"transient": {PREFIX + "model_auto_deploy.enable": True}})
    assert ml.predict(ml.model()).status == 200


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        (INTERVAL, -1, f"Failed to parse value [-1] for setting [{PREFIX}{INTERVAL}] must be >= 0"),
        (INTERVAL, 86401, f"Failed to parse value [86401] for setting [{PREFIX}{INTERVAL}] must be <= 86400"),
        (INTERVAL, "x", f"Failed to parse value [x] for setting [{PREFIX}{INTERVAL}]"),
        (
            "safe_delete_model",
            "maybe",
            "Failed to parse value [maybe] as only [true] or [false] are allowed.",
        ),
        ("no_such_setting", 1, f"persistent setting [{PREFIX}no_such_setting], not recognized"),
        ("task_dispatch_policy", "x", "Unknown value [x]"),
        ("model_auto_redeploy_success_ratio", 2, "Failed to parse value [2]"),
        ("trusted_connector_endpoints_regex", ["("], "Failed to parse value for setting"),
    ],
)
def test_a_bad_value_is_refused(ml: Any, name: str, value: Any, reason: str) -> None:
    answer = ml.setting(name, value)
    assert answer.status == 400
    assert ml.reason(answer).startswith(reason)


def test_a_refused_change_changes_nothing(ml: Any) -> None:
    ml.put("/_cluster/settings", {"persistent": {PREFIX + "safe_delete_model": True, PREFIX + INTERVAL: "x"}})
    assert ml.get("/_cluster/settings").body["persistent"] == {}


@pytest.mark.parametrize("body", [{}, {"persistent": {}}, {"bogus": {}}, {"persistent": 1}, None])
def test_a_change_of_nothing_is_refused(ml: Any, body: Any) -> None:
    assert ml.put("/_cluster/settings", body).status == 400
