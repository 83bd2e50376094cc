"""Liveness, readiness and metadata (page inference_rest)."""

from __future__ import annotations

from mlconform.conformance.contract.model import Contract
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, requirement
from open_inference.api import UNKNOWN, OpenInference
from open_inference.forms import fits, refused

# A check that unloads a model changes what the others see.
pytestmark = exclusive


@requirement("v2.live.answer")
def test_a_server_that_answers_is_live(v2: OpenInference, contract: Contract, expect: Expect) -> None:
    answered = v2.get("/health/live")
    fits(expect, contract, "v2.live.answer", "server_live", answered)
    expect.equal("v2.live.answer", answered.member("live"), True, "live")


@requirement("v2.ready.answer")
def test_a_server_whose_models_are_ready_is_ready(v2: OpenInference, expect: Expect) -> None:
    v2.model()
    answered = v2.get("/health/ready")
    expect.status("v2.ready.answer", answered, 200)
    told = answered.json if answered.text else None
    expect.that(
        "v2.ready.answer",
        isinstance(told, dict) and True in told.values(),
        expected="an object with a boolean that is true",
        came=answered.summary,
        exchange=answered,
    )


@requirement("v2.server.metadata")
def test_the_server_tells_what_it_is(v2: OpenInference, contract: Contract, expect: Expect) -> None:
    fits(expect, contract, "v2.server.metadata", "server_metadata", v2.get(""))


@requirement("v2.model.ready")
def test_a_loaded_model_is_ready(v2: OpenInference, expect: Expect) -> None:
    model = v2.model()
    answered = v2.ready(model)
    expect.status("v2.model.ready", answered, 200)
    told = answered.json if answered.text else answered.text
    expect.equal("v2.model.ready", told, {"name": model, "ready": True}, "the body")


@requirement("v2.model.ready-unloaded")
def test_an_unloaded_model_is_not_ready(v2: OpenInference, expect: Expect) -> None:
    model = v2.unloaded()
    expect.equal("v2.model.ready-unloaded", v2.is_ready(model), False, "an unloaded model is ready")


@requirement("v2.model.metadata")
def test_a_model_tells_what_it_is(v2: OpenInference, contract: Contract, expect: Expect) -> None:
    model = v2.model()
    answered = v2.metadata(model)
    fits(expect, contract, "v2.model.metadata", "model_metadata", answered)
    expect.equal("v2.model.metadata", answered.member("name"), model, "name")


@requirement("v2.model.metadata-error")
def test_an_unknown_model_is_refused(v2: OpenInference, expect: Expect) -> None:
    answered = v2.metadata(UNKNOWN)
    refused(expect, "v2.model.metadata-error", answered)


@requirement("v2.wire.json")
def test_a_body_that_is_declared_as_json_is_json(v2: OpenInference, expect: Expect) -> None:
    model = v2.model()
    answers = [v2.get(""), v2.metadata(model), v2.metadata(UNKNOWN), v2.load(UNKNOWN), v2.infer(model, {})]
    for answered in answers:
        if "json" in answered.content_type:
            expect.that("v2.wire.json", answered.json is not None, expected="JSON", came=answered.summary)
