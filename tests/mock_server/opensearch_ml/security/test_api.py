"""The API of the Security plugin: users with roles, as a client makes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Users = Callable[..., Any]
API = "/_plugins/_security/api"
PASSWORD = "Only-4-one-test"


def _make(users: Users, **body: Any) -> Any:
    return users("admin").put(f"{API}/internalusers/dora", {"password": PASSWORD, **body})


def test_a_user_is_made_changed_and_removed(users: Users) -> None:
    made = _make(users, backend_roles=["team_d"])
    assert (made.status, made.body) == (201, {"status": "CREATED", "message": "'dora' created."})
    assert users("dora", PASSWORD).get(f"{API}/account").body["backend_roles"] == ["team_d"]
    assert users("admin").put(f"{API}/internalusers/dora", {"backend_roles": []}).status == 200
    assert users("dora", PASSWORD).get(f"{API}/account").body["backend_roles"] == []
    assert users("admin").delete(f"{API}/internalusers/dora").status == 200
    assert users("dora", PASSWORD).get(f"{API}/account").status == 401


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("rolesmapping/ml_full_access", {"users": ["dora"]}),
        ("rolesmapping/ml_full_access", {"backend_roles": ["team_d"]}),
        ("rolesmapping/ml_full_access", {"and_backend_roles": ["team_d", "team_e"]}),
        ("internalusers/dora", {"opendistro_security_roles": ["ml_full_access"]}),
    ],
)
def test_a_role_comes_by_name_by_backend_role_or_of_its_own(
    users: Users, path: str, body: dict[str, Any]
) -> None:
    roles = {"backend_roles": ["team_d", "team_e"]}
    _make(users, **roles)
    assert users("dora", PASSWORD).get("~/models/x").status == 403
    assert (
        users("admin").put(f"{API}/{path}", {**(roles if "internal" in path else {}), **body}).status == 200
    )
    assert users("dora", PASSWORD).get("~/models/x").status == 404


def test_a_role_of_ones_own_allows_what_it_says_and_nothing_more(users: Users) -> None:
    _make(users)
    admin, dora = users("admin"), users("dora", PASSWORD)
    permissions = {
        "cluster_permissions": ["cluster:admin/opensearch/ml/models/get"],
        "index_permissions": [{"index_patterns": ["words-*"], "allowed_actions": ["read"]}],
    }
    assert admin.put(f"{API}/roles/reader", permissions).status == 201
    assert admin.put(f"{API}/rolesmapping/reader", {"users": ["dora"]}).status == 201
    assert dora.get("~/models/x").status == 404
    assert dora.delete("~/models/x").status == 403
    assert dora.get("/words-1/_doc/1").status == 404
    assert dora.get("/other/_doc/1").status == 403
    assert dora.get("/words-1,other/_search").status == 403
    assert dora.put("/words-1/_doc/1", {"a": 1}).status == 403


def test_who_is_no_admin_administers_nothing(users: Users) -> None:
    for method, path in (
        ("GET", "internalusers"),
        ("PUT", "roles/x"),
        ("DELETE", "rolesmapping/ml_read_access"),
    ):
        answer = users("alice").send(method, f"{API}/{path}", {} if method == "PUT" else None)
        assert (answer.status, answer.body["status"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"password": "short"}, "Weak password"),
        ({"password": "dora-has-It-in-1"}, "Weak password"),
        ({"password": ""}, "Password is too short"),
        ({"nonsense": 1}, "Invalid configuration"),
        ({"backend_roles": "x"}, "Wrong datatype"),
        ({"backend_roles": [1]}, "Wrong datatype"),
        (b"{", "Could not parse content of request."),
        (b"", "Request body required for this action."),
    ],
)
def test_a_user_that_will_not_do_is_refused(users: Users, body: Any, reason: str) -> None:
    answer = users("admin").put(f"{API}/internalusers/dora", body)
    assert (answer.status, answer.body["reason"]) == (400, reason)


def test_what_is_reserved_or_unknown_is_refused(users: Users) -> None:
    admin = users("admin")
    assert admin.delete(f"{API}/roles/ml_full_access").status == 403
    assert admin.put(f"{API}/rolesmapping/nope", {"users": []}).status == 404
    assert admin.get(f"{API}/internalusers/nope").status == 404


def test_no_answer_holds_a_password(users: Users) -> None:
    _make(users)
    for path in (f"{API}/internalusers", f"{API}/account", "/_plugins/_security/authinfo", "/_mock/state"):
        assert PASSWORD not in str(users("admin").get(path).body)


def test_users_are_part_of_the_state(users: Users, secured: Callable[..., Users]) -> None:
    _make(users, opendistro_security_roles=["ml_full_access"])
    other = secured()
    assert other("admin").put("/_mock/state", users("admin").get("/_mock/state").body).status == 200
    assert other("dora").get("~/models/x").status == 404


def test_a_cluster_without_users_has_no_such_api(make_client: Callable[..., Any]) -> None:
    assert make_client().get("/_plugins/_security/authinfo").status == 400
