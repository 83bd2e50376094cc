"""Rate limits and disabled models: page integrating-ml-models."""

from __future__ import annotations

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, requirement, waits
from mlconform.conformance.suites.opensearch_ml.api import MlCommons


@requirement("osml.rate-limit.disabled-stays")
def test_a_disabled_model_stays_disabled_when_it_is_deployed(ml: MlCommons, expect: Expect) -> None:
    model = ml.model(is_enabled=False)
    ml.await_task(ml.deploy(model))
    ml.settle_state(model, "DEPLOYED")
    expect.client_error("osml.rate-limit.disabled-stays", ml.predict(model))
    ml.change(model, {"is_enabled": True})
    enabled = ml.session.settle(lambda: ml.predict(model), lambda answered: answered.status == 200).value
    expect.accepted("osml.rate-limit.disabled-stays", enabled)


@requirement("osml.rate-limit.two-inputs")
def test_a_limit_has_a_number_and_a_unit(ml: MlCommons, expect: Expect) -> None:
    model = ml.model()
    expect.accepted(
        "osml.rate-limit.two-inputs", ml.update(model, {"rate_limiter": {"limit": 4, "unit": "MINUTES"}})
    )
    limit = ml.get(model).member("rate_limiter")
    expect.members("osml.rate-limit.two-inputs", limit, {"limit": (int, str), "unit": str}, "rate_limiter")
    expect.equal("osml.rate-limit.two-inputs", str(limit["limit"]), "4", "rate_limiter.limit")
    expect.equal("osml.rate-limit.two-inputs", limit["unit"], "MINUTES", "rate_limiter.unit")


@exclusive
@waits(61)
@requirement("osml.rate-limit.refused")
def test_a_call_that_comes_too_soon(ml: MlCommons, expect: Expect) -> None:
    model = ml.deployed_model(rate_limiter={"limit": 1, "unit": "MINUTES"})
    expect.accepted("osml.rate-limit.refused", ml.predict(model))
    expect.client_error("osml.rate-limit.refused", ml.predict(model))
    ml.session.let_pass(61, "the unit of the rate limit")
    expect.accepted("osml.rate-limit.refused", ml.predict(model))
