"""The cluster settings that steer the lifecycle: pages undeploy-model, deploy-model and delete-model."""

from __future__ import annotations

from typing import Any

from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, requirement
from mlconform.conformance.suites.opensearch_ml.api import AUTO_DEPLOY, SAFE_DELETE, SYNC_INTERVAL, MlCommons
from mlconform.conformance.targets import opensearch_settings


def _effective(ml: MlCommons, name: str) -> Any:
    return opensearch_settings.read_settings(ml.session, defaults=True).get(name)


@exclusive
@requirement("osml.settings.sync-interval", "osml.settings.example.sync-interval")
def test_the_sync_up_interval_can_be_changed(ml: MlCommons, expect: Expect) -> None:
    answered = ml.try_setting(SYNC_INTERVAL, 10)
    expect.accepted("osml.settings.example.sync-interval", answered)
    expect.equal("osml.settings.sync-interval", str(_effective(ml, SYNC_INTERVAL)), "10", SYNC_INTERVAL)
    ml.put_settings({SYNC_INTERVAL: 4})
    expect.equal("osml.settings.sync-interval", str(_effective(ml, SYNC_INTERVAL)), "4", SYNC_INTERVAL)


@exclusive
@requirement("osml.settings.sync-interval-default")
def test_the_sync_up_interval_is_ten_seconds_by_default(ml: MlCommons, expect: Expect) -> None:
    overridden = opensearch_settings.nodes_that_set(ml.session, SYNC_INTERVAL)
    if overridden:
        raise Untestable(f"{SYNC_INTERVAL} is set by {', '.join(overridden)}: its default does not show")
    ml.set(SYNC_INTERVAL=None)
    value = str(_effective(ml, SYNC_INTERVAL))
    expect.equal("osml.settings.sync-interval-default", value, "10", f"default of {SYNC_INTERVAL}")


@exclusive
@requirement("osml.settings.auto-deploy")
def test_automatic_deployment_is_switched_off_by_a_string(ml: MlCommons, expect: Expect) -> None:
    expect.accepted("osml.settings.auto-deploy", ml.try_setting(AUTO_DEPLOY, "false"))
    expect.equal("osml.settings.auto-deploy", str(_effective(ml, AUTO_DEPLOY)).lower(), "false", AUTO_DEPLOY)


@exclusive
@requirement("osml.delete.safe.setting")
def test_safe_delete_can_be_switched_on(ml: MlCommons, expect: Expect) -> None:
    expect.accepted("osml.delete.safe.setting", ml.try_setting(SAFE_DELETE, True))
    expect.equal("osml.delete.safe.setting", str(_effective(ml, SAFE_DELETE)).lower(), "true", SAFE_DELETE)


@exclusive
@requirement("osml.settings.unknown")
def test_an_unknown_setting_is_refused(ml: MlCommons, expect: Expect) -> None:
    opensearch_settings.require_settings(ml.session)
    answered = ml.put_settings({"plugins.ml_commons.no_such_setting": 1})
    expect.error("osml.settings.unknown", answered, 400, "not recognized")


@exclusive
@requirement("osml.settings.bounds")
def test_an_interval_out_of_its_range_is_refused(ml: MlCommons, expect: Expect) -> None:
    for value, bound in ((-1, "must be >= 0"), (86_401, "must be <= 86400")):
        expect.error("osml.settings.bounds", ml.try_setting(SYNC_INTERVAL, value), 400, bound)
