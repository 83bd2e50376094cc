"""What a restart of the cluster does to deployed models: page deploy-model, its closing tip."""

from __future__ import annotations

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, needs, requirement
from mlconform.conformance.suites.opensearch_ml.api import MlCommons


@exclusive
@needs("restart")
@requirement("osml.restart.redeploy")
def test_after_a_restart_a_model_must_be_deployed_again(ml: MlCommons, expect: Expect) -> None:
    ml.set(AUTO_DEPLOY=False, AUTO_REDEPLOY=False)
    model = ml.deployed_model()
    ml.session.restart()
    expect.client_error("osml.restart.redeploy", ml.predict(model))
    ml.bring_up(model)
    expect.accepted("osml.restart.redeploy", ml.predict(model))


@exclusive
@needs("restart")
@requirement("osml.restart.auto-redeploy")
def test_with_auto_redeploy_it_comes_back_by_itself(ml: MlCommons, expect: Expect) -> None:
    ml.set(AUTO_DEPLOY=False, AUTO_REDEPLOY=True, SYNC_INTERVAL=3)
    model = ml.deployed_model()
    ml.session.restart()
    served = ml.session.settle(lambda: ml.predict(model), lambda answered: answered.status == 200)
    expect.accepted("osml.restart.auto-redeploy", served.value)
