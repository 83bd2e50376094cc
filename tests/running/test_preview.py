"""`mlconform doctor`: what it tells of a target, without a request that writes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from mlconform.conformance.cli import main
from mlconform.conformance.targets.connect import TargetOptions, connect, prepare
from mlconform.conformance.targets.opensearch_settings import TRUSTED_ENDPOINTS
from mlconform.mock_server import DEFAULT_PASSWORD, MockServer, Security
from mlconform.mock_server.asgi import serving
from mlconform.mock_server.core import Request, Response
from mlconform.mock_server.fixture import running_mock

READING = {"GET", "HEAD"}
SECURITY = "/_plugins/_security/api"


class Recorded:
    """A mock that keeps the method and path of every request."""

    def __init__(self, security: Security | None) -> None:
        self._inner = MockServer(security=security)
        self.met: list[tuple[str, str]] = []

    def handle(self, request: Request) -> Response:
        self.met.append((request.method, request.path))
        return self._inner.handle(request)


@pytest.fixture
def secured() -> Iterator[tuple[str, Recorded]]:
    server = Recorded(Security())
    with serving(server) as url:
        yield url, server


def doctor(url: str, *more: str, user: str | None = None) -> tuple[int, str]:
    environment = {} if user is None else {"MLCONFORM_USERNAME": user, "MLCONFORM_PASSWORD": DEFAULT_PASSWORD}
    done = CliRunner().invoke(main, ["doctor", "--target", url, *more], env=environment)
    return done.exit_code, done.output


def administer(server: Recorded, path: str, body: object) -> None:
    account = base64.b64encode(f"admin:{DEFAULT_PASSWORD}".encode()).decode()
    headers = {"authorization": f"Basic {account}", "content-type": "application/json"}
    answered = server.handle(Request("PUT", path, "", headers, json.dumps(body).encode()))
    assert answered.status in (200, 201), answered.body


def test_nothing_is_written(secured: tuple[str, Recorded]) -> None:
    url, server = secured
    code, _ = doctor(url, "--create-users", user="admin")
    assert code == 0
    assert server.met
    assert {method for method, _ in server.met} <= READING


def test_an_admin_is_told_what_a_run_would_do(secured: tuple[str, Recorded]) -> None:
    _, told = doctor(secured[0], user="admin")
    for line in (
        "security: on; the run is admin (roles: all_access; backend roles: admin)",
        "may change cluster settings: yes",
        "may make users: yes",
        "access control of models: off",
        "it changes settings of ML Commons for single checks, and puts each back",
        "connectors may reach its own endpoint already",
        "it waits for nothing",
        "Several users with different roles, and security: `--user` or `--create-users`.",
    ):
        assert line in told


def test_an_ordinary_account_is_told_what_it_lacks(secured: tuple[str, Recorded]) -> None:
    _, told = doctor(secured[0], user="ml_full")
    for line in (
        "may make models, groups, connectors and agents: yes",
        "may change cluster settings: no",
        "may keep its mark and old settings in ingest pipelines: no",
        "it cannot mark that it is there",
        "it changes no settings",
    ):
        assert line in told
    assert "A user with more permissions: `--credentials`." in told


def test_users_that_are_given_need_not_be_asked_for(secured: tuple[str, Recorded]) -> None:
    _, told = doctor(secured[0], "--create-users", user="admin")
    assert "it makes users of its own too, and removes them" in told
    assert "Several users" not in told


def test_a_target_without_users_has_nobody_to_be() -> None:
    with serving(MockServer()) as url:
        code, told = doctor(url)
    assert code == 0
    assert "security: off" in told


@pytest.mark.parametrize(("nodes", "told_of"), [(1, True), (2, False)])
def test_what_a_second_node_would_decide_is_counted(nodes: int, told_of: bool) -> None:
    with running_mock(nodes=nodes, every_node=True) as mock:
        _, told = doctor(mock.url)
    assert ("requirements more: A cluster with more than one node," in told) == told_of


def test_programs_read_it_as_json(secured: tuple[str, Recorded], tmp_path: Path) -> None:
    alice = tmp_path / "alice.yaml"
    alice.write_text(f"username: alice\npassword: {DEFAULT_PASSWORD}\n", encoding="utf-8")
    _, told = doctor(secured[0], "--json", "--user", f"alice={alice}", user="admin")
    found = json.loads(told)
    assert found["account"]["name"] == "admin"
    assert found["acts_as"] == ["admin", "owner"]
    assert DEFAULT_PASSWORD not in told


def test_who_is_not_let_in_is_told_what_to_do(secured: tuple[str, Recorded]) -> None:
    code, told = doctor(secured[0])
    assert (code, "give credentials with --credentials FILE" in told) == (3, True)


def test_what_roles_of_its_own_allow_is_known_to_a_run_alone(secured: tuple[str, Recorded]) -> None:
    url, server = secured
    administer(server, f"{SECURITY}/roles/operators", {"cluster_permissions": ["cluster:*"]})
    administer(server, f"{SECURITY}/rolesmapping/operators", {"users": ["ml_read"]})
    code, told = doctor(url, user="ml_read")
    assert code == 0
    assert "may change cluster settings: not known before a run" in told
    assert "may keep its mark and old settings in ingest pipelines: not known before a run" in told
    assert "and puts each back, where the account may" in told
    assert "may make users: no" in told


def test_connectors_that_may_not_reach_the_run_are_let_by_who_may_change_settings(
    secured: tuple[str, Recorded],
) -> None:
    url, server = secured
    vendor = {TRUSTED_ENDPOINTS: ["^https://models\\.example\\.org/.*$"]}
    administer(server, "/_cluster/settings", {"persistent": vendor})
    lets = f"it lets connectors reach its own endpoint for as long as it lasts: {TRUSTED_ENDPOINTS}"
    assert lets in doctor(url, user="admin")[1]
    assert f"untestable until somebody sets {TRUSTED_ENDPOINTS}" in doctor(url, user="ml_full")[1]


def test_another_run_is_told_of(secured: tuple[str, Recorded]) -> None:
    target = secured[0].replace("://", f"://admin:{DEFAULT_PASSWORD}@")
    other = connect("opensearch-ml", TargetOptions(target=target))
    prepare(other)
    _, told = doctor(secured[0], user="admin")
    other.clean()
    other.close()
    assert "another run is at work" in told
