"""Rate limits of predict calls."""

from __future__ import annotations

from typing import Any


def test_calls_past_the_rate_limit_are_throttled_until_a_token_is_gained(ml: Any) -> None:
    model_id = ml.deployed(rate_limiter={"limit": 2, "unit": "MINUTES"})
    assert [ml.predict(model_id).status for _ in range(3)] == [200, 200, 429]
    ml.time.now += 31
    assert [ml.predict(model_id).status for _ in range(2)] == [200, 429]


def test_a_model_that_is_deployed_anew_begins_with_all_its_calls(ml: Any) -> None:
    model_id = ml.deployed(rate_limiter={"limit": 1, "unit": "DAYS"})
    assert [ml.predict(model_id).status for _ in range(2)] == [200, 429]
    ml.post(f"~/models/{model_id}/_undeploy")
    ml.post(f"~/models/{model_id}/_deploy")
    ml.time.now += 1
    assert [ml.predict(model_id).status for _ in range(2)] == [200, 429]


def test_a_changed_rate_limit_applies_at_once(ml: Any) -> None:
    model_id = ml.deployed(rate_limiter={"limit": 1, "unit": "DAYS"})
    assert [ml.predict(model_id).status for _ in range(2)] == [200, 429]
    ml.put(f"~/models/{model_id}", {"rate_limiter": {"limit": 2}})
    assert [ml.predict(model_id).status for _ in range(3)] == [200, 200, 429]


def test_a_call_that_is_not_sent_is_not_counted_against_the_rate_limit(ml: Any) -> None:
    model_id = ml.deployed(rate_limiter={"limit": 1, "unit": "DAYS"})
    assert ml.predict(model_id, other="x").status == 400
    assert [ml.predict(model_id).status for _ in range(2)] == [200, 429]


def test_tokens_are_not_saved_up(ml: Any) -> None:
    model_id = ml.deployed(rate_limiter={"limit": 2, "unit": "SECONDS"})
    assert ml.predict(model_id).status == 200
    ml.time.now += 60
    assert [ml.predict(model_id).status for _ in range(3)] == [200, 200, 429]
