"""Model access control: what is open to whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Users = Callable[..., Any]
PRIVATE = {"name": "private", "access_mode": "private"}
RESTRICTED = {"name": "restricted", "access_mode": "restricted", "backend_roles": ["team_a"]}
NO_MODEL = "User doesn't have privilege to perform this operation on this model"


def _group(client: Any, **body: Any) -> str:
    return str(client.post("~/model_groups/_register", body).body["model_group_id"])


def _hidden(users: Users) -> str:
    """A model in a private group of alice."""
    alice = users("alice")
    return str(alice.model(model_group_id=_group(alice, **PRIVATE)))


def test_a_group_is_private_where_nothing_is_said(controlled: Users) -> None:
    group = _group(controlled("alice"), name="g")
    shown = controlled("alice").get(f"~/model_groups/{group}").body
    assert (shown["access"], shown["owner"]["name"]) == ("private", "alice")
    assert controlled("bob").get(f"~/model_groups/{group}").status == 403


def test_a_group_is_public_and_has_no_owner_where_control_is_off(users: Users) -> None:
    group = _group(users("alice"), name="g")
    shown = users("bob").get(f"~/model_groups/{group}").body
    assert (shown["access"], "owner" in shown) == ("public", False)


@pytest.mark.parametrize(
    ("body", "open_to"),
    [
        (PRIVATE, {"admin", "alice"}),
        (RESTRICTED, {"admin", "alice"}),
        ({"name": "open", "access_mode": "public"}, {"admin", "alice", "bob", "ml_full", "ml_read"}),
    ],
)
def test_who_reads_a_model(controlled: Users, body: dict[str, Any], open_to: set[str]) -> None:
    alice = controlled("alice")
    model = alice.model(model_group_id=_group(alice, **body))
    for user in ("admin", "alice", "bob", "ml_full", "ml_read"):
        status = controlled(user).get(f"~/models/{model}").status
        assert (user, status) == (user, 200 if user in open_to else 403)


def test_an_admin_gives_a_group_the_backend_role_of_others(controlled: Users) -> None:
    group = _group(controlled("admin"), name="g", access_mode="restricted", backend_roles=["team_b"])
    assert controlled("bob").get(f"~/model_groups/{group}").status == 200
    assert controlled("alice").get(f"~/model_groups/{group}").status == 403


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "reason"),
    [
        ("GET", "~/models/{}", None, 403, NO_MODEL),
        ("DELETE", "~/models/{}", None, 403, NO_MODEL),
        ("POST", "~/models/{}/_deploy", None, 403, NO_MODEL),
        ("POST", "~/models/{}/_predict", {"parameters": {"q": "x"}}, 403, NO_MODEL),
        ("POST", "~/_predict/remote/{}", {"parameters": {"q": "x"}}, 403, NO_MODEL),
        ("PUT", "~/models/{}", {"description": "x"}, 403, f"{NO_MODEL}, model ID {{}}"),
        ("POST", "~/models/{}/_undeploy", None, 400, "No permission to undeploy model {}"),
        (
            "PUT",
            "~/controllers/{}",
            {"user_rate_limiter": {}},
            403,
            f"{NO_MODEL} controller. Model ID: {{}}",
        ),
    ],
)
def test_what_a_stranger_is_told_of_a_hidden_model(
    controlled: Users, method: str, path: str, body: Any, status: int, reason: str
) -> None:
    model, bob = _hidden(controlled), controlled("bob")
    before = controlled("alice").get(f"~/models/{model}").body
    answer = bob.send(method, path.format(model), body)
    assert (answer.status, bob.reason(answer)) == (status, reason.format(model))
    assert controlled("alice").get(f"~/models/{model}").body == before


def test_searches_show_what_is_open(controlled: Users) -> None:
    _hidden(controlled)
    everything = {"query": {"match_all": {}}}
    for kind in ("models", "model_groups"):
        seen = {
            user: controlled(user).post(f"~/{kind}/_search", everything).body["hits"]["total"]["value"]
            for user in ("admin", "alice", "bob")
        }
        assert seen == {"admin": 1, "alice": 1, "bob": 0}


def test_a_stranger_does_not_get_into_a_private_group(controlled: Users) -> None:
    alice, bob = controlled("alice"), controlled("bob")
    group = _group(alice, **PRIVATE)
    body = {"name": "m", "function_name": "remote", "connector_id": bob.connector()}
    refused = "You don't have permissions to perform this operation on this model."
    named = bob.post("~/models/_register", body | {"model_group_id": group})
    assert (named.status, bob.reason(named)) == (400, refused)
    by_name = bob.post("~/models/_register", body | {"name": "private"})
    assert (by_name.status, bob.reason(by_name)) == (400, refused)
    moved = bob.put(f"~/models/{bob.model(name='of bob')}", {"model_group_id": group})
    assert moved.status == 403


def test_the_group_that_a_registration_makes_has_the_access_that_was_sent(controlled: Users) -> None:
    alice = controlled("alice")
    for body, access in (
        ({"name": "a"}, "private"),
        ({"name": "b", "access_mode": "public"}, "public"),
        ({"name": "c", "add_all_backend_roles": True}, "restricted"),
    ):
        group = alice.get(f"~/models/{alice.model(**body)}").body["model_group_id"]
        assert alice.get(f"~/model_groups/{group}").body["access"] == access


@pytest.mark.parametrize("body", [PRIVATE, RESTRICTED])
def test_a_stranger_does_not_delete_a_group(controlled: Users, body: dict[str, Any]) -> None:
    group = _group(controlled("alice"), **body)
    assert controlled("bob").delete(f"~/model_groups/{group}").status == 403
    assert controlled("alice").delete(f"~/model_groups/{group}").body["result"] == "deleted"


def test_control_that_is_switched_off_opens_everything(controlled: Users) -> None:
    model = _hidden(controlled)
    controlled("admin").setting("model_access_control_enabled", False)
    assert controlled("bob").get(f"~/models/{model}").status == 200


def test_several_models_are_undeployed_where_each_is_open(controlled: Users) -> None:
    hidden, bob = _hidden(controlled), controlled("bob")
    own = bob.model(name="of bob")
    assert bob.post("~/models/_undeploy", {"model_ids": [own, hidden]}).status == 400
    assert controlled("alice").post("~/models/_undeploy", {"model_ids": [hidden, "x"]}).status == 200


def test_a_recorded_node_lets_strangers_in(secured: Callable[..., Users]) -> None:
    users = secured(behaviour="opensearch-3.4")
    users("admin").setting("model_access_control_enabled", True)
    alice, bob = users("alice"), users("bob")
    group = _group(alice, **PRIVATE)
    body = {"name": "private", "function_name": "remote", "connector_id": bob.connector()}
    assert bob.post("~/models/_register", body).status == 200
    empty = _group(alice, name="empty", access_mode="private")
    assert bob.delete(f"~/model_groups/{empty}").status == 200
    several = alice.post("~/models/_undeploy", {"model_ids": ["x", "y"]})
    assert alice.reason(several) == "only support undeploy one model"
    assert alice.get(f"~/model_groups/{group}").body["latest_version"] == 1
