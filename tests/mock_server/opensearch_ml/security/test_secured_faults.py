"""Every mutant of a secured mock behaves otherwise than the mock without a fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mlconform.mock_server import MUTANTS

Users = Callable[..., Any]
EVERYTHING = {"query": {"match_all": {}}}


def _group(client: Any, **body: Any) -> Any:
    return client.post("~/model_groups/_register", {"name": "g", **body}).body.get("model_group_id")


def _hidden_model(users: Users) -> Any:
    alice = users("alice")
    return alice.model(name="hidden", model_group_id=_group(alice, access_mode="private"))


def _status(user: str, method: str, path: str, password: str = "") -> Callable[[Users], Any]:
    def probe(users: Users) -> Any:
        client = users(user, password) if password else users(user)
        return client.send(method, path).status

    return probe


def _after_refusals(users: Users) -> Any:
    model = _hidden_model(users)
    statuses = [users(user).delete(f"~/models/{model}").status for user in ("ml_read", "bob")]
    return statuses, users("alice").get(f"~/models/{model}").status


def _refusal(users: Users) -> Any:
    return users("bob").get(f"~/models/{_hidden_model(users)}").body


def _seen_by_carol(**access: Any) -> Callable[[Users], Any]:
    """What of a group of alice a user sees who shares her backend role, and one who has another."""

    def probe(users: Users) -> Any:
        group = _group(users("alice"), **access)
        body = {"password": "Only-4-one-test", "backend_roles": ["team_a"]}
        body["opendistro_security_roles"] = ["ml_full_access"]
        users("admin").put("/_plugins/_security/api/internalusers/carol", body)
        seen = users("carol", body["password"]).get(f"~/model_groups/{group}").status
        return seen, users("bob").get(f"~/model_groups/{group}").status

    return probe


def _foreign_role(users: Users) -> Any:
    body = {"name": "g", "access_mode": "restricted", "backend_roles": ["team_b"]}
    return users("alice").post("~/model_groups/_register", body).status


def _changed_access(users: Users) -> Any:
    group = _group(users("alice"), access_mode="public")
    return users("bob").put(f"~/model_groups/{group}", {"access_mode": "private"}).status


def _owner(users: Users) -> Any:
    group = _group(users("alice"), access_mode="public")
    users("bob").model(model_group_id=group)
    return users("alice").get(f"~/model_groups/{group}").body["owner"]["name"]


def _version_of_stranger(users: Users) -> Any:
    group, bob = _group(users("alice"), access_mode="private"), users("bob")
    body = {"name": "m", "function_name": "remote", "connector_id": bob.connector(), "model_group_id": group}
    return bob.post("~/models/_register", body).status


def _deleted_group(users: Users) -> Any:
    return users("bob").delete(f"~/model_groups/{_group(users('alice'), access_mode='private')}").status


def _found(kind: str) -> Callable[[Users], Any]:
    def probe(users: Users) -> Any:
        _hidden_model(users)
        hits = users("bob").post(f"~/{kind}/_search", EVERYTHING).body["hits"]
        return hits["total"]["value"], len(hits["hits"])

    return probe


def _hidden_connector(users: Users) -> Any:
    users("admin").setting("connector_access_control_enabled", True)
    return users("bob").get(f"~/connectors/{users('alice').connector()}").status


PROBES: dict[str, Callable[[Users], Any]] = {
    "any-password": _status("admin", "GET", "/", "wrong"),
    "unauthorized-is-403": _status("admin", "GET", "/", "wrong"),
    "forbidden-is-401": _status("nobody", "GET", "/"),
    "refusal-acts": _after_refusals,
    "refusal-names-model": _refusal,
    "read-role-writes": _status("ml_read", "DELETE", "~/model_groups/x"),
    "private-open-to-role": _seen_by_carol(access_mode="private"),
    "restricted-open-to-other-role": _seen_by_carol(access_mode="restricted", add_all_backend_roles=True),
    "group-public-by-default": _seen_by_carol(),
    "any-role-given": _foreign_role,
    "access-changed-by-stranger": _changed_access,
    "owner-changes": _owner,
    "version-in-hidden-group": _version_of_stranger,
    "group-deleted-by-stranger": _deleted_group,
    "search-shows-hidden-models": _found("models"),
    "search-shows-hidden-groups": _found("model_groups"),
    "search-counts-hidden": _found("models"),
    "connectors-open": _hidden_connector,
}


def test_every_secured_mutant_has_a_probe() -> None:
    assert set(PROBES) == {name for name, mutant in MUTANTS.items() if mutant.secured}


@pytest.mark.parametrize("name", sorted(PROBES))
def test_a_secured_mutant_behaves_otherwise(secured: Callable[..., Users], name: str) -> None:
    def seen(mutant: str | None) -> Any:
        users = secured(mutant=mutant)
        users("admin").setting("model_access_control_enabled", True)
        return PROBES[name](users)

    assert seen(name) != seen(None)
