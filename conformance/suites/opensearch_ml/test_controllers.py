"""Controllers: limits of single users, page create-controller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import requirement
from mlconform.conformance.suites.opensearch_ml.api import MlCommons
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.opensearch_ml import ML


def _limit(number: int) -> Mapping[str, Any]:
    return {"limit": number, "unit": "MINUTES"}


def _send(ml: MlCommons, method: str, model: str, **users: Any) -> Exchange:
    return ml.session.request(method, f"{ML}/controllers/{model}", {"user_rate_limiter": users})


def _limits(ml: MlCommons, model: str) -> dict[str, str]:
    """The number of each user, as text: a read shows numbers as text."""
    read = ml.session.request("GET", f"{ML}/controllers/{model}").member("user_rate_limiter")
    found = read if isinstance(read, dict) else {}
    return {user: str(limit.get("limit")) for user, limit in found.items()}


@requirement(
    "osml.controller.create",
    "osml.controller.set.field.user_rate_limiter",
    "osml.controller.set.field.user_rate_limiter.<user>.limit",
    "osml.controller.set.field.user_rate_limiter.<user>.unit",
)
def test_limits_are_made(ml: MlCommons, expect: Expect) -> None:
    model = ml.model()
    answered = _send(ml, "POST", model, user1=_limit(4), user2=_limit(4))
    expect.accepted("osml.controller.create", answered)
    expect.equal("osml.controller.create", answered.member("model_id"), model, "model_id")
    expect.equal("osml.controller.create", answered.member("status"), "CREATED", "status")
    read = ml.session.request("GET", f"{ML}/controllers/{model}").member("user_rate_limiter")
    name = "osml.controller.set.field.user_rate_limiter"
    expect.members(name, read, {"user1": dict, "user2": dict}, "user_rate_limiter")
    limit = f"{name}.<user>.limit"
    expect.equal(limit, str(read["user1"].get("limit")), "4", "limit of user1")
    unit = f"{name}.<user>.unit"
    expect.equal(unit, read["user1"].get("unit"), "MINUTES", "unit of user1")


@requirement("osml.controller.update")
def test_one_limit_is_changed(ml: MlCommons, expect: Expect) -> None:
    model = ml.model()
    _send(ml, "POST", model, user1=_limit(4), user2=_limit(4))
    changed = _send(ml, "PUT", model, user1=_limit(6))
    expect.accepted("osml.controller.update", changed)
    expect.equal("osml.controller.update", changed.member("result"), "updated", "result")
    expect.equal("osml.controller.update", _limits(ml, model), {"user1": "6", "user2": "4"}, "the limits")


@requirement("osml.controller.replace")
def test_all_limits_are_replaced(ml: MlCommons, expect: Expect) -> None:
    model = ml.model()
    _send(ml, "POST", model, user1=_limit(4), user2=_limit(4))
    expect.accepted("osml.controller.replace", _send(ml, "POST", model, user1=_limit(6)))
    expect.equal("osml.controller.replace", _limits(ml, model), {"user1": "6"}, "the limits")
