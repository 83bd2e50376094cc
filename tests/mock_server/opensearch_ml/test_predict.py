from __future__ import annotations

from typing import Any

import pytest


def test_the_answer_of_the_endpoint_is_wrapped(ml: Any) -> None:
    answer = ml.predict(ml.deployed())
    answered = {"choices": [{"message": {"content": "hi"}}], "embedding": [0.1, 0.2]}
    output = [{"name": "response", "dataAsMap": answered}]
    assert (answer.status, answer.body) == (
        200,
        {"inference_results": [{"output": output, "status_code": 200}]},
    )


def test_a_first_predict_deploys_the_model(ml: Any) -> None:
    model_id = ml.model()
    assert ml.predict(model_id).status == 200
    assert ml.state(model_id) == "REGISTERED"
    ml.time.now += 0.1
    assert ml.state(model_id) == "DEPLOYED"


def test_without_auto_deploy_an_undeployed_model_is_not_ready(ml: Any) -> None:
    ml.setting("model_auto_deploy.enable", "false")
    model_id = ml.model()
    answer = ml.predict(model_id)
    assert (answer.status, ml.reason(answer)) == (400, "Model not ready yet. Please deploy the model first.")
    assert ml.state(model_id) == "REGISTERED"


@pytest.mark.parametrize("deployed", [True, False])
def test_a_disabled_model_is_refused(ml: Any, deployed: bool) -> None:
    model_id = ml.deployed() if deployed else ml.model()
    ml.put(f"~/models/{model_id}", {"is_enabled": False})
    answer = ml.predict(model_id)
    assert (answer.status, ml.reason(answer)) == (403, "Model is disabled.")


def test_calls_past_the_rate_limit_are_throttled_until_a_token_is_gained(ml: Any) -> None:
    model_id = ml.deployed(rate_limiter={"limit": 2, "unit": "MINUTES"})
    assert [ml.predict(model_id).status for _ in range(3)] == [200, 200, 429]
    ml.time.now += 31
    assert [ml.predict(model_id).status for _ in range(2)] == [200, 429]


def test_a_changed_rate_limit_applies_at_once(ml: Any) -> None:
    model_id = ml.deployed(rate_limiter={"limit": 1, "unit": "DAYS"})
    assert [ml.predict(model_id).status for _ in range(2)] == [200, 429]
    ml.put(f"~/models/{model_id}", {"rate_limiter": {"limit": 2}})
    assert [ml.predict(model_id).status for _ in range(3)] == [200, 200, 429]


def test_input_is_held_to_the_interface(ml: Any) -> None:
    schema = {"type": "object", "properties": {"parameters": {"type": "object", "required": ["q"]}}}
    model_id = ml.deployed(interface={"input": schema})
    assert ml.predict(model_id, q="x").status == 200
    answer = ml.predict(model_id, z=1)
    assert answer.status == 400
    assert ml.reason(answer) == (
        "Error validating input schema: Validation failed: [$.parameters: required property 'q' not found] "
        'for instance: {"algorithm":"REMOTE","parameters":{"z":1},"action_type":"PREDICT"} with schema: '
        '{"type":"object","properties":{"parameters":{"type":"object","required":["q"]}}}'
    )


def test_a_wrong_type_is_told_with_both_types(ml: Any) -> None:
    model_id = ml.deployed(interface={"input": {"properties": {"parameters": {"type": "object"}}}})
    answer = ml.post(f"~/models/{model_id}/_predict", {})
    assert "[$.parameters: null found, object expected]" in ml.reason(answer)


def test_output_is_held_to_the_interface(ml: Any) -> None:
    model_id = ml.deployed(interface={"output": {"required": ["nothing"]}})
    answer = ml.predict(model_id)
    assert answer.status == 400
    assert ml.reason(answer).startswith("Error validating output schema")


def test_a_schema_that_points_elsewhere_is_not_fetched(ml: Any) -> None:
    model_id = ml.deployed(interface={"input": {"$ref": "http://127.0.0.1:9/schema"}})
    assert "the schema can't be applied" in ml.reason(ml.predict(model_id))


def test_guardrails_stop_what_goes_in_and_what_comes_out(ml: Any) -> None:
    guardrails = {"type": "local_regex", "input_guardrail": {"regex": [".*forbidden.*"]}}
    model_id = ml.deployed(guardrails=guardrails)
    assert ml.predict(model_id, q="fine").status == 200
    assert ml.reason(ml.predict(model_id, q="this is forbidden")) == "guardrails triggered for user input"
    ml.put(
        f"~/models/{model_id}",
        {"guardrails": {"type": "local_regex", "output_guardrail": {"regex": [".*choices.*"]}}},
    )
    answer = ml.predict(model_id, q="fine")
    assert (answer.status, ml.reason(answer)) == (400, "guardrails triggered for LLM output")


def test_a_guard_model_that_does_not_accept_stops_the_input(ml: Any) -> None:
    guard = {"model_id": "g", "response_validation_regex": "^accept$"}
    model_id = ml.deployed(guardrails={"type": "model", "input_guardrail": guard})
    assert ml.reason(ml.predict(model_id)) == "guardrails triggered for user input"


@pytest.mark.parametrize("body", [{}, {"parameters": {}}, {"parameters": 5}, {"parameters": {"other": "x"}}])
def test_a_placeholder_without_a_parameter_is_refused(ml: Any, body: Any) -> None:
    answer = ml.post(f"~/models/{ml.deployed()}/_predict", body)
    assert (answer.status, ml.reason(answer)) == (400, "Some parameter placeholder not filled in payload: q")


def test_a_connector_that_is_gone_is_404(ml: Any) -> None:
    model_id = ml.model()
    ml.put(f"~/models/{model_id}", {"connector_id": "gone"})
    answer = ml.predict(model_id)
    assert (answer.status, ml.reason(answer)) == (404, "Failed to find connector:gone")
    ml.time.now += 0.03
    assert ml.state(model_id) == "DEPLOYING"
    ml.time.now += 0.1
    assert ml.state(model_id) == "DEPLOY_FAILED"


def test_the_algorithm_can_be_named_in_the_path(ml: Any) -> None:
    model_id = ml.deployed()
    assert ml.post(f"~/_predict/remote/{model_id}", {"parameters": {"q": "x"}}).status == 200
    other = ml.post(f"~/_predict/text_embedding/{model_id}", {"parameters": {"q": "x"}})
    assert (other.status, ml.reason(other)) == (400, "Empty text docs")


@pytest.mark.parametrize(("body", "status"), [(None, 400), (b"{", 400), (b"[]", 400)])
def test_a_predict_needs_an_object(ml: Any, body: Any, status: int) -> None:
    assert ml.post(f"~/models/{ml.deployed()}/_predict", body).status == status


def test_remote_inference_can_be_turned_off(ml: Any) -> None:
    model_id = ml.deployed()
    ml.setting("remote_inference.enabled", False)
    assert "currently disabled" in ml.reason(ml.predict(model_id))


STOP = {
    "type": "local_regex",
    "input_guardrail": {"stop_words": [{"index_name": "w", "source_fields": ["t"]}]},
}


def test_a_stop_word_stops_an_input_where_its_index_is(ml: Any) -> None:
    model_id = ml.deployed(guardrails=STOP)
    assert ml.predict(model_id, q="a Bad word").status == 200
    assert ml.put("/w/_doc/1", {"t": "bad word"}).status == 201
    answer = ml.predict(model_id, q="a Bad word")
    assert (answer.status, ml.reason(answer)) == (400, "guardrails triggered for user input")
    assert ml.predict(model_id, q="a bad wording").status == 200


def test_an_index_is_made_once_and_deleted_once(ml: Any) -> None:
    assert [ml.put("/w").status, ml.put("/w").status] == [200, 400]
    assert [ml.delete("/w").status, ml.delete("/w").status] == [200, 404]
    assert ml.put("/_w").status == 400


@pytest.mark.parametrize(
    "query",
    [
        {"query_string": {"query": "t: bad OR t: worse"}},
        {"match": {"t": "bad"}},
        {"match_phrase": {"t": {"query": "bad"}}},
    ],
)
def test_a_stop_word_may_be_a_stored_query(ml: Any, query: Any) -> None:
    model_id = ml.deployed(guardrails=STOP)
    ml.put("/w/_doc/1?refresh", {"query": query})
    assert [ml.predict(model_id, q=text).status for text in ("so bad it is", "good")] == [400, 200]
