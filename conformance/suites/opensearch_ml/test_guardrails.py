"""Guardrails: the page on them, and their fields of page register-model."""

from __future__ import annotations

from typing import Any

import pytest

from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import requirement
from mlconform.conformance.suites.opensearch_ml.api import MlCommons

# The run's own endpoint always answers with this word, so it can be the model that guards.
ANSWERED = "hi"
FAILED = "a predict that does not succeed"


def _asking(word: str) -> dict[str, Any]:
    return {"parameters": {"q": f"this is {word} indeed"}}


def _guarded(ml: MlCommons, **sides: Any) -> str:
    return ml.deployed_model(guardrails={"type": "local_regex", **sides})


@requirement("osml.guardrails.regex", "osml.guardrails.passes", "osml.guardrails.refusal")
def test_an_input_that_an_expression_forbids(ml: MlCommons, expect: Expect) -> None:
    model = _guarded(ml, input_guardrail={"regex": [".*forbidden.*"]})
    expect.accepted("osml.guardrails.passes", ml.predict(model, _asking("allowed")))
    refused = ml.predict(model, _asking("forbidden"))
    expect.client_error("osml.guardrails.regex", refused)
    expect.error("osml.guardrails.refusal", refused, 400, "guardrails triggered for user input")
    kind = refused.member("error", "type")
    expect.equal("osml.guardrails.refusal", kind, "illegal_argument_exception", "error.type")


@requirement("osml.guardrails.output")
def test_an_answer_that_an_expression_forbids(ml: MlCommons, expect: Expect) -> None:
    model = _guarded(ml, output_guardrail={"regex": [f".*{ANSWERED}.*"]})
    expect.refused("osml.guardrails.output", ml.predict(model), FAILED)


@requirement("osml.guardrails.stop-words")
def test_an_input_that_holds_a_stop_word(ml: MlCommons, expect: Expect) -> None:
    index = ml.session.new_name("words")
    mapping = {"mappings": {"properties": {"title": {"type": "text"}, "query": {"type": "percolator"}}}}
    made = ml.session.request("PUT", f"/{index}", mapping)
    if made.status != 200:
        raise Untestable(f"no index for stop words could be made: {made.summary}")
    try:
        query = {"query": {"query_string": {"query": "title: blacklist"}}}
        ml.session.request("PUT", f"/{index}/_doc/1?refresh", query)
        words = {"stop_words": [{"index_name": index, "source_fields": ["title"]}]}
        model = _guarded(ml, input_guardrail=words)
        refused = ml.predict(model, _asking("blacklist"))
    finally:
        ml.session.request("DELETE", f"/{index}")
    expect.client_error("osml.guardrails.stop-words", refused)


@pytest.mark.parametrize(
    ("accepted", "passes"), [(f"(?s).*{ANSWERED}.*", True), ("never", False)], ids=["accepted", "rejected"]
)
@requirement("osml.guardrails.model")
def test_a_model_that_guards(ml: MlCommons, expect: Expect, accepted: str, passes: bool) -> None:
    side = {
        "model_id": _guard(ml),
        "response_filter": "$.choices[0].message.content",
        "response_validation_regex": accepted,
    }
    model = ml.deployed_model(guardrails={"type": "model", "input_guardrail": side})
    # The page's guard is told the question, and so is this one.
    answered = ml.predict(model, {"parameters": {"q": "any", "question": "any"}})
    if passes:
        expect.accepted("osml.guardrails.model", answered)
    else:
        expect.refused("osml.guardrails.model", answered, FAILED)


def _guard(ml: MlCommons) -> str:
    """A model that is sent the question, as the prompt of the page's guard model is."""
    body = ml.connector_body()
    body["actions"][0]["request_body"] = '{ "question": "${parameters.question}" }'
    created = ml.create_connector(body)
    if created.status != 200:
        raise Untestable(f"no connector of a guard model could be made: {created.summary}")
    return ml.deployed_model(connector_id=created.member("connector_id"))


@requirement("osml.guardrails.register.answer")
def test_the_task_of_a_guarded_model(ml: MlCommons, expect: Expect) -> None:
    guardrails = {"type": "local_regex", "input_guardrail": {"regex": [".*forbidden.*"]}}
    registered = ml.register(ml.remote_body(guardrails=guardrails), "?deploy=true")
    expect.members("osml.guardrails.register.answer", registered.json, {"task_id": str}, "the answer")
    task = ml.await_task(registered)
    state = task.member("state") if task is not None else None
    expect.equal("osml.guardrails.register.answer", state, "COMPLETED", "state of the task")
