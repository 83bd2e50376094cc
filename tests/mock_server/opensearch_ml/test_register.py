from __future__ import annotations

import re
from typing import Any

import pytest


def _body(ml: Any, **fields: Any) -> dict[str, Any]:
    return {"name": "m", "function_name": "remote", "connector_id": ml.connector(), **fields}


def test_register_answers_task_and_model(ml: Any) -> None:
    answer = ml.post("~/models/_register", _body(ml)).body
    assert answer["status"] == "CREATED"
    assert re.fullmatch(r"[A-Za-z0-9_-]{20}", answer["model_id"])
    task = ml.get(f"~/tasks/{answer['task_id']}").body
    assert (task["task_type"], task["state"], task["model_id"]) == (
        "REGISTER_MODEL",
        "COMPLETED",
        answer["model_id"],
    )


def test_a_model_without_a_group_gets_one_of_its_name(ml: Any) -> None:
    first, second = (ml.get(f"~/models/{ml.model(name='same')}").body for _ in range(2))
    assert first["model_group_id"] == second["model_group_id"]
    assert (first["model_version"], second["model_version"]) == ("1", "2")
    assert ml.get(f"~/model_groups/{first['model_group_id']}").body["name"] == "same"


def test_what_was_never_set_is_not_shown(ml: Any) -> None:
    shown = set(ml.get(f"~/models/{ml.model()}").body)
    assert shown == {
        "name",
        "model_group_id",
        "algorithm",
        "model_version",
        "model_state",
        "created_time",
        "last_updated_time",
        "is_hidden",
        "connector_id",
    }


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "model name is null"),
        ({"name": "x"}, "model format is null"),
        ({"function_name": "remote"}, "model name is null"),
        ({"name": "x", "function_name": "nope"}, "Wrong function name"),
        (
            {"name": "x", "function_name": "remote"},
            "You must provide connector content when creating a remote model without connector id!",
        ),
        (None, "request body is required"),
    ],
)
def test_a_bad_body_is_refused(ml: Any, body: Any, reason: str) -> None:
    answer = ml.post("~/models/_register", body)
    assert (answer.status, ml.reason(answer)) == (400, reason)


def test_an_unknown_connector_is_404(ml: Any) -> None:
    answer = ml.post("~/models/_register", {"name": "x", "function_name": "remote", "connector_id": "nope"})
    assert (answer.status, ml.reason(answer)) == (404, "Failed to find connector:nope")


def test_an_unknown_group_is_404(ml: Any) -> None:
    answer = ml.post("~/models/_register", _body(ml, model_group_id="nope"))
    assert (answer.status, ml.reason(answer)) == (404, "Model Group Response is empty for nope")


def test_the_deploy_flag_must_be_a_boolean(ml: Any) -> None:
    answer = ml.post("~/models/_register?deploy=maybe", _body(ml))
    assert ml.reason(answer) == "Failed to parse value [maybe] as only [true] or [false] are allowed."


def test_a_local_model_from_a_url_needs_the_setting(ml: Any) -> None:
    body = {"name": "x", "version": "1", "model_format": "ONNX", "url": "http://h/"}
    assert ml.post("~/models/_register", body).status == 400
    body["model_config"] = {
        "model_type": "bert",
        "embedding_dimension": 3,
        "framework_type": "sentence_transformers",
    }
    ml.setting("allow_registering_model_via_url", True)
    assert ml.post("~/models/_register", body).status == 200


@pytest.mark.parametrize(
    ("setting", "token"), [(None, "VALUE_NULL"), (5, "VALUE_NUMBER"), ("x", "VALUE_STRING")]
)
def test_a_deploy_setting_that_is_no_object_is_refused_with_its_place(
    ml: Any, setting: Any, token: str
) -> None:
    answer = ml.post("~/models/_register", {"deploy_setting": setting})
    expected = f"Failed to parse object: expecting token of type [START_OBJECT] but found [{token}]"
    assert (ml.reason(answer), answer.body["error"]["col"]) == (expected, 20)


def test_a_ttl_of_a_wrong_type_is_told_with_the_place_behind_it(ml: Any) -> None:
    answer = ml.post("~/models/_register", {"deploy_setting": {"model_ttl_minutes": None}})
    assert answer.body["error"]["type"] == "json_parse_exception"
    assert ml.reason(answer).startswith("Current token (VALUE_NULL) not numeric")
    assert ml.reason(answer).endswith("line: 1, column: 46]")


LOCAL = {
    "name": "x",
    "version": "1",
    "model_format": "ONNX",
    "url": "http://h/",
    "model_config": {
        "model_type": "bert",
        "embedding_dimension": 3,
        "framework_type": "sentence_transformers",
    },
}


def test_characters_are_looked_at_before_the_url(make_client: Any) -> None:
    ml = make_client(docs_version="3.4")
    reasons = [ml.reason(ml.post("~/models/_register", {**LOCAL, "name": name})) for name in ("<", "x")]
    assert [reason.split()[0] for reason in reasons] == ["Validation", "To"]


def test_a_file_is_missed_before_local_models_are_refused(ml: Any) -> None:
    ml.setting("local_model.enabled", False)
    reasons = [ml.reason(ml.post("~/models/_register", body)) for body in ({"name": "x"}, LOCAL)]
    assert [reason.split(" is ")[0] for reason in reasons] == ["model format", "Local Model"]
