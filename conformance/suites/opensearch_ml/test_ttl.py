"""Undeploying by itself after a time to live: page undeploy-model, "Automatically undeploy"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlconform.conformance.oracle.windows import TOLERANCE_SECONDS, Window, ttl_window
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, requirement, waits
from mlconform.conformance.suites.opensearch_ml.api import WAITING_INTERVAL_SECONDS, MlCommons

INTERVAL_SECONDS = WAITING_INTERVAL_SECONDS
# Where nothing goes on meanwhile.
SHORT_INTERVAL_SECONDS = 3
MINUTE = 60.0
# A read this long before the window opens is early beyond doubt.
MARGIN_SECONDS = 1.0
GRACE_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Expiring:
    """A deployed model whose time to live runs."""

    id: str
    used_at: Window


def _deploy(ml: MlCommons, ttl_minutes: int, interval: int = INTERVAL_SECONDS) -> Expiring:
    """Deploy a model with this TTL; `interval` is that of the sync-up job, in seconds."""
    ml.set(SYNC_INTERVAL=interval)
    model = ml.model(deploy_setting={"model_ttl_minutes": ttl_minutes})
    opens = ml.session.clock.now()
    ml.bring_up(model)
    return Expiring(model, Window(opens, ml.session.clock.now()))


def _allow(ml: MlCommons, seconds: float) -> None:
    """Untestable at once, before anything is made, where this much time cannot pass."""
    ml.session.clock.allow(seconds, "waiting for a time to live")


def _pass_until(ml: MlCommons, moment: float) -> None:
    ml.session.let_pass(moment - ml.session.clock.now(), "waiting for a time to live")


def _state_by(ml: MlCommons, model: str, moment: float) -> str:
    """The state when it has become UNDEPLOYED, or at this moment."""
    return ml.settle_state(model, "UNDEPLOYED", budget=moment - ml.session.clock.now()).value


@exclusive
@waits(71)
@requirement("osml.undeploy.ttl", "osml.undeploy.ttl-not-before", "osml.undeploy.ttl-window")
def test_a_model_leaves_memory_in_its_window(ml: MlCommons, expect: Expect) -> None:
    _allow(ml, MINUTE + INTERVAL_SECONDS + TOLERANCE_SECONDS)
    model = _deploy(ml, 1)
    window = ttl_window(model.used_at, 1, INTERVAL_SECONDS)
    for moment in (window.opens - MINUTE / 2, window.opens - MARGIN_SECONDS):
        _pass_until(ml, moment)
        early = ml.state(model.id)
        expect.equal(
            "osml.undeploy.ttl-not-before", early, "DEPLOYED", "model_state before the TTL has passed"
        )
    late = _state_by(ml, model.id, window.closes)
    # Late and never are two findings: only a model that is late gets this grace.
    at_last = late if late == "UNDEPLOYED" else _state_by(ml, model.id, window.closes + GRACE_SECONDS)
    expect.equal("osml.undeploy.ttl", at_last, "UNDEPLOYED", "model_state long after the TTL")
    expect.equal("osml.undeploy.ttl-window", late, "UNDEPLOYED", "model_state at TTL + one sync-up interval")


@exclusive
@waits(110)
@requirement("osml.undeploy.ttl-renewed")
def test_a_prediction_starts_the_time_anew(ml: MlCommons, expect: Expect) -> None:
    _allow(ml, 2 * MINUTE - 20 + INTERVAL_SECONDS + TOLERANCE_SECONDS)
    model = _deploy(ml, 1)
    _pass_until(ml, model.used_at.opens + MINUTE - 20)
    used = ml.session.clock.now()
    expect.accepted("osml.undeploy.ttl-renewed", ml.predict(model.id))
    first = ttl_window(model.used_at, 1, INTERVAL_SECONDS)
    _pass_until(ml, first.closes + MARGIN_SECONDS)
    state = ml.state(model.id)
    expect.equal(
        "osml.undeploy.ttl-renewed", state, "DEPLOYED", "model_state when the TTL since the deploy is over"
    )
    second = ttl_window(Window(used, used), 1, INTERVAL_SECONDS)
    late = _state_by(ml, model.id, second.closes)
    expect.equal(
        "osml.undeploy.ttl-renewed", late, "UNDEPLOYED", "model_state when the TTL since its use is over"
    )


@requirement("osml.undeploy.ttl-setting")
def test_a_time_to_live_can_be_given_and_read(ml: MlCommons, expect: Expect) -> None:
    registered = ml.register(ml.remote_body(deploy_setting={"model_ttl_minutes": 7}))
    expect.accepted("osml.undeploy.ttl-setting", registered)
    model = str(registered.member("model_id"))
    read = ml.get(model).member("deploy_setting", "model_ttl_minutes")
    expect.equal("osml.undeploy.ttl-setting", read, 7, "deploy_setting.model_ttl_minutes as registered")
    expect.accepted(
        "osml.undeploy.ttl-setting", ml.update(model, {"deploy_setting": {"model_ttl_minutes": 9}})
    )
    read = ml.get(model).member("deploy_setting", "model_ttl_minutes")
    expect.equal("osml.undeploy.ttl-setting", read, 9, "deploy_setting.model_ttl_minutes as updated")


@exclusive
@requirement("osml.undeploy.ttl-zero")
def test_zero_ends_at_the_next_sync_up(ml: MlCommons, expect: Expect) -> None:
    _allow(ml, SHORT_INTERVAL_SECONDS + TOLERANCE_SECONDS)
    model = _deploy(ml, 0, SHORT_INTERVAL_SECONDS)
    state = _state_by(ml, model.id, ttl_window(model.used_at, 0, SHORT_INTERVAL_SECONDS).closes)
    expect.equal("osml.undeploy.ttl-zero", state, "UNDEPLOYED", "model_state after one sync-up interval")


@exclusive
@waits(75)
@requirement("osml.undeploy.ttl-minus-one")
def test_minus_one_never_ends(ml: MlCommons, expect: Expect) -> None:
    _allow(ml, MINUTE + INTERVAL_SECONDS + TOLERANCE_SECONDS)
    model = _deploy(ml, -1)
    _pass_until(ml, ttl_window(model.used_at, 1, INTERVAL_SECONDS).closes)
    expect.equal("osml.undeploy.ttl-minus-one", ml.state(model.id), "DEPLOYED", "model_state after a minute")


@exclusive
@waits(71)
@requirement("osml.undeploy.ttl-read-no-renewal")
def test_reading_a_model_is_no_use_of_it(ml: MlCommons, expect: Expect) -> None:
    _allow(ml, MINUTE + INTERVAL_SECONDS + TOLERANCE_SECONDS)
    model = _deploy(ml, 1)
    _pass_until(ml, model.used_at.opens + MINUTE / 2)
    ml.get(model.id)
    late = _state_by(ml, model.id, ttl_window(model.used_at, 1, INTERVAL_SECONDS).closes)
    expect.equal("osml.undeploy.ttl-read-no-renewal", late, "UNDEPLOYED", "model_state after the TTL")


@requirement("osml.undeploy.ttl-not-number")
def test_a_time_to_live_that_is_no_number_is_refused(ml: MlCommons, expect: Expect) -> None:
    values: tuple[Any, ...] = ("x", True, [], {"a": 1})
    for value in values:
        body = ml.remote_body(deploy_setting={"model_ttl_minutes": value})
        expect.error("osml.undeploy.ttl-not-number", ml.register(body), 400)
