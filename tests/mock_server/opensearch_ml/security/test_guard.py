"""Who is let in, and to what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mlconform.mock_server import MockServer, Request, Security

Users = Callable[..., Any]


def test_a_request_without_credentials_is_401(users: Users) -> None:
    client = users("admin")
    client.headers = {}
    answer = client.get("~/models/x")
    assert (answer.status, answer.body) == (401, "Unauthorized")
    assert answer.headers["www-authenticate"] == 'Basic realm="OpenSearch Security"'


@pytest.mark.parametrize(
    "header", ["", "Bearer x", "Basic", "Basic %%%", "Basic YWRtaW4=", "Basic YWRtaW46d3Jvbmc=", "Basic /w=="]
)
def test_credentials_that_are_wrong_are_401(users: Users, header: str) -> None:
    client = users("admin")
    client.headers = {"authorization": header}
    assert client.get("/").status == 401


def test_a_user_whom_nobody_knows_is_401(users: Users) -> None:
    assert users("ghost").get("/").status == 401


def test_what_the_cluster_does_not_have_is_told_before_it_asks_who_wants_it(users: Users) -> None:
    client = users("admin")
    client.headers = {}
    assert client.get("~/no_such_path").status == 400
    assert client.get("~/models/_register").status == 405
    assert client.send("POST", "~/models/_search", b"{}", content_type="text/x").status == 406


def test_an_action_that_no_role_allows_is_403_and_names_both(users: Users) -> None:
    client = users("ml_read")
    answer = client.post("~/model_groups/_register", {"name": "g"})
    assert (answer.status, client.kind(answer)) == (403, "security_exception")
    action = "cluster:admin/opensearch/ml/register_model_group"
    assert client.reason(answer) == (
        f"no permissions for [{action}] and User [name=ml_read, backend_roles=[], requestedTenant=null]"
    )


def test_a_refusal_changes_nothing(users: Users) -> None:
    group = users("admin").post("~/model_groups/_register", {"name": "g"}).body["model_group_id"]
    assert users("ml_read").delete(f"~/model_groups/{group}").status == 403
    assert users("admin").get(f"~/model_groups/{group}").status == 200


def test_a_body_that_is_no_good_is_told_before_the_permission_is_asked_for(users: Users) -> None:
    client = users("nobody")
    assert client.reason(client.post("~/models/_register", {})) == "model name is null"
    assert client.post("~/models/_search", b"{").status == 400
    assert client.post("~/models/_search", {"query": {"nope": {}}}).status == 400


@pytest.mark.parametrize("path", ["models/_register_meta", "models/some-model/upload_chunk/0"])
def test_what_is_switched_off_is_told_before_the_permission_is_asked_for(users: Users, path: str) -> None:
    """As recorded: whoever asks is told that no files may be uploaded; where they may, who may not is 403."""
    client = users("nobody")
    refused = client.post(f"/_plugins/_ml/{path}")
    assert refused.status == 400
    assert "allow_registering_model_via_local_file" in client.reason(refused)
    setting = {"persistent": {"plugins.ml_commons.allow_registering_model_via_local_file": True}}
    assert users("admin").put("/_cluster/settings", setting).status == 200
    body = {
        "name": "m",
        "model_format": "TORCH_SCRIPT",
        "function_name": "SPARSE_TOKENIZE",
        "model_content_hash_value": "x",
        "total_chunks": 1,
    }
    assert client.post(f"/_plugins/_ml/{path}", body).status == 403


@pytest.mark.parametrize(
    ("user", "path", "status"),
    [
        ("admin", "/", 200),
        ("ml_full", "/", 200),
        ("ml_read", "/", 403),
        ("nobody", "/", 403),
        ("ml_full", "/_cluster/settings", 200),
        ("ml_read", "/_cluster/settings", 403),
        ("ml_full", "/_ingest/pipeline", 403),
        ("ml_full", "/some-index", 403),
        ("admin", "/some-index", 404),
        ("ml_read", "~/models/x", 404),
        ("nobody", "~/models/x", 403),
    ],
)
def test_roles_allow_what_they_say(users: Users, user: str, path: str, status: int) -> None:
    assert users(user).get(path).status == status


def test_the_role_that_reads_reads_statistics_as_its_page_says(secured: Callable[..., Users]) -> None:
    for behaviour, status in (("documented", 200), ("opensearch-3.4", 403)):
        users = secured(behaviour=behaviour)
        users("admin").model()
        assert users("ml_read").get("~/stats").status == status


def test_the_refusal_of_a_profile_has_a_form_of_its_own_on_a_node(secured: Callable[..., Users]) -> None:
    users = secured(behaviour="opensearch-3.4")
    users("admin").model()
    answer = users("nobody").get("~/profile")
    assert (answer.status, answer.body["error"]) == (500, "Failed to get ML node level profile")
    assert secured()("nobody").get("~/profile").status == 403


def test_without_security_nobody_is_asked() -> None:
    assert MockServer().handle(Request("GET", "/")).status == 200


def test_a_password_does_not_show_itself() -> None:
    assert "secret" not in repr(Security("secret"))


def test_nobody_changes_the_indices_that_plugins_keep(users: Users) -> None:
    admin = users("admin")
    for method, path in (
        ("DELETE", "/.plugins-ml-model"),
        ("DELETE", "/.plugins-ml-*"),
        ("PUT", "/.opendistro_security"),
    ):
        refused = admin.send(method, path)
        assert (refused.status, admin.reason(refused)) == (
            403,
            "no permissions for [] and User [name=admin, backend_roles=[admin], requestedTenant=null]",
        )
    admin.model()
    assert admin.get("/.plugins-ml-model/_search").body["hits"]["total"]["value"] == 0
