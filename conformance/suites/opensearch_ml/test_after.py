"""After a failure a model lives on: no passing state stays, it can be deployed, undeployed and deleted.

Pages get-model (the states and what they mean), deploy-model, undeploy-model and delete-model.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.explore import Explore
from mlconform.conformance.suites.marks import exclusive, needs, requirement
from mlconform.conformance.suites.opensearch_ml.api import UNKNOWN_ID, MlCommons
from mlconform.conformance.targets import opensearch_settings
from mlconform.conformance.targets.leaving import stop_node
from mlconform.conformance.targets.opensearch_memory import memory_of_deleted
from mlconform.conformance.targets.opensearch_ml import ML

# What a model is not in for long: while it is registered, and while it is being put into memory.
PASSING = frozenset({"REGISTERING", "DEPLOYING"})
# Port 1 is that of a multiplexer which nobody runs (RFC 1078): it refuses connections.
REFUSING = "http://127.0.0.1:1/v1/predict"
BEGINNING_SECONDS = 5.0
INTERVAL_SECONDS = 3
# Three times the interval of the job that keeps states true.
LOOKED_AFTER_SECONDS = 10.0
SHORTEST_INTERVAL_SECONDS = 1
SOON_LOOKED_AFTER_SECONDS = 4.0


def lives_on(ml: MlCommons, expect: Expect, name: str, model: str) -> None:
    """The model comes to rest, can be deployed, undeployed and deleted, and what it reads then stays."""
    rests(ml, expect, name, model, "after the failure")
    again = ml.when_ready(lambda: ml.deploy(model))
    expect.accepted(name, again)
    deployed = ml.settle_deploy(model, again)
    expect.settles(name, deployed, "DEPLOYED", "model_state after another deploy")
    ends(ml, expect, name, model)


def ends(ml: MlCommons, expect: Expect, name: str, model: str) -> None:
    """The model can be undeployed, and then deleted."""
    undeploys(ml, expect, name, model)
    expect.accepted(name, ml.delete(model))
    expect.status(name, ml.get(model), 404)


def undeploys(ml: MlCommons, expect: Expect, name: str, model: str) -> None:
    """The model comes to read as undeployed when it is undeployed."""
    failed = ml.state(model) == "DEPLOY_FAILED"
    expect.accepted(name, ml.undeploy(model))
    undeployed = ml.settle_state(model, "UNDEPLOYED") if failed else ml.settle_undeploy(model)
    expect.settles(name, undeployed, "UNDEPLOYED", "model_state after an undeploy")


def rests(ml: MlCommons, expect: Expect, name: str, model: str, when: str) -> None:
    """Its state is none of those that pass, at last."""
    settled = ml.session.settle(lambda: ml.state(model), lambda state: state not in PASSING)
    expect.that(
        name,
        bool(settled),
        expected=f"model_state {when} = one that stays",
        came=repr(settled.value),
        timing=True,
    )


@requirement("osml.after.failed-deploy")
def test_a_deploy_that_failed(ml: MlCommons, expect: Expect) -> None:
    model = _without_connector(ml)
    ml.await_task(ml.deploy(model))
    rests(ml, expect, "osml.after.failed-deploy", model, "after a deploy that failed")
    ml.change(model, {"connector_id": ml.connector_id})
    lives_on(ml, expect, "osml.after.failed-deploy", model)


@exclusive
@requirement("osml.after.refused-predict")
def test_a_predict_on_a_model_that_could_not_be_deployed(ml: MlCommons, expect: Expect) -> None:
    ml.set(AUTO_DEPLOY=True)
    model = _without_connector(ml)
    refused = ml.predict(model)
    if refused.status < 400:
        raise Untestable(f"a model without its connector answered: {refused.summary}")
    # The call is answered before the deployment begins.
    ml.session.settle(lambda: ml.state(model), lambda state: state != "REGISTERED", budget=BEGINNING_SECONDS)
    rests(ml, expect, "osml.after.refused-predict", model, "after a predict that could not deploy it")
    ml.change(model, {"connector_id": ml.connector_id})
    lives_on(ml, expect, "osml.after.refused-predict", model)


@exclusive
@requirement("osml.after.endpoint-gone")
def test_an_endpoint_that_is_gone(ml: MlCommons, expect: Expect) -> None:
    name = "osml.after.endpoint-gone"
    trusted = opensearch_settings.read_settings(ml.session, defaults=True).get(
        opensearch_settings.TRUSTED_ENDPOINTS
    )
    ml.try_setting(opensearch_settings.TRUSTED_ENDPOINTS, [*(trusted or []), f"^{re.escape(REFUSING)}$"])
    body = ml.connector_body()
    action = {**body["actions"][0], "url": REFUSING}
    created = ml.create_connector({**body, "actions": [action]})
    if created.status != 200:
        raise Untestable(f"no connector to an endpoint that is gone could be made: {created.summary}")
    model = ml.deployed_model(connector_id=str(created.member("connector_id")))
    for _ in range(3):
        refused = ml.predict(model)
        if refused.status < 400:
            raise Untestable(f"an endpoint that is gone answered: {refused.summary}")
    expect.equal(name, ml.state(model), "DEPLOYED", "model_state after the endpoint refused")
    undeploys(ml, expect, name, model)
    lives_on(ml, expect, name, model)


@exclusive
@needs("leaving node")
@requirement("osml.after.node-returned")
def test_a_node_that_left_and_came_back(ml: MlCommons, expect: Expect) -> None:
    name = "osml.after.node-returned"
    ml.set(AUTO_REDEPLOY=True, SYNC_INTERVAL=INTERVAL_SECONDS)
    model = ml.deployed_model()
    stop_node(ml.session).start()
    ml.settle_state(model, "DEPLOYED")
    expect.accepted(name, ml.undeploy(model))
    ml.settle_state(model, "UNDEPLOYED")
    ml.session.let_pass(LOOKED_AFTER_SECONDS, "three looks of the sync-up job")
    state = ml.state(model)
    # Deployed and undeployed once more it can be removed, whatever it reads now.
    ml.deploy(model)
    ml.settle_state(model, "DEPLOYED")
    expect.equal(name, state, "UNDEPLOYED", "model_state of an undeployed model, for good")
    ends(ml, expect, name, model)


@exclusive
@requirement("osml.after.delete")
def test_a_deleted_model_is_forgotten(ml: MlCommons, expect: Expect, explore: Explore) -> None:
    """One whose deploy failed, and, in each try, one beside a predict call, which deploys the model and is
    answered before that is done."""
    ml.session.clock.allow(SOON_LOOKED_AFTER_SECONDS, "waiting for the sync-up job")
    _let_go_of_deleted(ml)
    ml.set(AUTO_DEPLOY=True)
    deleted: list[str] = []

    def delete(model: str, when: str) -> Callable[[], None]:
        # Refused where the model is deployed by now: then there is nothing to look at.
        if ml.delete(model).status != 200:
            return lambda: None
        deleted.append(model)
        return lambda: _is_forgotten(ml, expect, model, when)

    def attempt(_: Random) -> Callable[[], None]:
        looks = [delete(_that_failed(ml, expect), "after a deploy of it failed")] if expect.tries == 1 else []
        model = ml.model()
        ml.predict(model)
        looks.append(delete(model, "beside a predict call"))

        def look_at_all() -> None:
            for look in looks:
                look()

        return look_at_all

    explore.at_rest(expect, attempt, rest=SOON_LOOKED_AFTER_SECONDS)
    if not deleted:
        raise Untestable("neither a model whose deploy failed nor one beside a predict call could be deleted")


def _that_failed(ml: MlCommons, expect: Expect) -> str:
    """A model at rest after a deploy of it failed."""
    model = _without_connector(ml)
    ml.await_task(ml.deploy(model))
    rests(ml, expect, "osml.after.delete", model, "after a deploy that failed")
    return model


def _let_go_of_deleted(ml: MlCommons) -> None:
    """Run the sync-up job often, and free what nodes keep of deleted models when the check has ended."""
    ml.session.tracker.add(memory_of_deleted(ml.session))
    ml.set(SYNC_INTERVAL=SHORTEST_INTERVAL_SECONDS)


def _is_forgotten(ml: MlCommons, expect: Expect, model: str, when: str) -> None:
    """Neither a profile nor a predict call finds the model that was deleted."""
    name = "osml.after.delete"
    nodes = _shown_by(ml, model)
    expect.see(
        name,
        not nodes,
        expected=f"nodes whose profile shows a model that was deleted {when} = []",
        came=", ".join(nodes),
    )
    answered = ml.predict(model)
    expect.see(
        name,
        answered.status >= 400,
        expected="a refusal of a predict call to a model that was deleted",
        came=answered.summary,
        exchange=answered,
    )


def _shown_by(ml: MlCommons, model: str) -> list[str]:
    """The nodes whose profile shows the model."""
    nodes = ml.session.request("GET", f"{ML}/profile/models/{model}").member("nodes")
    return sorted(nodes) if isinstance(nodes, dict) else []


def _without_connector(ml: MlCommons) -> str:
    """A model that lost its connector, so that no deploy of it succeeds."""
    model = ml.model(connector_id=ml.connector_id)
    changed = ml.update(model, {"connector_id": UNKNOWN_ID})
    if changed.status != 200:
        raise Untestable(f"no deploy could be made to fail: {changed.summary}")
    return model
