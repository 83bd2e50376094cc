from __future__ import annotations

from typing import Any

import pytest

PREFIX = "plugins.ml_commons."
INTERVAL = "sync_up_job_interval_in_seconds"
CONNECTOR = {
    "name": "c",
    "version": "1",
    "protocol": "http",
    "credential": {"k": "v"},
    "actions": [{"action_type": "predict", "method": "POST", "url": "http://127.0.0.1:9/x"}],
}


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
        (
            "model_auto_redeploy_success_ratio",
            -1,
            "Failed to parse value [-1] for setting [{0}] must be >= 0.0",
        ),
        ("max_model_on_node", [5], "Failed to parse value [[5]] for setting [{0}]"),
        ("max_model_on_node", " 5", "Failed to parse value [ 5] for setting [{0}]"),
        ("max_model_on_node", 99999999999, "Failed to parse value [99999999999] for setting [{0}]"),
        (
            "safe_delete_model",
            [True],
            "Failed to parse value [[true]] as only [true] or [false] are allowed.",
        ),
        (
            "disk_free_space_threshold",
            5,
            "failed to parse setting [{0}] with value [5] as a size in bytes: unit is missing",
        ),
        ("ml_task_timeout_in_seconds", 0, "Failed to parse value [0] for setting [{0}] must be >= 1"),
        ("multi_tenancy_enabled", True, "persistent setting [{0}], not dynamically updateable"),
    ],
)
def test_a_bad_value_is_refused(ml: Any, name: str, value: Any, reason: str) -> None:
    answer = ml.setting(name, value)
    assert answer.status == 400
    assert ml.reason(answer).startswith(reason.format(PREFIX + name))


def test_a_pattern_that_is_none_is_refused_when_it_is_needed(ml: Any) -> None:
    assert ml.setting("trusted_connector_endpoints_regex", ["("]).status == 200
    assert ml.post("~/connectors/_create", CONNECTOR).status == 400


def test_a_list_that_is_written_as_a_text_stays_one(ml: Any) -> None:
    answer = ml.setting("trusted_connector_endpoints_regex", "a, .*")
    assert answer.body["persistent"]["plugins"]["ml_commons"]["trusted_connector_endpoints_regex"] == "a, .*"
    assert ml.post("~/connectors/_create", CONNECTOR).status == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"persistent": None}, "settings_exception"),
        ({"persistent": 1}, "class_cast_exception"),
        ({"bogus": 1}, "action_request_validation_exception"),
        ([], "action_request_validation_exception"),
    ],
)
def test_what_changes_no_setting_is_refused(ml: Any, body: Any, kind: str) -> None:
    answer = ml.put("/_cluster/settings", body)
    assert (answer.status, answer.body["error"]["type"]) == (400, kind)


def test_a_refused_change_changes_nothing(ml: Any) -> None:
    ml.put("/_cluster/settings", {"persistent": {PREFIX + "safe_delete_model": True, PREFIX + INTERVAL: "x"}})
    assert ml.get("/_cluster/settings").body["persistent"] == {}


@pytest.mark.parametrize("body", [{}, {"persistent": {}}, {"bogus": {}}, {"persistent": 1}, None])
def test_a_change_of_nothing_is_refused(ml: Any, body: Any) -> None:
    assert ml.put("/_cluster/settings", body).status == 400


@pytest.mark.parametrize("names", [("a_nope", "b_nope"), ("b_nope", "a_nope")])
def test_of_several_bad_settings_the_first_by_name_is_told(ml: Any, names: tuple[str, str]) -> None:
    answer = ml.put("/_cluster/settings", {"persistent": {PREFIX + name: 1 for name in names}})
    assert ml.reason(answer) == f"persistent setting [{PREFIX}a_nope], not recognized"
