"""Registrations with values that the node refuses, or accepts though nobody would think so."""

from __future__ import annotations

from typing import Any

import pytest

CONNECTOR = {
    "protocol": "http",
    "actions": [{"action_type": "predict", "method": "POST", "url": "http://127.0.0.1:9/"}],
}
BOTH = ("opensearch-2.19", "opensearch-3.4")
NO_ACCESS = "You cannot specify model access control parameters because the Security plugin"
CHARACTERS = "can only contain letters, numbers, spaces, and basic punctuation (.,!?():@-_'/\");"
TEXT_EMBEDDING = {
    "model_type": "text_embedding",
    "embedding_dimension": 3,
    "framework_type": "HUGGINGFACE_TRANSFORMERS",
}


def _register(node: Any, **fields: Any) -> Any:
    body = {"name": "m", "function_name": "remote", "connector_id": node.connector(), **fields}
    return node.post("~/models/_register", body)


@pytest.mark.parametrize("behaviour", BOTH)
@pytest.mark.parametrize(
    ("fields", "status", "kind", "reason"),
    [
        ({"name": None}, 500, "illegal_state_exception", "Can't get text on a VALUE_NULL at 1:10"),
        (
            {"is_enabled": 5},
            400,
            "json_parse_exception",
            "Current token (VALUE_NUMBER_INT) not of boolean type",
        ),
        ({"is_enabled": None}, 400, "json_parse_exception", "Current token (VALUE_NULL) not of boolean type"),
        ({"connector_id": " "}, 400, "illegal_argument_exception", "You must provide connector content"),
        ({"access_mode": "public"}, 400, "illegal_argument_exception", NO_ACCESS),
        ({"backend_roles": ["a"]}, 400, "illegal_argument_exception", NO_ACCESS),
        ({"backend_roles": "a"}, 400, "parsing_exception", "Failed to parse object: expecting token of type"),
        ({"function_name": "kmeans"}, 400, "illegal_argument_exception", "model format is null"),
        ({"url": "https://h/f"}, 400, "illegal_argument_exception", "To upload custom model user needs to"),
        (
            {"rate_limiter": {"limit": -1, "unit": "WEEKS"}},
            400,
            "illegal_argument_exception",
            "No enum constant java.util.concurrent.TimeUnit.WEEKS",
        ),
        ({"rate_limiter": {"limit": 0}}, 400, "parse_exception", "Limit field must be a positive number."),
        (
            {"rate_limiter": {"limit": "inf"}},
            400,
            "parse_exception",
            "Limit field must be a positive number.",
        ),
        (
            {"guardrails": {"type": "local_regex", "input_guardrail": {"regex": "a"}}},
            500,
            "class_cast_exception",
            "class java.lang.String cannot be cast to class java.util.List",
        ),
        (
            {"guardrails": {"input_guardrail": {"stop_words": [None]}}},
            500,
            "null_pointer_exception",
            "params is marked non-null but is null",
        ),
        ({"interface": []}, 500, "null_pointer_exception", 'Cannot invoke "String.hashCode()" because'),
        (
            {"connector_id": "", "connector": {**CONNECTOR, "credential": None}},
            500,
            "null_pointer_exception",
            'Cannot invoke "java.util.Map.keySet()" because "this.credential" is null',
        ),
        ({"model_config": {}}, 400, "illegal_argument_exception", "model type is null"),
        (
            {"model_config": {"model_type": "a", "embedding_dimension": "x"}},
            400,
            "number_format_exception",
            'For input string: "x"',
        ),
        ({"model_config": {"pooling_mode": "x"}}, 400, "illegal_argument_exception", "Wrong pooling method"),
    ],
)
def test_a_value_is_refused(
    make_client: Any, behaviour: str, fields: Any, status: int, kind: str, reason: str
) -> None:
    node = make_client(behaviour=behaviour)
    answer = _register(node, **fields)
    assert (answer.status, node.kind(answer)) == (status, kind)
    assert node.reason(answer).startswith(reason)


@pytest.mark.parametrize(
    ("fields", "problems"),
    [
        ({"name": " "}, "1: Model name is required and cannot be null or blank;"),
        ({"name": "a<b"}, f"1: Model name {CHARACTERS}"),
        ({"name": "<", "description": ";"}, f"1: Model description {CHARACTERS}2: Model name {CHARACTERS}"),
    ],
)
def test_later_versions_look_at_the_characters_of_texts(make_client: Any, fields: Any, problems: str) -> None:
    assert _register(make_client(behaviour="opensearch-2.19"), **fields).status == 200
    later = make_client(behaviour="opensearch-3.4")
    answer = _register(later, **fields)
    assert later.kind(answer) == "action_request_validation_exception"
    assert later.reason(answer) == f"Validation Failed: {problems}"


@pytest.mark.parametrize("behaviour", BOTH)
@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"model_group_id": ""}, {"model_version": "1"}),
        ({"access_mode": "nope"}, {}),
        ({"backend_roles": []}, {}),
        ({"is_hidden": True}, {"is_hidden": False}),
        ({"connector_id": "nope", "interface": {}}, {"connector_id": "nope", "interface": {}}),
        ({"interface": "text"}, {"interface": {}}),
        ({"interface": {"input": {"a": None, "b": "<"}}}, {"interface": {"input": '{"b":"\\u003c"}'}}),
        ({"deploy_setting": {}}, {"deploy_setting": {"model_ttl_minutes": -1}}),
        (
            {"deploy_setting": {"is_auto_deploy_enabled": "true", "model_ttl_minutes": "1.9"}},
            {"deploy_setting": {"is_auto_deploy_enabled": True, "model_ttl_minutes": 1}},
        ),
        ({"guardrails": {"type": "model", "input_guardrail": None}}, {"guardrails": {"type": "model"}}),
        (
            {"model_config": {**TEXT_EMBEDDING, "model_type": "bert", "pooling_mode": "cls", "bogus": 1}},
            {"model_config": {**TEXT_EMBEDDING, "model_type": "bert", "pooling_mode": "CLS"}},
        ),
    ],
)
def test_a_value_is_accepted_and_shown(make_client: Any, behaviour: str, fields: Any, shown: Any) -> None:
    node = make_client(behaviour=behaviour)
    answer = _register(node, **fields)
    assert answer.status == 200, answer.body
    model = node.get(f"~/models/{answer.body['model_id']}").body
    assert {name: model.get(name) for name in shown} == shown


@pytest.mark.parametrize(("behaviour", "shown"), [("opensearch-2.19", None), ("opensearch-3.4", False)])
def test_an_older_node_does_not_keep_that_a_model_is_disabled(
    make_client: Any, behaviour: str, shown: Any
) -> None:
    node = make_client(behaviour=behaviour)
    answer = _register(node, is_enabled="")
    assert node.get(f"~/models/{answer.body['model_id']}").body.get("is_enabled") == shown


@pytest.mark.parametrize(
    ("config", "earlier", "later"),
    [
        ({"model_type": "a"}, "embedding dimension is null", None),
        ({"model_type": "a", "embedding_dimension": 1}, "framework type is null", None),
        (
            {"model_type": "text_embedding"},
            "embedding dimension is null",
            "Embedding dimension must be provided for remote text embedding model",
        ),
        (
            TEXT_EMBEDDING,
            None,
            "Space type must be provided in additional_config for remote text embedding model",
        ),
        (
            {**TEXT_EMBEDDING, "additional_config": {"space_type": "l2"}, "all_config": '{"space_type":1}'},
            None,
            "Duplicate keys found in both all_config and additional_config: space_type",
        ),
    ],
)
def test_a_remote_models_configuration_has_its_own_form_later(
    make_client: Any, config: Any, earlier: str | None, later: str | None
) -> None:
    for behaviour, reason in zip(BOTH, (earlier, later), strict=True):
        node = make_client(behaviour=behaviour)
        answer = _register(node, model_config=config)
        assert (None if answer.status == 200 else node.reason(answer)) == reason


def test_an_empty_deploy_flag_deploys(make_client: Any) -> None:
    node = make_client(behaviour="opensearch-3.4")
    body = {"name": "m", "function_name": "remote", "connector_id": node.connector()}
    model_id = node.post("~/models/_register?deploy", body).body["model_id"]
    assert node.get(f"~/models/{model_id}").body["model_state"] == "DEPLOYING"


def test_local_models_can_be_turned_off(ml: Any) -> None:
    ml.put("/_cluster/settings", {"persistent": {"plugins.ml_commons.local_model.enabled": False}})
    body = {"name": "huggingface/a/b", "version": "1", "model_format": "ONNX"}
    answer = ml.post("~/models/_register", body)
    assert (answer.status, ml.kind(answer)) == (400, "illegal_state_exception")
    assert ml.reason(answer).startswith("Local Model is currently disabled.")


def test_a_url_must_be_trusted(ml: Any) -> None:
    ml.put("/_cluster/settings", {"persistent": {"plugins.ml_commons.allow_registering_model_via_url": True}})
    answer = _register(ml, url="gopher://h/f")
    assert (answer.status, ml.reason(answer)) == (400, "URL can't match trusted url regex")
