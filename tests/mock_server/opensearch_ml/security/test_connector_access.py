"""Connector access control: which connectors are open to whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Users = Callable[..., Any]
RESTRICTED = {"access_mode": "restricted", "backend_roles": ["team_a"]}


@pytest.fixture
def controlled(users: Users) -> Users:
    users("admin").setting("connector_access_control_enabled", True)
    return users


@pytest.mark.parametrize(
    ("body", "access", "for_bob"),
    [
        ({}, "private", 403),
        ({"access_mode": "private"}, "private", 403),
        (RESTRICTED, "restricted", 403),
        ({"add_all_backend_roles": True}, "restricted", 403),
        ({"access_mode": "public"}, "public", 200),
    ],
)
def test_who_reads_a_connector(controlled: Users, body: dict[str, Any], access: str, for_bob: int) -> None:
    connector = controlled("alice").connector(**body)
    assert controlled("alice").get(f"~/connectors/{connector}").body["access"] == access
    answer = controlled("bob").get(f"~/connectors/{connector}")
    assert answer.status == for_bob
    found = controlled("bob").post("~/connectors/_search", {"query": {"match_all": {}}}).body["hits"]
    assert found["total"]["value"] == (for_bob == 200)


def test_a_stranger_changes_and_deletes_nothing(controlled: Users) -> None:
    connector, bob = controlled("alice").connector(), controlled("bob")
    before = controlled("alice").get(f"~/connectors/{connector}").body
    assert bob.put(f"~/connectors/{connector}", {"description": "x"}).status == 400
    refused = bob.delete(f"~/connectors/{connector}")
    assert (refused.status, bob.reason(refused)) == (403, "You are not allowed to delete this connector")
    assert controlled("alice").get(f"~/connectors/{connector}").body == before


def test_without_control_access_can_not_be_given(users: Users) -> None:
    body = {"name": "c", "version": 1, "protocol": "http", "credential": {"k": "v"}, "actions": []}
    answer = users("alice").post("~/connectors/_create", body | {"access_mode": "private"})
    assert "connector access control is disabled" in users("alice").reason(answer)


def test_a_connector_without_an_owner_is_open_but_not_found(users: Users) -> None:
    connector = users("alice").connector()
    users("admin").setting("connector_access_control_enabled", True)
    assert users("bob").get(f"~/connectors/{connector}").status == 200
    hits = users("bob").post("~/connectors/_search", {"query": {"match_all": {}}}).body["hits"]
    assert hits["total"]["value"] == 0


def test_a_model_uses_a_connector_that_is_hidden_from_its_user(controlled: Users) -> None:
    hidden = controlled("alice").connector()
    body = {"name": "m", "function_name": "remote", "connector_id": hidden}
    assert controlled("bob").post("~/models/_register", body).status == 200
