"""Deploying an aligned model: the vendor's other pages."""

from __future__ import annotations

from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, requirement
from mlconform.conformance.suites.nugen.api import UNKNOWN_ID, Nugen
from mlconform.conformance.suites.nugen.test_undeploy import TASK_STATES

pytestmark = exclusive


@requirement("nugen.deploy.answer")
def test_the_answer_names_the_model(nugen: Nugen, expect: Expect) -> None:
    model = nugen.undeployed_model()
    answered = nugen.deploy(model)
    expect.status("nugen.deploy.answer", answered, 200)
    # The pages show a bare string; the live service was seen to answer an object.
    expect.one_of("nugen.deploy.answer", answered.json, (model, {"model_id": model}), "the body")


@requirement("nugen.deploy.reaches-deployed")
def test_a_deploy_ends_deployed(nugen: Nugen, expect: Expect) -> None:
    model = nugen.undeployed_model()
    nugen.deploy(model)
    state = nugen.settle_state(model, "DEPLOYED")
    expect.equal("nugen.deploy.reaches-deployed", state, "DEPLOYED", "status after the deploy")


@requirement("nugen.deploy.undeploying")
def test_a_model_that_is_being_undeployed_is_not_deployed(nugen: Nugen, expect: Expect) -> None:
    model = nugen.deployed_model()
    nugen.undeploy(model)
    answered = nugen.deploy(model)
    if answered.status == 200 and nugen.undeploy_status(model).member("status") == "COMPLETED":
        raise Untestable("the undeploy had ended before the deploy came")
    expect.client_error("nugen.deploy.undeploying", answered)
    detail = "Model cannot be redeployed. Current status: UNDEPLOYING"
    expect.equal("nugen.deploy.undeploying", answered.member("detail"), detail, "detail")


class TestStatus:
    @requirement("nugen.deploy-status.answer", "nugen.deploy-status.values")
    def test_its_members(self, nugen: Nugen, expect: Expect) -> None:
        model = nugen.undeployed_model()
        nugen.deploy(model)
        told = nugen.deploy_status(model)
        expect.status("nugen.deploy-status.answer", told, 200)
        expect.members(
            "nugen.deploy-status.answer", told.json, {"model_id": str, "status": str}, "the status"
        )
        expect.equal("nugen.deploy-status.answer", told.member("model_id"), model, "model_id")
        expect.one_of("nugen.deploy-status.values", told.member("status"), TASK_STATES, "status")

    @requirement("nugen.deploy-status.unknown")
    def test_of_an_unknown_model(self, nugen: Nugen, expect: Expect) -> None:
        expect.status("nugen.deploy-status.unknown", nugen.deploy_status(UNKNOWN_ID), 404)
