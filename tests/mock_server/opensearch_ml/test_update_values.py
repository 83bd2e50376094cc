"""Updates with values that the node refuses, in its order, or accepts though nobody would think so."""

from __future__ import annotations

from typing import Any

import pytest

BOTH = ("opensearch-2.19", "opensearch-3.4")
CONFIG = {"model_type": "bert", "embedding_dimension": 3, "framework_type": "SENTENCE_TRANSFORMERS"}


def _updated(node: Any, model_id: str, *bodies: Any) -> Any:
    for body in bodies:
        answer = node.put(f"~/models/{model_id}", body)
        assert answer.status == 200, answer.body
    return node.get(f"~/models/{model_id}").body


@pytest.mark.parametrize("behaviour", BOTH)
@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        ({"is_enabled": 1}, "json_parse_exception", "Current token (VALUE_NUMBER_INT) not of boolean type"),
        ({"description": {}}, "parse_exception", "Can't get text on a START_OBJECT at 1:17"),
        ({"connector_id": "c", "connector": {}}, "status_exception", "Model cannot have both stand-alone"),
        ({"connector": {"name": None}}, "parse_exception", "Can't get text on a VALUE_NULL at 1:24"),
        ({"connector": None}, "parsing_exception", "Failed to parse object: expecting token of type"),
        (
            {"rate_limiter": {"unit": 5}},
            "illegal_argument_exception",
            "No enum constant java.util.concurrent",
        ),
        ({"guardrails": {"input_guardrail": {}}}, "illegal_argument_exception", "The type of guardrails is"),
        ({"model_config": {"model_type": None}}, "parse_exception", "Can't get text on a VALUE_NULL at 1:33"),
    ],
)
def test_a_value_is_refused(make_client: Any, behaviour: str, body: Any, kind: str, reason: str) -> None:
    node = make_client(behaviour=behaviour)
    answer = node.put(f"~/models/{node.model()}", body)
    assert (answer.status, node.kind(answer)) == (400, kind)
    assert node.reason(answer).startswith(reason)


def test_a_body_is_read_before_the_model_is_looked_up(make_client: Any) -> None:
    node = make_client(behaviour="opensearch-3.4")
    assert node.put("~/models/nope", {"connector_id": "c", "connector": {}}).status == 400
    assert node.put("~/models/nope", {"name": "<"}).status == 400
    assert node.put("~/models/nope", {"name": "n"}).status == 404


@pytest.mark.parametrize("behaviour", BOTH)
@pytest.mark.parametrize(
    ("bodies", "shown"),
    [
        ([{"name": "", "description": ""}], {"name": "", "description": ""}),
        ([{"model_group_id": ""}], {"model_group_id": "", "model_version": "1"}),
        ([{"connector_id": ""}], {"connector_id": ""}),
        ([{"interface": None}], {"interface": {}}),
        ([{"interface": {"input": "text"}}, {"interface": 5}], {"interface": {"input": "text"}}),
        ([{"rate_limiter": {}}], {"rate_limiter": {}}),
        (
            [
                {"deploy_setting": {"is_auto_deploy_enabled": False}},
                {"deploy_setting": {"model_ttl_minutes": 5}},
            ],
            {"deploy_setting": {"is_auto_deploy_enabled": False, "model_ttl_minutes": 5}},
        ),
        (
            [
                {"guardrails": {"type": "local_regex", "input_guardrail": {"regex": ["a"]}}},
                {"guardrails": {"type": "local_regex", "input_guardrail": {"regex": []}}},
                {"guardrails": {"type": "local_regex", "output_guardrail": {"regex": ["("]}}},
            ],
            {
                "guardrails": {
                    "type": "local_regex",
                    "input_guardrail": {"regex": ["a"]},
                    "output_guardrail": {"regex": ["("]},
                }
            },
        ),
        ([{"model_config": {**CONFIG, "normalize_result": False}}], {"model_config": CONFIG}),
        (
            [{"model_version": "9", "algorithm": "x", "is_hidden": True}],
            {"model_version": "1", "is_hidden": False},
        ),
    ],
)
def test_a_value_is_accepted_and_shown(make_client: Any, behaviour: str, bodies: Any, shown: Any) -> None:
    node = make_client(behaviour=behaviour)
    model = _updated(node, node.model(), *bodies)
    assert {name: model.get(name) for name in shown} == shown


def test_a_bad_connector_inside_changes_nothing(ml: Any) -> None:
    inside = {
        "protocol": "http",
        "credential": {},
        "actions": [{"action_type": "predict", "method": "POST", "url": "http://127.0.0.1:9/"}],
    }
    model_id = ml.model(connector_id="", connector=inside)
    before = ml.get(f"~/models/{model_id}").body
    ml.setting("trusted_connector_endpoints_regex", ["^https://h/"])
    answer = ml.put(f"~/models/{model_id}", {"name": "n2", "connector": {"description": "d"}})
    assert (answer.status, ml.kind(answer)) == (400, "illegal_argument_exception")
    assert ml.get(f"~/models/{model_id}").body == before


def test_later_a_configuration_may_be_sent_in_parts(make_client: Any) -> None:
    earlier, later = (make_client(behaviour=behaviour) for behaviour in BOTH)
    part = {"model_config": {"model_type": "bert"}}
    answer = earlier.put(f"~/models/{earlier.model()}", part)
    assert (answer.status, earlier.reason(answer)) == (400, "embedding dimension is null")
    assert _updated(later, later.model(), {"model_config": CONFIG}, part)["model_config"] == CONFIG


def test_later_a_text_embeddings_configuration_must_be_whole(make_client: Any) -> None:
    node = make_client(behaviour="opensearch-3.4")
    model_id = node.model(model_config=CONFIG)
    answer = node.put(f"~/models/{model_id}", {"model_config": {"model_type": "text_embedding"}})
    assert (answer.status, node.kind(answer)) == (400, "status_exception")
    assert node.reason(answer).startswith("Space type must be provided in additional_config")


def test_a_local_model_has_no_connector(ml: Any) -> None:
    body = {"name": "huggingface/a/b", "version": "1", "model_format": "ONNX"}
    task_id = ml.post("~/models/_register", body).body["task_id"]
    ml.time.now += 1
    model_id = ml.get(f"~/tasks/{task_id}").body["model_id"]
    answer = ml.put(f"~/models/{model_id}", {"connector_id": ml.connector()})
    assert (answer.status, ml.reason(answer)) == (
        400,
        "Trying to update the connector or connector_id field on a local model.",
    )


def test_a_model_can_refuse_to_be_deployed_by_a_predict(make_client: Any) -> None:
    node = make_client(behaviour="opensearch-2.19")
    model_id = node.model(deploy_setting={"is_auto_deploy_enabled": False})
    answer = node.predict(model_id)
    assert (answer.status, node.reason(answer)) == (
        400,
        f"Auto deployment disabled for this model, please deploy model first Model ID: {model_id}",
    )
