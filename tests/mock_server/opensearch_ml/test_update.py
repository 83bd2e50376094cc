from __future__ import annotations

from typing import Any

import pytest

REGEX_GUARDRAILS = {
    "type": "local_regex",
    "input_guardrail": {"stop_words": [{"index_name": "i", "source_fields": ["t"]}], "regex": ["a"]},
    "output_guardrail": {"regex": ["b"]},
}
MODEL_GUARDRAILS = {
    "type": "model",
    "input_guardrail": {"model_id": "g", "response_validation_regex": r"^\s*[Aa]ccept\s*$"},
}


def _after(ml: Any, model_id: str, body: Any) -> dict[str, Any]:
    answer = ml.put(f"~/models/{model_id}", body)
    assert (answer.status, answer.body.get("result")) == (200, "updated"), answer.body
    return dict(ml.get(f"~/models/{model_id}").body)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"name": "n2"}, {"name": "n2"}),
        ({"name": 5}, {"name": "5"}),
        ({"description": "d2"}, {"description": "d2"}),
        ({"is_enabled": False}, {"is_enabled": False}),
        ({"is_enabled": "true"}, {"is_enabled": True}),
        (
            {"rate_limiter": {"limit": 4, "unit": "MINUTES"}},
            {"rate_limiter": {"limit": "4", "unit": "MINUTES"}},
        ),
        ({"deploy_setting": {"model_ttl_minutes": 7}}, {"deploy_setting": {"model_ttl_minutes": 7}}),
        ({"interface": {"input": '{"type":"object"}'}}, {"interface": {"input": '{"type":"object"}'}}),
        ({"interface": {"output": {"type": "object"}}}, {"interface": {"output": '{"type":"object"}'}}),
        ({"guardrails": REGEX_GUARDRAILS}, {"guardrails": REGEX_GUARDRAILS}),
        ({"guardrails": MODEL_GUARDRAILS}, {"guardrails": MODEL_GUARDRAILS}),
        (
            {
                "model_config": {
                    "model_type": "bert",
                    "embedding_dimension": 3,
                    "framework_type": "sentence_transformers",
                }
            },
            {
                "model_config": {
                    "model_type": "bert",
                    "embedding_dimension": 3,
                    "framework_type": "SENTENCE_TRANSFORMERS",
                }
            },
        ),
    ],
)
def test_a_field_reads_as_it_was_updated(ml: Any, body: Any, shown: dict[str, Any]) -> None:
    model = _after(ml, ml.model(), body)
    assert {name: model.get(name) for name in shown} == shown


def test_another_connector_can_be_named(ml: Any) -> None:
    connector_id = ml.connector()
    assert _after(ml, ml.model(), {"connector_id": connector_id})["connector_id"] == connector_id


def test_a_connector_of_the_models_own_is_merged(ml: Any) -> None:
    connector = {
        "name": "c",
        "version": 1,
        "protocol": "http",
        "credential": {"k": "v"},
        "parameters": {"model": "m", "endpoint": "e"},
        "actions": [{"action_type": "predict", "method": "POST", "url": "http://h/"}],
    }
    body = {"name": "m", "function_name": "remote", "connector": connector}
    model_id = ml.post("~/models/_register", body).body["model_id"]
    shown = _after(ml, model_id, {"connector": {"description": "d", "parameters": {"model": "m2"}}})[
        "connector"
    ]
    assert (shown["description"], shown["parameters"]) == ("d", {"model": "m2", "endpoint": "e"})
    assert "credential" not in shown


def test_a_model_moves_to_another_group_as_its_next_version(ml: Any) -> None:
    group_id = ml.post("~/model_groups/_register", {"name": "g"}).body["model_group_id"]
    ml.model(model_group_id=group_id)
    moved = _after(ml, ml.model(name="other"), {"model_group_id": group_id})
    assert (moved["model_group_id"], moved["model_version"]) == (group_id, "2")


def test_fields_that_are_not_sent_keep_their_value(ml: Any) -> None:
    model_id = ml.model(
        description="d", deploy_setting={"model_ttl_minutes": 5}, rate_limiter={"limit": 1, "unit": "DAYS"}
    )
    before = ml.get(f"~/models/{model_id}").body
    after = _after(ml, model_id, {"name": "n2", "rate_limiter": {"unit": "HOURS"}})
    assert after["rate_limiter"] == {"limit": "1", "unit": "HOURS"}
    changed = {"name", "rate_limiter", "last_updated_time", "model_id"}
    assert {k: v for k, v in after.items() if k not in changed} == {
        k: v for k, v in before.items() if k not in changed
    }


def test_nulls_remove_the_schemas_of_an_interface(ml: Any) -> None:
    model_id = ml.deployed(interface={"input": {"required": ["zzz"]}})
    assert ml.predict(model_id).status == 400
    assert "interface" not in _after(ml, model_id, {"interface": {"input": None, "output": None}})
    assert ml.predict(model_id).status == 200


def test_a_rate_limiter_can_not_be_removed(ml: Any) -> None:
    model_id = ml.model(rate_limiter={"limit": 1, "unit": "DAYS"})
    assert ml.put(f"~/models/{model_id}", {"rate_limiter": None}).status == 400
    assert _after(ml, model_id, {"rate_limiter": {}})["rate_limiter"] == {"limit": "1", "unit": "DAYS"}


@pytest.mark.parametrize(
    "unit", ["DAYS", "HOURS", "MICROSECONDS", "MILLISECONDS", "MINUTES", "NANOSECONDS", "SECONDS"]
)
def test_every_documented_unit_is_accepted(ml: Any, unit: str) -> None:
    assert (
        _after(ml, ml.model(), {"rate_limiter": {"limit": 1, "unit": unit}})["rate_limiter"]["unit"] == unit
    )


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (
            {"rate_limiter": {"limit": "four", "unit": "MINUTES"}},
            400,
            "Limit field must be a positive number.",
        ),
        ({"rate_limiter": {"limit": -1, "unit": "MINUTES"}}, 400, "Limit field must be a positive number."),
        ({"rate_limiter": {"unit": "WEEKS"}}, 400, "No enum constant java.util.concurrent.TimeUnit.WEEKS"),
        ({"is_enabled": "no"}, 400, "Failed to parse value [no] as only [true] or [false] are allowed."),
        ({"name": None}, 400, "Can't get text on a VALUE_NULL at 1:10"),
        ({"model_config": {"framework_type": "x"}}, 400, "Wrong framework type"),
        ({"guardrails": {"type": "nope"}}, 400, "The type of guardrails is required, can not be null."),
        ({"deploy_setting": {"model_ttl_minutes": "x"}}, 400, 'For input string: "x"'),
        (b"", 400, "Update model request has empty body"),
        (
            {"model_group_id": "nope"},
            404,
            "Failed to find the model group with the provided model group id in the update",
        ),
        ({"connector": {"description": "x"}}, 400, "Cannot update connector settings for this model."),
    ],
)
def test_a_bad_body_is_refused_and_changes_nothing(ml: Any, body: Any, status: int, reason: str) -> None:
    model_id = ml.model()
    before = ml.get(f"~/models/{model_id}").body
    sent = {"description": "changed", **body} if isinstance(body, dict) and "name" not in body else body
    answer = ml.put(f"~/models/{model_id}", sent)
    assert answer.status == status
    assert ml.reason(answer).startswith(reason)
    assert ml.get(f"~/models/{model_id}").body == before


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"is_enabled": "no", "name": null}', "Failed to parse value [no]"),
        (b'{"name": null, "is_enabled": "no"}', "Can't get text on a VALUE_NULL at 1:10"),
    ],
)
def test_the_first_bad_field_is_refused_before_the_model_is_looked_for(
    ml: Any, body: bytes, reason: str
) -> None:
    answer = ml.put("~/models/nope", body)
    assert answer.status == 400
    assert ml.reason(answer).startswith(reason)


def test_an_unknown_model_is_404(ml: Any) -> None:
    answer = ml.put("~/models/nope", {"name": "n"})
    assert (answer.status, ml.reason(answer)) == (
        404,
        "Failed to find model to update with the provided model id: nope",
    )


def test_an_update_during_a_deploy_is_a_conflict(ml: Any) -> None:
    model_id = ml.model()
    ml.post(f"~/models/{model_id}/_deploy")
    answer = ml.put(f"~/models/{model_id}", {"name": "n"})
    expected = f"Model is deploying. Please wait for the model to complete deployment. model ID {model_id}"
    assert (answer.status, ml.reason(answer)) == (409, expected)


def test_an_update_leaves_a_deployed_model_deployed(ml: Any) -> None:
    assert _after(ml, ml.deployed(), {"description": "x"})["model_state"] == "DEPLOYED"


def test_a_model_trained_on_the_node_can_not_be_updated(ml: Any) -> None:
    rows = {"input_data": {"rows": [{"values": [{"column_type": "DOUBLE", "value": 0.0}]}]}}
    model_id = ml.post("~/_train/kmeans", rows).body["model_id"]
    answer = ml.put(f"~/models/{model_id}", {"description": "x"})
    assert (answer.status, ml.reason(answer)) == (
        403,
        "The function category KMEANS is not supported at this time.",
    )
