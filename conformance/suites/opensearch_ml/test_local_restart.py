"""Local models whose nodes restart: pages deploy-model and cluster-settings."""

from __future__ import annotations

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, needs, requirement
from mlconform.conformance.suites.opensearch_ml.api import MlCommons
from mlconform.conformance.suites.opensearch_ml.local_models import LocalModels

pytestmark = exclusive


@needs("restart")
@requirement("osml.restart.redeploy")
def test_without_automatic_redeployment(local: LocalModels, ml: MlCommons, expect: Expect) -> None:
    ml.set(AUTO_DEPLOY=False, AUTO_REDEPLOY=False)
    model = local.deployed()
    local.session.restart()
    expect.client_error("osml.restart.redeploy", local.predict(model))
    ml.bring_up(model)
    expect.accepted("osml.restart.redeploy", local.predict(model))


@needs("restart")
@requirement("osml.restart.auto-redeploy", "osml.settings.auto-redeploy.on")
def test_with_automatic_redeployment(local: LocalModels, ml: MlCommons, expect: Expect) -> None:
    ml.set(AUTO_DEPLOY=False, AUTO_REDEPLOY=True, SYNC_INTERVAL=3)
    model, undeployed = local.deployed(), local.deployed()
    ml.take_down(undeployed)
    local.session.restart()
    served = local.session.settle(lambda: local.predict(model), lambda answered: answered.status == 200).value
    expect.all_accepted(["osml.restart.auto-redeploy", "osml.settings.auto-redeploy.on"], served)
    expect.settles(
        "osml.restart.auto-redeploy",
        ml.settle_state(model, "DEPLOYED"),
        "DEPLOYED",
        "model_state after the restart",
    )
    found = local.in_memory_of(undeployed)
    expect.equal("osml.restart.auto-redeploy", found, [], "nodes whose profile has one that was undeployed")
