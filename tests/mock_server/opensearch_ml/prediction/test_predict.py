"""Predict calls: who may, what is sent, and what a failing endpoint is told as."""

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
    ml.time.now += 0.2
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


@pytest.mark.parametrize(
    ("algorithm", "body", "reason"),
    [
        ("nope", {}, "Wrong function name"),
        ("kmeans", {}, "Validation Failed: 1: input data can't be null;"),
        ("question_answering", {}, "pre_process_function not defined in connector"),
        ("text_embedding", {"text_docs": ["a"]}, "Some parameter placeholder not filled in payload: q"),
        ("remote", {"action_type": "nope"}, "Wrong Action Type of nope"),
        ("remote", {"action_type": "batch_predict"}, "no BATCH_PREDICT action found"),
    ],
)
def test_a_remote_model_is_asked_in_the_form_of_an_algorithm(
    ml: Any, algorithm: str, body: Any, reason: str
) -> None:
    answer = ml.post(f"~/_predict/{algorithm}/{ml.deployed()}", body)
    assert (answer.status, ml.reason(answer)) == (400, reason)


@pytest.mark.parametrize("body", [None, b"{", b"[]"])
@pytest.mark.parametrize(("behaviour", "status"), [("documented", 400), ("opensearch-3.4", 404)])
def test_a_predict_needs_an_object(make_client: Any, behaviour: str, status: int, body: Any) -> None:
    ml = make_client(behaviour=behaviour)
    assert ml.post(f"~/models/{ml.deployed()}/_predict", body).status == 400
    assert ml.post(f"~/models/{ml.model()}/_predict", body).status == status
    assert ml.reason(ml.post("~/models/nope/_predict", body)) == "Failed to find model"


def test_remote_inference_can_be_turned_off(ml: Any) -> None:
    model_id = ml.deployed()
    ml.setting("remote_inference.enabled", False)
    assert "currently disabled" in ml.reason(ml.predict(model_id))


def test_an_index_is_made_once_and_deleted_once(ml: Any) -> None:
    assert [ml.put("/w").status, ml.put("/w").status] == [200, 400]
    assert [ml.delete("/w").status, ml.delete("/w").status] == [200, 404]
    assert ml.put("/_w").status == 400


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("models/{}/_predict", b'{"parameters":', "json_e_o_f_exception"),
        ("models/{}/_predict", b'{"action_type": null}', "illegal_state_exception"),
        ("_predict/text_embedding/{}", b'{"text_docs": "a"}', "parsing_exception"),
    ],
)
def test_an_older_node_loses_what_it_could_not_read(
    make_client: Any, path: str, body: bytes, kind: str
) -> None:
    kinds = []
    for behaviour in ("opensearch-2.19", "opensearch-3.4"):
        ml = make_client(behaviour=behaviour)
        kinds.append(ml.post(f"~/{path.format(ml.deployed())}", body).body["error"]["type"])
    assert kinds == ["null_pointer_exception", kind]


@pytest.mark.parametrize("behaviour", ["opensearch-2.19", "opensearch-3.4"])
def test_a_node_of_any_age_tells_what_it_could_not_read_of_data(make_client: Any, behaviour: str) -> None:
    ml = make_client(behaviour=behaviour)
    answer = ml.post(f"~/_predict/kmeans/{ml.deployed()}", b'{"parameters":')
    assert (answer.status, answer.body["error"]["type"]) == (400, "json_e_o_f_exception")


@pytest.mark.parametrize(
    ("template", "parameters", "reason"),
    [
        (
            '{"a": "${parameters.a}", "b": "${parameters.b}"}',
            {},
            "Some parameter placeholder not filled in payload: a, b",
        ),
        ('{"a": ${parameters.a}}', {}, 'Invalid payload: {"a": ${parameters.a}}'),
        ('{"a": ${parameters.a}}', {"a": "two words"}, 'Invalid payload: {"a": two words}'),
        ('{"a": "${parameters.a}"}', {"a": {"b": "<"}}, 'Invalid payload: {"a": "{"b":"\\u003c"}"}'),
        ("no JSON", {}, "Invalid payload: no JSON"),
        ('{"a": ${parameters.a}}', {"a": "word"}, None),
        ('{"a": ${parameters.a}}', {"a": {"b": [1, None]}}, None),
        ('{"a": ${parameters.a}}', {"a": None}, None),
        ('{"a": "${parameters.a}"}', {"a": 'a "quoted" / word\n'}, None),
        ('{"a": "${parameters.a:-none}"}', {}, None),
        ('{"a": "${parameters.a:-null}"}', {}, None),
        ('{"a": "${parameters.a}"}', {"skip_validating_missing_parameters": True}, None),
    ],
)
def test_a_payload_is_filled_and_must_be_json(
    ml: Any, template: str, parameters: Any, reason: str | None
) -> None:
    model_id = ml.deployed_with_action(request_body=template)
    answer = ml.post(f"~/models/{model_id}/_predict", {"parameters": parameters})
    told = None if answer.status == 200 else ml.reason(answer)
    assert (answer.status, told) == (400 if reason else 200, reason)


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ({"request_body": None}, "Content length is 0. Aborting request to remote model"),
        ({"method": "PUT"}, "unsupported http method"),
        ({"action_type": "execute"}, "no PREDICT action found"),
    ],
)
def test_an_action_that_can_not_be_called_is_refused(ml: Any, action: Any, reason: str) -> None:
    answer = ml.predict(ml.deployed_with_action(**action))
    assert (answer.status, ml.reason(answer)) == (400, reason)


@pytest.mark.parametrize(
    ("url", "status", "reason", "cause"),
    [
        ("ftp://127.0.0.1/x", 400, "Protocol is not http or https: ftp", None),
        ("nowhere", 500, "Fail to execute http connector", "no protocol: nowhere"),
        ("http://a.invalid/x", 500, "Fail to execute http connector", "a.invalid: Name or service not known"),
        (
            "http://127.0.0.1:1/x",
            500,
            "Error communicating with remote model: Connection refused: /127.0.0.1:1",
            None,
        ),
    ],
)
def test_an_endpoint_that_can_not_be_reached_is_told(
    make_client: Any, url: str, status: int, reason: str, cause: str | None
) -> None:
    ml = make_client(behaviour="opensearch-3.4")
    answer = ml.predict(ml.deployed_with_action(url=url))
    told = answer.body["error"].get("caused_by", {}).get("reason")
    assert (answer.status, ml.reason(answer), told) == (status, reason, cause)


def test_private_addresses_can_be_refused(ml: Any) -> None:
    model_id = ml.deployed()
    ml.setting("connector.private_ip_enabled", False)
    answer = ml.predict(model_id)
    expected = "Remote inference host name has private ip address: 127.0.0.1"
    assert (answer.status, ml.reason(answer)) == (400, expected)


@pytest.mark.parametrize(
    ("version", "endpoint", "status", "reason"),
    [
        ("2.19", {"answer": {"e": 1}, "status": 503}, 503, 'Error from remote service: {"e": 1}'),
        ("2.19", {"answer": "", "status": 404}, 400, "No response from model"),
        (
            "3.4",
            {"answer": "", "status": 404},
            404,
            "Remote service returned error status 404 with empty body",
        ),
        ("3.4", {"answer": " "}, 502, "Remote service returned empty response body"),
    ],
)
def test_an_endpoint_that_fails_is_told_with_its_status(
    make_client: Any, version: str, endpoint: Any, status: int, reason: str
) -> None:
    ml = make_client(docs_version=version)
    model_id = ml.deployed()
    ml.put("/_mock/predict", endpoint)
    answer = ml.predict(model_id)
    assert (answer.status, ml.reason(answer)) == (status, reason)


def test_documents_reach_the_endpoint_through_a_pre_process_function(ml: Any) -> None:
    action = {"request_body": '{"d": "${parameters.inputText}"}'}
    model_id = ml.deployed_with_action(
        pre_process_function="connector.pre_process.bedrock.embedding", **action
    )
    answer = ml.post(f"~/_predict/text_embedding/{model_id}", {"text_docs": ["a", "b"]})
    assert len(answer.body["inference_results"]) == 2


def test_a_disabled_model_is_refused_before_one_that_is_not_in_memory(make_client: Any) -> None:
    ml = make_client(behaviour="opensearch-2.19")
    ml.setting("model_auto_deploy.enable", False)
    name = "huggingface/sentence-transformers/all-MiniLM-L6-v2"
    body = {"name": name, "version": "1.0.1", "model_format": "TORCH_SCRIPT"}
    task_id = ml.post("~/models/_register", body).body["task_id"]
    ml.time.now += 60
    model_id = ml.get(f"~/tasks/{task_id}").body["model_id"]
    reasons = [ml.reason(ml.post(f"~/models/{model_id}/_predict", {"text_docs": ["a"]}))]
    ml.put(f"~/models/{model_id}", {"is_enabled": False})
    reasons.append(ml.reason(ml.post(f"~/models/{model_id}/_predict", {"text_docs": ["a"]})))
    assert reasons == ["Model not ready yet. Please deploy the model first.", "Model is disabled."]


@pytest.mark.parametrize(("status", "told"), [(201, 200), (299, 200), (300, 200), (301, 301), (404, 404)])
def test_an_endpoint_answers_up_to_three_hundred(ml: Any, status: int, told: int) -> None:
    ml.put("/_mock/predict", {"answer": {"e": 1}, "status": status})
    assert ml.predict(ml.deployed()).status == told


@pytest.mark.parametrize(("skips", "status"), [("TRUE", 200), ("no", 400)])
def test_that_parameters_may_miss_is_said_in_any_letters(ml: Any, skips: str, status: int) -> None:
    assert ml.predict(ml.deployed(), skip_validating_missing_parameters=skips).status == status


def test_a_private_address_is_refused_before_an_empty_body(ml: Any) -> None:
    model_id = ml.deployed_with_action(request_body=None)
    ml.setting("connector.private_ip_enabled", False)
    assert "private ip address" in ml.reason(ml.predict(model_id))
