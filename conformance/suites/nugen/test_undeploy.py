"""Undeploying an aligned model: page undeploy-model of Nugen."""

from __future__ import annotations

import json

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, requirement
from mlconform.conformance.suites.nugen.api import UNKNOWN_ID, Nugen

pytestmark = exclusive

TASK_STATES = ("PENDING", "COMPLETED", "FAILED")


@requirement("nugen.undeploy.endpoint", "nugen.undeploy.answer", "nugen.undeploy.example")
def test_the_answer_is_the_id_as_a_json_string(nugen: Nugen, expect: Expect) -> None:
    model = nugen.deployed_model()
    answered = nugen.undeploy(model)
    expect.accepted("nugen.undeploy.endpoint", answered)
    expect.status("nugen.undeploy.answer", answered, 200)
    expect.equal("nugen.undeploy.answer", answered.json, model, "the body")
    expect.equal("nugen.undeploy.example", answered.text.strip(), json.dumps(model), "the body as sent")


@requirement("nugen.undeploy.reaches-undeployed", "nugen.undeploy.aligned")
def test_an_undeploy_ends_undeployed(nugen: Nugen, expect: Expect) -> None:
    model = nugen.deployed_model()
    nugen.undeploy(model)
    state = nugen.settle_state(model, "UNDEPLOYED")
    entry = nugen.entry(model)
    for name in ("status", "deployment_status"):
        shown, what = entry.get(name), f"{name} in the list of aligned models"
        expect.see(
            "nugen.undeploy.aligned",
            shown == "UNDEPLOYED",
            expected=f"{what} = 'UNDEPLOYED'",
            came=repr(shown),
        )
    expect.equal("nugen.undeploy.reaches-undeployed", state, "UNDEPLOYED", "status after the undeploy")


@requirement("nugen.undeploy.not-deployed")
def test_a_second_undeploy_is_refused(nugen: Nugen, expect: Expect) -> None:
    answered = nugen.undeploy(nugen.undeployed_model())
    expect.status("nugen.undeploy.not-deployed", answered, 400)
    detail = "Model cannot be UNDEPLOYED. Current status: UNDEPLOYED."
    expect.equal("nugen.undeploy.not-deployed", answered.json, {"detail": detail}, "the body")


@requirement("nugen.undeploy.in-progress")
def test_an_undeploy_in_progress_is_refused(nugen: Nugen, expect: Expect) -> None:
    model = nugen.deployed_model()
    nugen.undeploy(model)
    expect.status("nugen.undeploy.in-progress", nugen.undeploy(model), 400)


@requirement("nugen.undeploy.unknown")
def test_an_unknown_model(nugen: Nugen, expect: Expect) -> None:
    answered = nugen.undeploy(UNKNOWN_ID)
    expect.status("nugen.undeploy.unknown", answered, 404)
    expect.equal("nugen.undeploy.unknown", answered.json, {"detail": "Model not found"}, "the body")


@requirement("nugen.undeploy.no-inference")
def test_an_undeployed_model_does_not_answer(nugen: Nugen, expect: Expect) -> None:
    answered = nugen.complete(nugen.undeployed_model())
    expect.that(
        "nugen.undeploy.no-inference",
        not 200 <= answered.status < 300,
        expected="no success of an inference with an undeployed model",
        came=answered.summary,
        exchange=answered,
    )


@requirement("nugen.undeploy.redeploy")
def test_an_undeployed_model_can_be_deployed_again(nugen: Nugen, expect: Expect) -> None:
    model = nugen.deployed_model()
    nugen.undeploy(model)
    nugen.settle_state(model, "UNDEPLOYED")
    expect.accepted("nugen.undeploy.redeploy", nugen.deploy(model))
    state = nugen.settle_state(model, "DEPLOYED")
    expect.equal("nugen.undeploy.redeploy", state, "DEPLOYED", "status after the second deploy")


class TestStatus:
    @requirement("nugen.undeploy-status.answer", "nugen.undeploy-status.values")
    def test_its_members(self, nugen: Nugen, expect: Expect) -> None:
        model = nugen.deployed_model()
        nugen.undeploy(model)
        told = nugen.undeploy_status(model)
        expect.status("nugen.undeploy-status.answer", told, 200)
        expect.members(
            "nugen.undeploy-status.answer", told.json, {"model_id": str, "status": str}, "the status"
        )
        expect.equal("nugen.undeploy-status.answer", told.member("model_id"), model, "model_id")
        expect.one_of("nugen.undeploy-status.values", told.member("status"), TASK_STATES, "status")

    @requirement("nugen.undeploy-status.message")
    def test_its_message_when_completed(self, nugen: Nugen, expect: Expect) -> None:
        model = nugen.deployed_model()
        nugen.undeploy(model)
        done = nugen.session.settle(
            lambda: nugen.undeploy_status(model), lambda told: told.member("status") == "COMPLETED"
        ).value
        message = done.member("result", "message")
        expect.equal(
            "nugen.undeploy-status.message", message, "Model successfully undeployed", "result.message"
        )

    @requirement("nugen.undeploy-status.unknown")
    def test_of_an_unknown_model(self, nugen: Nugen, expect: Expect) -> None:
        expect.status("nugen.undeploy-status.unknown", nugen.undeploy_status(UNKNOWN_ID), 404)
