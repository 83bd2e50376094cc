"""The settings of models: page cluster-settings, their defaults and their values."""

from __future__ import annotations

from typing import Any

import pytest

from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import deciding, exclusive, needs, requirement
from mlconform.conformance.suites.opensearch_ml.api import MlCommons
from mlconform.conformance.targets import opensearch_settings
from mlconform.conformance.targets.opensearch_ml import ML

PREFIX = "plugins.ml_commons."
ANY_URL = "^(https?|ftp|file)://[-a-zA-Z0-9+&@#/%?=~_|!:,.;]*[-a-zA-Z0-9+&@#/%=~_|]"
FLAG = (True, False), ("maybe",)
REMOTE_INFERENCE = f"{PREFIX}remote_inference.enabled"


@exclusive
@pytest.mark.parametrize(
    ("name", "setting", "default"),
    [
        deciding("osml.settings.only-run-on-ml-node.default", "only_run_on_ml_node", "true"),
        deciding("osml.settings.max-model-on-node.default", "max_model_on_node", "10"),
        deciding("osml.settings.max-register-tasks.default", "max_register_model_tasks_per_node", "10"),
        deciding("osml.settings.max-deploy-tasks.default", "max_deploy_model_tasks_per_node", "10"),
        deciding("osml.settings.native-threshold.default", "native_memory_threshold", "90"),
        deciding("osml.settings.heap-threshold.default", "jvm_heap_memory_threshold", "85"),
        deciding("osml.settings.allow-url.default", "allow_registering_model_via_url", "false"),
        deciding("osml.settings.allow-local-file.default", "allow_registering_model_via_local_file", "false"),
        deciding("osml.settings.custom-plan.default", "allow_custom_deployment_plan", "false"),
        deciding("osml.settings.auto-deploy-flag.default", "model_auto_deploy.enable", "true"),
        deciding("osml.settings.auto-redeploy.default", "model_auto_redeploy.enable", "true"),
        deciding("osml.settings.redeploy-retries.default", "model_auto_redeploy.lifetime_retry_times", "3"),
        deciding("osml.settings.redeploy-ratio.default", "model_auto_redeploy_success_ratio", "0.8"),
        deciding("osml.settings.local-model.default", "local_model.enabled", "true"),
        deciding("osml.settings.remote-inference.default", "remote_inference.enabled", "true"),
        deciding("osml.settings.trusted-url.default", "trusted_url_regex", ANY_URL),
        deciding("osml.delete.safe.default", "safe_delete_model", "false"),
    ],
)
def test_a_default(ml: MlCommons, expect: Expect, name: str, setting: str, default: str) -> None:
    overridden = opensearch_settings.nodes_that_set(ml.session, PREFIX + setting)
    if overridden:
        raise Untestable(
            f"{PREFIX}{setting} is set in the file or the start command of {', '.join(overridden)}: "
            "its default does not show"
        )
    ml.try_setting(PREFIX + setting, None)
    value = opensearch_settings.read_settings(ml.session, defaults=True).get(PREFIX + setting)
    expect.equal(name, str(value).lower(), default.lower(), f"{PREFIX}{setting} where nobody set it")


@exclusive
@pytest.mark.parametrize(
    ("name", "setting", "good", "bad"),
    [
        deciding("osml.settings.only-run-on-ml-node.values", "only_run_on_ml_node", *FLAG),
        deciding("osml.settings.max-model-on-node.values", "max_model_on_node", *((0, 10_000), (-1, 10_001))),
        deciding(
            "osml.settings.sync-interval.values",
            "sync_up_job_interval_in_seconds",
            *((0, 86_400), (-1, 86_401)),
        ),
        deciding(
            "osml.settings.max-register-tasks.values",
            "max_register_model_tasks_per_node",
            *((0, 10), (-1, 11)),
        ),
        deciding(
            "osml.settings.max-deploy-tasks.values", "max_deploy_model_tasks_per_node", *((0, 10), (-1, 11))
        ),
        deciding("osml.settings.allow-url.values", "allow_registering_model_via_url", *FLAG),
        deciding("osml.settings.allow-local-file.values", "allow_registering_model_via_local_file", *FLAG),
        deciding("osml.settings.custom-plan.values", "allow_custom_deployment_plan", *FLAG),
        deciding("osml.settings.auto-deploy-flag.values", "model_auto_deploy.enable", *FLAG),
        deciding("osml.settings.auto-redeploy.values", "model_auto_redeploy.enable", *FLAG),
        deciding(
            "osml.settings.redeploy-retries.values",
            "model_auto_redeploy.lifetime_retry_times",
            *((0, 100), (-1, 101)),
        ),
        deciding(
            "osml.settings.redeploy-ratio.values", "model_auto_redeploy_success_ratio", *((0, 1), (-0.1, 1.1))
        ),
        deciding("osml.settings.native-threshold.values", "native_memory_threshold", *((0, 100), (-1, 101))),
        deciding("osml.settings.heap-threshold.values", "jvm_heap_memory_threshold", *((0, 100), (-1, 101))),
        deciding("osml.settings.local-model.values", "local_model.enabled", *FLAG),
        deciding("osml.settings.remote-inference.values", "remote_inference.enabled", *FLAG),
    ],
)
def test_the_values(
    ml: MlCommons, expect: Expect, name: str, setting: str, good: tuple[Any, ...], bad: tuple[Any, ...]
) -> None:
    for value in good:
        expect.accepted(name, ml.try_setting(PREFIX + setting, value))
    for value in bad:
        expect.client_error(name, ml.try_setting(PREFIX + setting, value))


@exclusive
@needs("move time")
@requirement("osml.settings.sync-interval.zero")
def test_without_a_sync_up_no_time_to_live_ends(ml: MlCommons, expect: Expect) -> None:
    ml.set(SYNC_INTERVAL=0)
    model = ml.deployed_model(deploy_setting={"model_ttl_minutes": 1})
    ml.session.let_pass(180, "three times the time to live")
    state = ml.state(model)
    expect.equal("osml.settings.sync-interval.zero", state, "DEPLOYED", "model_state without a sync-up job")


@exclusive
@requirement("osml.settings.custom-plan")
def test_a_custom_plan(ml: MlCommons, expect: Expect) -> None:
    ml.set(CUSTOM_PLAN=True)
    answered = ml.deploy(ml.model(), {"node_ids": list(ml.session.facts.nodes[:1])})
    expect.accepted("osml.settings.custom-plan", answered)


@exclusive
@requirement("osml.settings.auto-deploy.on")
def test_automatic_deployment(ml: MlCommons, expect: Expect) -> None:
    ml.set(AUTO_DEPLOY=True)
    model = ml.model()
    expect.accepted("osml.settings.auto-deploy.on", ml.predict(model))
    state = ml.settle_state(model, "DEPLOYED").value
    expect.equal("osml.settings.auto-deploy.on", state, "DEPLOYED", "model_state after the predict")


@exclusive
@needs("restart")
@requirement("osml.settings.auto-redeploy.on")
def test_automatic_redeployment(ml: MlCommons, expect: Expect) -> None:
    ml.set(AUTO_REDEPLOY=True)
    model = ml.deployed_model()
    ml.session.restart()
    state = ml.settle_state(model, "DEPLOYED").value
    expect.equal("osml.settings.auto-redeploy.on", state, "DEPLOYED", "model_state after a restart")


@exclusive
@requirement("osml.settings.remote-inference.off")
def test_without_remote_inference(ml: MlCommons, expect: Expect) -> None:
    name = "osml.settings.remote-inference.off"
    model, body = ml.model(), ml.remote_body()
    opensearch_settings.change_settings(ml.session, {REMOTE_INFERENCE: False})
    refused = [
        ml.register(body),
        ml.deploy(model),
        ml.predict(model),
        ml.create_connector(ml.connector_body()),
    ]
    opensearch_settings.change_settings(ml.session, {REMOTE_INFERENCE: True})
    # The page says what is impossible; that it is told with a 4xx is osml.wire.no-server-error.
    for answered in refused:
        expect.refused(name, answered)


@requirement("osml.settings.remote-roles")
def test_a_remote_model_runs_on_data_nodes(ml: MlCommons, expect: Expect) -> None:
    model = ml.deployed_model()
    planned = ml.get(model).member("planning_worker_nodes") or []
    nodes = sorted(ml.session.facts.nodes)
    expect.equal("osml.settings.remote-roles", sorted(planned), nodes, "worker nodes")


@exclusive
@requirement("osml.remote.trusted-endpoints")
def test_trusted_endpoints_are_a_list(ml: MlCommons, expect: Expect) -> None:
    setting = opensearch_settings.TRUSTED_ENDPOINTS
    before = opensearch_settings.read_settings(ml.session, defaults=True).get(setting) or []
    # Nobody has an address below .invalid (RFC 2606, section 2): the cluster trusts nobody more meanwhile.
    more = [f"^https://{name}\\.invalid/.*$" for name in ("one", "two")]
    answered = ml.try_setting(setting, [*before, *more])
    expect.accepted("osml.remote.trusted-endpoints", answered)


@exclusive
@requirement("osml.delete.safe")
def test_safe_delete_keeps_a_model_in_use(ml: MlCommons, expect: Expect) -> None:
    ml.set(SAFE_DELETE=True)
    model = ml.model()
    ml.user_of("ingest pipeline", model)
    expect.client_error("osml.delete.safe", ml.delete(model))
    expect.accepted("osml.delete.safe", ml.session.request("GET", f"{ML}/models/{model}"))
