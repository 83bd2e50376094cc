"""Reading a model: page get-model, its list of states and its example."""

from __future__ import annotations

import pytest

from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import requirement
from mlconform.conformance.suites.opensearch_ml.api import UNKNOWN_ID, MlCommons

STATES = (
    "REGISTERING",
    "REGISTERED",
    "DEPLOYING",
    "DEPLOYED",
    "PARTIALLY_DEPLOYED",
    "UNDEPLOYED",
    "DEPLOY_FAILED",
)


@requirement("osml.get.states", "osml.get.state.registered")
def test_a_registered_model(ml: MlCommons, expect: Expect) -> None:
    state = ml.state(ml.model())
    what = "model_state of a registered model"
    expect.see("osml.get.states", state in STATES, expected=f"{what} is one of the seven", came=state)
    expect.equal("osml.get.state.registered", state, "REGISTERED", what)


@requirement("osml.get.states", "osml.get.state.deployed", "osml.get.state.undeployed")
def test_a_model_that_is_deployed_and_undeployed(ml: MlCommons, expect: Expect) -> None:
    model = ml.model()
    ml.await_task(ml.deploy(model))
    deployed = ml.settle_state(model, "DEPLOYED").value
    expect.one_of("osml.get.states", deployed, STATES, "model_state of a deployed model")
    expect.equal("osml.get.state.deployed", deployed, "DEPLOYED", "model_state of a deployed model")
    expect.accepted("osml.get.state.deployed", ml.predict(model))
    ml.undeploy(model)
    undeployed = ml.settle_undeploy(model).value
    expect.one_of("osml.get.states", undeployed, STATES, "model_state of an undeployed model")
    expect.equal("osml.get.state.undeployed", undeployed, "UNDEPLOYED", "model_state of an undeployed model")


@requirement("osml.get.states", "osml.get.state.deploy-failed")
def test_a_deploy_that_meets_an_error(ml: MlCommons, expect: Expect) -> None:
    connector = ml.connector_id
    model = ml.model(connector_id=connector)
    changed = ml.update(model, {"connector_id": UNKNOWN_ID})
    if changed.status != 200:
        raise Untestable(f"no deploy could be made to fail: {changed.summary}")
    ml.deploy(model)
    state = ml.settle_state(model, "DEPLOY_FAILED").value
    # Given back before anything is decided: without its connector the model could not be removed.
    ml.change(model, {"connector_id": connector})
    expect.one_of("osml.get.states", state, STATES, "model_state after a deploy that failed")
    expect.equal("osml.get.state.deploy-failed", state, "DEPLOY_FAILED", "model_state after it failed")


@pytest.mark.parametrize("deployed", [False, True], ids=["registered", "deployed"])
@requirement("osml.get.example")
def test_the_documented_read(ml: MlCommons, expect: Expect, deployed: bool) -> None:
    model = ml.deployed_model() if deployed else ml.model()
    read = ml.get(model)
    expect.accepted("osml.get.example", read)
    kinds = {"name": str, "algorithm": str, "model_state": str}
    expect.members("osml.get.example", read.json, kinds, "the model")
