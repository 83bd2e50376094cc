"""What guardrails stop."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlconform.mock_server import MockServer, Request


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


@pytest.mark.parametrize(("behaviour", "status"), [("documented", 400), ("opensearch-3.4", 500)])
def test_lists_are_read_before_a_type_is_missed(behaviour: str, status: int) -> None:
    guardrails = {"input_guardrail": {"stop_words": [], "regex": [True]}}
    body = {"name": "m", "function_name": "remote", "connector_id": "c", "guardrails": guardrails}
    headers = {"content-type": "application/json"}
    request = Request(
        "POST", "/_plugins/_ml/models/_register", body=json.dumps(body).encode(), headers=headers
    )
    assert MockServer(behaviour=behaviour).handle(request).status == status
