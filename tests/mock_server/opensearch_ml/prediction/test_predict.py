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


def test_a_model_that_is_deployed_anew_begins_with_all_its_calls(ml: Any) -> None:
    model_id = ml.deployed(rate_limiter={"limit": 1, "unit": "DAYS"})
    assert [ml.predict(model_id).status for _ in range(2)] == [200, 429]
    ml.post(f"~/models/{model_id}/_undeploy")
    ml.post(f"~/models/{model_id}/_deploy")
    ml.time.now += 1
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


@pytest.mark.parametrize(
    ("response_filter", "pattern", "status"),
    [
        (None, "^accept$", 400),
        ("$.choices[0].message.content", '^"hi"$', 200),
        ("$.choices[0].message.content", "^hi$", 400),
        ("$.nothing", "^hi$", 200),
    ],
)
def test_a_guard_model_that_does_not_accept_stops_the_input(
    ml: Any, response_filter: str | None, pattern: str, status: int
) -> None:
    guard = {"model_id": "g", "response_filter": response_filter, "response_validation_regex": pattern}
    model_id = ml.deployed(guardrails={"type": "model", "input_guardrail": guard})
    assert ml.predict(model_id).status == status


def test_a_pattern_that_can_not_be_compiled_stops_nothing(ml: Any) -> None:
    model_id = ml.deployed(guardrails={"type": "local_regex", "input_guardrail": {"regex": ["["]}})
    assert ml.predict(model_id).status == 200


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


def _asking(ml: Any, **action: Any) -> str:
    """A deployed model whose connector's action is the usual one with these members; None leaves one out."""
    usual = {"action_type": "predict", "method": "POST", "url": "http://127.0.0.1:9/x"}
    usual |= {"request_body": '{ "q": "${parameters.q}" }'}
    members = {name: value for name, value in {**usual, **action}.items() if value is not None}
    return str(ml.deployed(connector_id=ml.connector(actions=[members])))


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
    model_id = _asking(ml, request_body=template)
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
    answer = ml.predict(_asking(ml, **action))
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
    answer = ml.predict(_asking(ml, url=url))
    told = answer.body["error"].get("caused_by", {}).get("reason")
    assert (answer.status, ml.reason(answer), told) == (status, reason, cause)


def test_private_addresses_can_be_refused(ml: Any) -> None:
    model_id = ml.deployed()
    ml.setting("connector.private_ip_enabled", False)
    answer = ml.predict(model_id)
    expected = "Remote inference host name has private ip address: 127.0.0.1"
    assert (answer.status, ml.reason(answer)) == (400, expected)


def test_a_call_that_is_not_sent_is_not_counted_against_the_rate_limit(ml: Any) -> None:
    model_id = ml.deployed(rate_limiter={"limit": 1, "unit": "DAYS"})
    assert ml.predict(model_id, other="x").status == 400
    assert [ml.predict(model_id).status for _ in range(2)] == [200, 429]


def test_a_model_that_is_not_in_memory_is_not_held_to_its_interface(ml: Any) -> None:
    model_id = ml.model(interface={"input": {"required": ["nothing"]}})
    assert ml.predict(model_id).status == 200
    ml.time.now += 1
    assert ml.predict(model_id).status == 400


NO_EXTRAS = "is not defined in the schema and the schema does not allow additional properties"


@pytest.mark.parametrize(
    ("parameters", "problems"),
    [
        ({"n": "x"}, [".n: string found, integer expected", ": required property 'q' not found"]),
        ({"q": "abc", "n": 1}, [".n: must have a minimum value of 2"]),
        ({"q": "b"}, [".q: must be at least 3 characters long", ".q: does not match the regex pattern ^a"]),
        ({"q": "abc", "e": 1}, [".e: does not have a value in the enumeration [x, 2]"]),
        ({"q": "abc", "z": 1, "y": 1}, [f": property 'y' {NO_EXTRAS}", f": property 'z' {NO_EXTRAS}"]),
    ],
)
def test_every_violation_of_an_interface_is_told(ml: Any, parameters: Any, problems: list[str]) -> None:
    members = {
        "q": {"type": "string", "minLength": 3, "pattern": "^a"},
        "n": {"type": "integer", "minimum": 2},
        "e": {"enum": ["x", 2]},
    }
    held = {"additionalProperties": False, "required": ["q"], "type": "object", "properties": members}
    model_id = ml.deployed(interface={"input": {"properties": {"parameters": held}}})
    reason = ml.reason(ml.post(f"~/models/{model_id}/_predict", {"parameters": parameters}))
    told = ", ".join(f"$.parameters{problem}" for problem in problems)
    assert f"[{told}] for instance" in reason


@pytest.mark.parametrize(
    ("version", "sent", "shown"),
    [
        ("2.19", "5", "5"),
        ("2.19", "5 apples", "5"),
        ("2.19", "an apple", '"an apple"'),
        ("2.19", "", "null"),
        ("3.4", "5", None),
    ],
)
def test_a_text_that_is_json_is_held_to_the_interface_as_a_value(
    make_client: Any, version: str, sent: str, shown: str | None
) -> None:
    ml = make_client(docs_version=version)
    held = {"properties": {"q": {"type": "string", "maxLength": 5}}}
    model_id = ml.deployed(interface={"input": {"properties": {"parameters": held}}})
    answer = ml.predict(model_id, q=sent)
    assert answer.status == (400 if shown else 200)
    assert shown is None or f'"parameters":{{"q":{shown}}}' in ml.reason(answer)


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("$.choices[0].message.content", "hi"),
        ("$.choices[0].message", {"content": "hi"}),
        ("$.embedding", [0.1, 0.2]),
        ("$['choices'][*].message.content", ["hi"]),
    ],
)
def test_a_response_filter_leaves_a_part_of_the_answer(ml: Any, path: str, data: Any) -> None:
    answer = ml.predict(ml.deployed(), q="x", response_filter=path)
    assert answer.body["inference_results"][0]["output"][0]["dataAsMap"] == {"response": data}


NO_PATH = {"type": "path_not_found_exception", "reason": "No results for path: $['choices'][7]"}


@pytest.mark.parametrize(
    ("behaviour", "status", "kind", "cause"),
    [
        ("documented", 400, "path_not_found_exception", None),
        ("opensearch-2.19", 500, "m_l_exception", NO_PATH),
        ("opensearch-3.4", 500, "path_not_found_exception", None),
    ],
)
def test_a_response_filter_that_finds_nothing_is_a_fault(
    make_client: Any, behaviour: str, status: int, kind: str, cause: Any
) -> None:
    ml = make_client(behaviour=behaviour)
    answer = ml.predict(ml.deployed(), q="x", response_filter="$.choices[7]")
    error = answer.body["error"]
    assert (answer.status, error["type"], error.get("caused_by")) == (status, kind, cause)


@pytest.mark.parametrize(
    ("answer", "function", "expected"),
    [
        ({"embedding": [1, 2]}, "bedrock.embedding", [[1, 2]]),
        ({"data": [{"embedding": [0.5]}, {"embedding": [1]}]}, "openai.embedding", [[0.5], [1]]),
        ([[0.5, 1]], "default.embedding", [[0.5, 1]]),
        ({"other": 1}, "openai.embedding", []),
    ],
)
def test_embeddings_become_tensors(ml: Any, answer: Any, function: str, expected: Any) -> None:
    ml.put("/_mock/predict", {"answer": answer})
    got = ml.predict(_asking(ml, post_process_function=f"connector.post_process.{function}")).body
    assert got["inference_results"][0]["output"] == [
        {"name": "sentence_embedding", "data_type": "FLOAT32", "shape": [len(data)], "data": data}
        for data in expected
    ]


@pytest.mark.parametrize(
    ("answer", "function", "reason"),
    [
        (
            [0.5],
            "default.embedding",
            "The embedding should be a non-empty List containing List of Float values.",
        ),
        ([[]], "default.embedding", "The embedding should be a non-empty List containing Float values."),
        ({"embedding": 5}, "bedrock.embedding", "Post process function input is not a List."),
    ],
)
def test_an_answer_that_is_no_embedding_is_refused(ml: Any, answer: Any, function: str, reason: str) -> None:
    ml.put("/_mock/predict", {"answer": answer})
    refused = ml.predict(_asking(ml, post_process_function=f"connector.post_process.{function}"))
    assert (refused.status, ml.reason(refused)) == (400, reason)


@pytest.mark.parametrize(
    ("answer", "data"),
    [
        ("just text", {"response": "just text"}),
        ([1, {"a": 2}], {"response": [1, {"a": 2}]}),
        ('{"a": "b"}', {"a": "b"}),
        (5, {"response": "5"}),
    ],
)
def test_an_answer_of_any_kind_is_wrapped(ml: Any, answer: Any, data: Any) -> None:
    ml.put("/_mock/predict", {"answer": answer})
    assert ml.predict(ml.deployed()).body["inference_results"][0]["output"] == [
        {"name": "response", "dataAsMap": data}
    ]


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
    model_id = _asking(ml, pre_process_function="connector.pre_process.bedrock.embedding", **action)
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


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("$.nope", "No results for path: $['nope']"),
        ("$.nope.message", "Missing property in path $['nope']"),
        ("$.choices[7].message", "No results for path: $['choices'][7]['message']"),
        ("$.choices[0].nope.content", "Missing property in path $['choices'][0]['nope']"),
    ],
)
def test_a_path_that_leads_nowhere_is_told(ml: Any, path: str, problem: str) -> None:
    assert ml.reason(ml.predict(ml.deployed(), q="x", response_filter=path)) == problem


@pytest.mark.parametrize(("status", "told"), [(201, 200), (299, 200), (300, 200), (301, 301), (404, 404)])
def test_an_endpoint_answers_up_to_three_hundred(ml: Any, status: int, told: int) -> None:
    ml.put("/_mock/predict", {"answer": {"e": 1}, "status": status})
    assert ml.predict(ml.deployed()).status == told


@pytest.mark.parametrize(("skips", "status"), [("TRUE", 200), ("no", 400)])
def test_that_parameters_may_miss_is_said_in_any_letters(ml: Any, skips: str, status: int) -> None:
    assert ml.predict(ml.deployed(), skip_validating_missing_parameters=skips).status == status


def test_scores_are_in_the_order_of_their_documents(ml: Any) -> None:
    results = [{"index": 1, "relevance_score": 0.2}, {"index": 0, "relevance_score": 0.9}]
    ml.put("/_mock/predict", {"answer": {"results": results}})
    model_id = _asking(ml, post_process_function="connector.post_process.cohere.rerank")
    output = ml.predict(model_id).body["inference_results"][0]["output"]
    assert [(tensor["name"], tensor["data"]) for tensor in output] == [
        ("similarity", [0.9]),
        ("similarity", [0.2]),
    ]


def test_a_private_address_is_refused_before_an_empty_body(ml: Any) -> None:
    model_id = _asking(ml, request_body=None)
    ml.setting("connector.private_ip_enabled", False)
    assert "private ip address" in ml.reason(ml.predict(model_id))


def test_tokens_are_not_saved_up(ml: Any) -> None:
    model_id = ml.deployed(rate_limiter={"limit": 2, "unit": "SECONDS"})
    assert ml.predict(model_id).status == 200
    ml.time.now += 60
    assert [ml.predict(model_id).status for _ in range(3)] == [200, 200, 429]
