"""Using a model: page deploy-model (automatic deployment), and what the recordings show."""

from __future__ import annotations

from typing import Any

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, requirement
from mlconform.conformance.suites.opensearch_ml.api import UNKNOWN_ID, MlCommons


@exclusive
@requirement("osml.predict.auto-deploy")
def test_the_first_prediction_deploys_a_remote_model(ml: MlCommons, expect: Expect) -> None:
    ml.set(AUTO_DEPLOY=True)
    model = ml.model()
    expect.accepted("osml.predict.auto-deploy", ml.predict(model))
    settled = ml.settle_state(model, "DEPLOYED")
    expect.settles("osml.predict.auto-deploy", settled, "DEPLOYED", "model_state after the prediction")


@exclusive
@requirement("osml.predict.auto-deploy-off", "osml.predict.not-ready")
def test_with_the_setting_off_it_does_not(ml: MlCommons, expect: Expect) -> None:
    ml.set(AUTO_DEPLOY=False)
    model = ml.model()
    answered = ml.predict(model)
    expect.client_error("osml.predict.auto-deploy-off", answered)
    expect.that(
        "osml.predict.auto-deploy-off",
        ml.state(model) in ("REGISTERED", "UNDEPLOYED"),
        expected="a model_state that is not deployed",
        came=ml.state(model),
    )
    expect.error("osml.predict.not-ready", answered, 400, "Please deploy the model first.")


@requirement("osml.predict.answer")
def test_the_answer_holds_what_the_endpoint_said(ml: MlCommons, expect: Expect) -> None:
    answered = ml.predict(ml.deployed_model())
    expect.status("osml.predict.answer", answered, 200)
    results = answered.member("inference_results")
    expect.that(
        "osml.predict.answer",
        isinstance(results, list) and bool(results) and isinstance(results[0], dict),
        expected="inference_results, a list with an object in it",
        came=answered.summary,
        exchange=answered,
    )
    expect.members("osml.predict.answer", results[0], {"output": list, "status_code": int}, "the result")
    output = results[0]["output"][0]
    expect.members("osml.predict.answer", output, {"name": str, "dataAsMap": dict}, "the output")


@requirement("osml.predict.unknown-model")
def test_an_unknown_model(ml: MlCommons, expect: Expect) -> None:
    expect.error("osml.predict.unknown-model", ml.predict(UNKNOWN_ID), 404, "Failed to find model")


@requirement("osml.predict.throttled")
def test_the_refusal_beyond_the_limit(ml: MlCommons, expect: Expect) -> None:
    model = ml.deployed_model(rate_limiter={"limit": 1, "unit": "HOURS"})
    expect.status("osml.predict.throttled", ml.predict(model), 200)
    expect.error("osml.predict.throttled", ml.predict(model), 429, "throttled at model level")


@requirement("osml.predict.interface")
def test_a_body_that_breaks_the_interface(ml: MlCommons, expect: Expect) -> None:
    model = ml.deployed_model(interface={"input": {"type": "object", "required": ["zzz"]}})
    expect.error("osml.predict.interface", ml.predict(model), 400, "Error validating input schema")


@requirement("osml.predict.missing-parameter")
def test_a_placeholder_that_is_not_filled(ml: MlCommons, expect: Expect) -> None:
    model = ml.deployed_model()
    bodies: tuple[Any, ...] = ({}, {"parameters": {}}, {"parameters": {"other": "x"}})
    for body in bodies:
        answered = ml.predict(model, body)
        expect.error("osml.predict.missing-parameter", answered, 400, "placeholder not filled in payload: q")
