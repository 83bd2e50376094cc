"""What becomes of deployed models when a node leaves and comes back: page cluster-settings, auto redeploy."""

from __future__ import annotations

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, needs, requirement
from mlconform.conformance.suites.opensearch_ml.api import MlCommons
from mlconform.conformance.targets.leaving import stop_node

# The node is missed, the model is deployed again, and the sync-up job hears of it.
REDEPLOY_BUDGET_SECONDS = 60.0
INTERVAL_SECONDS = 3


@exclusive
@needs("leaving node")
@requirement("osml.settings.auto-redeploy.node-lost", "osml.settings.auto-redeploy.node-joins")
def test_a_model_is_deployed_again(ml: MlCommons, expect: Expect) -> None:
    ml.set(AUTO_DEPLOY=False, AUTO_REDEPLOY=True, SYNC_INTERVAL=INTERVAL_SECONDS)
    model = ml.deployed_model()
    nodes = _nodes(ml, model)
    stopped = stop_node(ml.session)
    _reads(ml, expect, "osml.settings.auto-redeploy.node-lost", model, nodes - {stopped.gone})
    expect.accepted("osml.settings.auto-redeploy.node-lost", ml.predict(model))
    stopped.start()
    _reads(ml, expect, "osml.settings.auto-redeploy.node-joins", model, nodes)
    expect.accepted("osml.settings.auto-redeploy.node-joins", ml.predict(model))


@exclusive
@needs("leaving node")
@requirement("osml.settings.redeploy-retries")
def test_no_more_often_than_the_setting_says(ml: MlCommons, expect: Expect) -> None:
    ml.set(AUTO_DEPLOY=False, AUTO_REDEPLOY=True, REDEPLOY_RETRIES=0, SYNC_INTERVAL=INTERVAL_SECONDS)
    model = ml.deployed_model()
    deployed = ml.get(model).member("last_deployed_time")
    stop_node(ml.session).start()
    ml.session.let_pass(3.0 * INTERVAL_SECONDS, "three looks of the sync-up job")
    again = ml.get(model).member("last_deployed_time")
    expect.that(
        "osml.settings.redeploy-retries",
        again == deployed,
        expected="no deployment by itself where it may try 0 times",
        came=f"last_deployed_time {again}, which was {deployed}",
    )


def _nodes(ml: MlCommons, model: str) -> frozenset[str]:
    """The nodes that the model is planned for."""
    planned = ml.get(model).member("planning_worker_nodes")
    return frozenset(planned) if isinstance(planned, list) else frozenset()


def _reads(ml: MlCommons, expect: Expect, name: str, model: str, nodes: frozenset[str]) -> None:
    """The model comes to read as deployed on these nodes."""
    wanted = ("DEPLOYED", nodes)
    settled = ml.session.settle(
        lambda: (ml.state(model), _nodes(ml, model)),
        lambda read: read == wanted,
        budget=REDEPLOY_BUDGET_SECONDS,
    )
    expect.settles(name, settled, wanted, "model_state and worker nodes")
