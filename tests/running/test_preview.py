"""`mlconform doctor`: what it tells of a target, without a request that writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cli import main
from mock_server import DEFAULT_PASSWORD, MockServer, Security
from mock_server.asgi import serving
from mock_server.core import Request, Response

READING = {"GET", "HEAD"}


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


def test_nothing_is_written(secured: tuple[str, Recorded]) -> None:
    url, server = secured
    code, _ = doctor(url, "--create-users", user="admin")
    assert code == 0
    assert server.met
    assert {method for method, _ in server.met} <= READING


def test_an_admin_is_told_what_a_run_would_do(secured: tuple[str, Recorded]) -> None:
    _, told = doctor(secured[0], user="admin")
    for line in (
        "who the run is: admin, who may do everything (roles: all_access)",
        "access control of models: off",
        "it changes settings of ML Commons for single checks, and puts each back",
        "it waits for nothing",
        "Several users with different roles on a cluster with security.",
    ):
        assert line in told


def test_an_ordinary_account_is_told_what_it_lacks(secured: tuple[str, Recorded]) -> None:
    _, told = doctor(secured[0], user="ml_full")
    assert "may do everything with models, and change neither settings nor pipelines" in told
    assert "the account may not GET /_ingest/pipeline" in told
    assert "it changes no settings" in told
    assert "A user with more permissions." in told


def test_users_that_are_given_need_not_be_asked_for(secured: tuple[str, Recorded]) -> None:
    _, told = doctor(secured[0], "--create-users", user="admin")
    assert "it makes users of its own too, and removes them" in told
    assert "Several users" not in told


def test_a_target_without_users_has_nobody_to_be() -> None:
    with serving(MockServer()) as url:
        code, told = doctor(url)
    assert code == 0
    assert "who the run is: nobody known; the target has no users" in told


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
