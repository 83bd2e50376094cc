"""Undeploying by hand: page undeploy-model."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.explore import Explore
from mlconform.conformance.suites.marks import exclusive, needs, requirement
from mlconform.conformance.suites.opensearch_ml.api import UNKNOWN_ID, MlCommons
from mlconform.conformance.targets.exchange import Exchange

# Two looks of the sync-up job, where it runs each second, and what it takes to write.
LOOKED_AFTER_SECONDS = 2.5


@requirement("osml.undeploy.endpoint", "osml.undeploy.from-memory")
def test_undeploy_takes_the_model_out_of_memory(ml: MlCommons, expect: Expect) -> None:
    model = ml.deployed_model()
    expect.accepted("osml.undeploy.endpoint", ml.undeploy(model))
    settled = ml.settle_undeploy(model, budget=5.0)
    expect.settles("osml.undeploy.from-memory", settled, "UNDEPLOYED", "model_state after the undeploy")


@exclusive
@requirement("osml.undeploy.from-memory")
def test_undeploys_beside_the_sync_up_job(ml: MlCommons, expect: Expect, explore: Explore) -> None:
    """On recorded 3.4.0 nodes the job, where it runs each second, writes over one undeploy of ten."""
    ml.session.clock.allow(LOOKED_AFTER_SECONDS, "waiting for the sync-up job")
    ml.set(SYNC_INTERVAL=1)

    def attempt(_: Random) -> Callable[[], None]:
        model = ml.deployed_model()
        ml.undeploy(model)
        return lambda: _stays_undeployed(ml, expect, model)

    explore.at_rest(expect, attempt, rest=LOOKED_AFTER_SECONDS)


def _stays_undeployed(ml: MlCommons, expect: Expect, model: str) -> None:
    state = ml.state(model)
    expect.see(
        "osml.undeploy.from-memory",
        state == "UNDEPLOYED",
        expected="model_state after the undeploy = 'UNDEPLOYED'",
        came=repr(state),
    )


@requirement("osml.undeploy.all-nodes")
def test_an_undeploy_reaches_every_node(ml: MlCommons, expect: Expect) -> None:
    answered = ml.undeploy(ml.deployed_model())
    expect.accepted("osml.undeploy.all-nodes", answered)
    expect.equal(
        "osml.undeploy.all-nodes",
        sorted(answered.json),
        sorted(ml.session.facts.nodes),
        "nodes in the answer",
    )


@requirement("osml.undeploy.model-ids")
def test_several_models_at_once(ml: MlCommons, expect: Expect) -> None:
    models = [ml.deployed_model(), ml.deployed_model()]
    other = ml.deployed_model()
    expect.accepted("osml.undeploy.model-ids", ml.undeploy_many({"model_ids": models}))
    for model in models:
        settled = ml.settle_undeploy(model, budget=5.0)
        expect.settles("osml.undeploy.model-ids", settled, "UNDEPLOYED", "model_state of one named")
    expect.equal("osml.undeploy.model-ids", ml.state(other), "DEPLOYED", "model_state of one not named")


@exclusive
@needs("second node")
@requirement("osml.undeploy.node-ids")
def test_from_the_nodes_named(ml: MlCommons, expect: Expect) -> None:
    ml.set(CUSTOM_PLAN=True)
    model = ml.deployed_model()
    nodes = list(ml.session.facts.nodes)
    body = {"model_ids": [model], "node_ids": nodes[:1]}
    expect.accepted("osml.undeploy.node-ids", ml.undeploy_many(body))
    left = ml.session.settle(
        lambda: sorted(ml.get(model).member("planning_worker_nodes") or []),
        lambda workers: workers == sorted(nodes[1:]),
        budget=5.0,
    )
    expect.settles("osml.undeploy.node-ids", left, sorted(nodes[1:]), "worker nodes left")


def values_of(answered: Exchange, model: str) -> list[object]:
    """What each node says of the model, in the documented shape: node, stats, model, value."""
    nodes = answered.json if isinstance(answered.json, dict) else {}
    return [(node or {}).get("stats", {}).get(model) for node in nodes.values() if isinstance(node, dict)]


@requirement("osml.undeploy.answer")
def test_the_answer_tells_of_each_node(ml: MlCommons, expect: Expect) -> None:
    model = ml.deployed_model()
    answered = ml.undeploy(model)
    expect.accepted("osml.undeploy.answer", answered)
    values = values_of(answered, model)
    expect.that(
        "osml.undeploy.answer",
        bool(values) and all(isinstance(value, str) for value in values),
        expected="an object: node id, then stats, then model id, then a string",
        came=answered.summary,
        exchange=answered,
    )


@requirement("osml.undeploy.answer.value")
def test_the_answered_value_is_the_documented_one(ml: MlCommons, expect: Expect) -> None:
    model = ml.deployed_model()
    values = set(values_of(ml.undeploy(model), model))
    expect.equal("osml.undeploy.answer.value", values, {"UNDEPLOYED"}, "what the nodes say of the model")


@requirement("osml.undeploy.not-deployed")
def test_a_model_that_is_not_deployed_is_not_found_on_the_nodes(ml: MlCommons, expect: Expect) -> None:
    model = ml.model()
    for when in ("never deployed", "undeployed before"):
        answered = ml.undeploy(model)
        expect.status("osml.undeploy.not-deployed", answered, 200)
        values = set(values_of(answered, model))
        expect.equal("osml.undeploy.not-deployed", values, {"not_found"}, f"value of a model {when}")
        ml.bring_up(model)
        ml.take_down(model)


@requirement("osml.undeploy.body-wins")
def test_the_models_in_the_body_win_over_the_one_in_the_path(ml: MlCommons, expect: Expect) -> None:
    in_path, in_body = ml.deployed_model(), ml.deployed_model()
    expect.status("osml.undeploy.body-wins", ml.undeploy(in_path, {"model_ids": [in_body]}), 200)
    settled = ml.settle_undeploy(in_body, budget=5.0)
    expect.settles("osml.undeploy.body-wins", settled, "UNDEPLOYED", "model_state of the one in the body")
    expect.equal(
        "osml.undeploy.body-wins", ml.state(in_path), "DEPLOYED", "model_state of the one in the path"
    )


class TestUnknownModels:
    @requirement("osml.undeploy.unknown-model")
    def test_in_the_path(self, ml: MlCommons, expect: Expect) -> None:
        expect.error("osml.undeploy.unknown-model", ml.undeploy(UNKNOWN_ID), 404, "Failed to find model")

    @requirement("osml.undeploy.one-unknown")
    def test_alone_in_the_body(self, ml: MlCommons, expect: Expect) -> None:
        answered = ml.undeploy_many({"model_ids": [UNKNOWN_ID]})
        expect.error("osml.undeploy.one-unknown", answered, 404, "Failed to find model")

    @requirement("osml.undeploy.several-unknown")
    def test_several_in_the_body(self, ml: MlCommons, expect: Expect) -> None:
        answered = ml.undeploy_many({"model_ids": [f"{UNKNOWN_ID}-a", f"{UNKNOWN_ID}-b"]})
        expect.status("osml.undeploy.several-unknown", answered, 200)
        values = set(values_of(answered, f"{UNKNOWN_ID}-a"))
        expect.equal("osml.undeploy.several-unknown", values, {"not_found"}, "value of an unknown model")

    @requirement("osml.undeploy.mixed")
    def test_beside_a_known_one(self, ml: MlCommons, expect: Expect) -> None:
        model = ml.deployed_model()
        answered = ml.undeploy_many({"model_ids": [model, UNKNOWN_ID]})
        expect.status("osml.undeploy.mixed", answered, 200)
        values = set(values_of(answered, UNKNOWN_ID))
        expect.equal("osml.undeploy.mixed", values, {"not_found"}, "value of the unknown model")
        settled = ml.settle_undeploy(model, budget=5.0)
        expect.settles("osml.undeploy.mixed", settled, "UNDEPLOYED", "model_state of the known one")


class TestRefusals:
    @requirement("osml.undeploy.no-ids")
    def test_no_model_named(self, ml: MlCommons, expect: Expect) -> None:
        for answered in (
            ml.undeploy_many({"model_ids": []}),
            ml.undeploy_many({}),
            ml.undeploy_many({"bogus": 1}),
            ml.undeploy_many(),
        ):
            expect.error("osml.undeploy.no-ids", answered, 400, "Must set specific model ids to undeploy")

    @requirement("osml.undeploy.model-ids-type")
    def test_model_ids_that_are_no_list(self, ml: MlCommons, expect: Expect) -> None:
        for value in (UNKNOWN_ID, None):
            answered = ml.undeploy_many({"model_ids": value})
            expect.error(
                "osml.undeploy.model-ids-type", answered, 400, "expecting token of type [START_ARRAY]"
            )

    @exclusive
    @requirement("osml.undeploy.node-ids-setting")
    def test_custom_plan_not_allowed(self, ml: MlCommons, expect: Expect) -> None:
        ml.set(CUSTOM_PLAN=False)
        answered = ml.undeploy(ml.deployed_model(), {"node_ids": list(ml.session.facts.nodes[:1])})
        expect.error("osml.undeploy.node-ids-setting", answered, 400, "Don't allow custom deployment plan")
