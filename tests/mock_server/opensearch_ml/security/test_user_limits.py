"""Limits that a controller gives single users, and connectors that serve only whom they are open to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Users = Callable[..., Any]
DAILY = {"limit": "1", "unit": "DAYS"}


def limited(users: Users, limits: dict[str, Any], **fields: Any) -> str:
    """A deployed model whose users have these limits."""
    alice = users("alice")
    model = alice.deployed(**fields)
    made = alice.post(f"~/controllers/{model}", {"user_rate_limiter": limits})
    assert made.status == 200, made.body
    return str(model)


def statuses(users: Users, model: str, *names: str) -> list[int]:
    return [users(name).predict(model).status for name in names]


def test_a_limit_is_for_the_user_whom_it_names(users: Users) -> None:
    model = limited(users, {"alice": DAILY})
    assert statuses(users, model, "alice", "alice", "bob", "bob") == [200, 429, 200, 200]
    refused = users("alice").predict(model)
    assert users("alice").reason(refused) == (
        "Request is throttled at user level. If you think there's an issue, please contact your cluster "
        "admin."
    )


def test_the_stricter_of_two_limits_holds(users: Users) -> None:
    model = limited(users, {"alice": {"limit": "100", "unit": "SECONDS"}}, rate_limiter=DAILY)
    assert statuses(users, model, "alice", "alice", "bob") == [200, 429, 429]


def test_a_limit_is_new_after_a_deploy(users: Users) -> None:
    model, alice = limited(users, {"alice": DAILY}), users("alice")
    assert statuses(users, model, "alice", "alice") == [200, 429]
    alice.post(f"~/models/{model}/_undeploy")
    alice.post(f"~/models/{model}/_deploy")
    alice.time.now += 1
    assert statuses(users, model, "alice") == [200]


@pytest.mark.parametrize(("behaviour", "status"), [("documented", 403), ("opensearch-3.4", 200)])
def test_a_predict_through_a_connector_that_is_closed(
    secured: Callable[..., Users], behaviour: str, status: int
) -> None:
    """A 3.4.0 node serves whoever may predict (access_connectors#119)."""
    users = secured(behaviour=behaviour)
    users("admin").setting("connector_access_control_enabled", True)
    model = users("alice").deployed(connector_id=users("alice").connector(access_mode="private"))
    assert statuses(users, model, "alice", "admin") == [200, 200]
    assert statuses(users, model, "bob") == [status]


@pytest.mark.parametrize(("behaviour", "status"), [("documented", 400), ("opensearch-3.4", 200)])
def test_an_access_mode_that_there_is_not(secured: Callable[..., Users], behaviour: str, status: int) -> None:
    """A 3.4.0 node takes it for none (access_groups#44)."""
    users = secured(behaviour=behaviour)
    users("admin").setting("model_access_control_enabled", True)
    answer = users("alice").post("~/model_groups/_register", {"name": "g", "access_mode": "secret"})
    assert answer.status == status
