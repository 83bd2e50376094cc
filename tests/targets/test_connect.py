"""From what the user named to a session: addresses, credentials, and what may be changed."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from mlconform.conformance.errors import TargetUnreachable, UsageError
from mlconform.conformance.targets import connect as connect_module
from mlconform.conformance.targets.connect import (
    TargetOptions,
    check_endpoint_host,
    check_target,
    connect,
)
from mlconform.conformance.targets.opensearch_settings import PRIVATE_ADDRESSES
from mlconform.conformance.targets.session import Session

OPENSEARCH, NUGEN = "opensearch-ml", "nugen"


@pytest.fixture
def opened(serve_mock: Any) -> Iterator[Any]:
    """Connects, and closes at the end, before the mocks do."""
    del serve_mock
    sessions: list[Session] = []

    def open_session(profile: str, **options: Any) -> Session:
        sessions.append(connect(profile, TargetOptions(**options)))
        return sessions[-1]

    yield open_session
    for session in sessions:
        session.clean()
        session.close()


@pytest.mark.parametrize("profile", [OPENSEARCH, NUGEN])
def test_the_mock_in_this_process_has_every_capability_but_nodes(opened: Any, profile: str) -> None:
    capabilities = opened(profile).capabilities
    assert capabilities["move time"]
    assert capabilities["restart"]


@pytest.mark.parametrize(
    "target",
    [
        "mocks",
        "localhost:9200",
        "ftp://host",
        "http://",
        "https://:9200",
        "http://h:99999",
        "http://[::1",
        "",
    ],
)
def test_what_is_no_address_is_refused(target: str) -> None:
    with pytest.raises(UsageError, match="expected --target mock or a URL") as caught:
        check_target(target)
    assert str(caught.value).endswith(f"but got {target!r}")


def test_an_address_with_a_query_is_refused() -> None:
    with pytest.raises(UsageError, match="without a query"):
        check_target("http://host/?a=b")


def test_a_refused_address_does_not_show_its_credentials() -> None:
    with pytest.raises(UsageError) as caught:
        check_target("http://me:secret@host:99999")
    assert "secret" not in str(caught.value)


def test_credentials_in_the_address_are_not_in_a_message(free_port: int) -> None:
    with pytest.raises(TargetUnreachable) as caught:
        connect(OPENSEARCH, TargetOptions(target=f"http://me:secret@127.0.0.1:{free_port}"))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("more", [{"security": True}, {"mutant": "refusal-acts"}])
def test_of_a_mock_with_users_the_run_is_the_admin(opened: Any, more: dict[str, Any]) -> None:
    session = opened(OPENSEARCH, **more)
    assert session.request("GET", "/_plugins/_security/authinfo").member("user_name") == "admin"


def test_an_unknown_mutant_is_a_mistake_of_the_user() -> None:
    with pytest.raises(UsageError, match="unknown mutant 'no-such'"):
        connect(OPENSEARCH, TargetOptions(mutant="no-such"))


@pytest.fixture
def asked(httpserver: HTTPServer) -> Callable[..., list[Any]]:
    """Connects to a server that is no target, and gives the Authorization header of each request."""

    def ask(profile: str, *, user: str = "", host: str = "127.0.0.1") -> list[Any]:
        target = f"http://{user}{host}:{httpserver.port}"
        with pytest.raises(Exception, match=r"expected|refused"):
            connect(profile, TargetOptions(target=target))
        return [request.headers.get("authorization") for request, _ in httpserver.log]

    return ask


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_credentials_of_the_address_are_decoded_and_sent(asked: Any) -> None:
    assert asked(OPENSEARCH, user="me:p%40ss@") == [basic("me", "p@ss")]


def test_credentials_of_the_environment_are_sent(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCONFORM_USERNAME", "admin")
    monkeypatch.setenv("MLCONFORM_PASSWORD", "pass")
    assert asked(OPENSEARCH) == [basic("admin", "pass")]


def test_without_credentials_none_are_sent(asked: Any) -> None:
    assert asked(OPENSEARCH) == [None]


def test_a_token_of_the_environment_is_sent_without_its_newline(
    asked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLCONFORM_TOKEN", "token\n")
    assert asked(NUGEN) == ["Bearer token"]


def test_a_token_is_no_credential_of_a_cluster(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCONFORM_TOKEN", "token")
    assert asked(OPENSEARCH) == [None]


def test_the_mocks_own_token_stays_on_loopback(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(NUGEN) == ["Bearer a-token-of-no-account"]
    # Another name of the same address, which no list of loopback names has.
    assert asked(NUGEN, host="127.1") == ["Bearer a-token-of-no-account", None]


class TestSettings:
    def test_on_loopback_they_may_be_changed(self, opened: Any, serve_mock: Any) -> None:
        assert opened(OPENSEARCH, target=serve_mock().url).options.may_change_settings

    def test_elsewhere_only_where_the_user_allows_it(self, opened: Any, serve_mock: Any) -> None:
        elsewhere = serve_mock().url.replace("127.0.0.1", "127.1").replace("localhost", "127.1")
        assert not opened(OPENSEARCH, target=elsewhere).options.may_change_settings
        assert opened(OPENSEARCH, target=elsewhere, allow_settings=True).options.may_change_settings


def test_connecting_changes_nothing(opened: Any, serve_mock: Any) -> None:
    mock = serve_mock()
    opened(OPENSEARCH, target=mock.url).request(
        "PUT", "/_cluster/settings", {"persistent": {PRIVATE_ADDRESSES: False}}
    )
    before = json.dumps(opened(OPENSEARCH, target=mock.url).request("GET", "/_cluster/settings").json)
    connect_module.prepare(opened(OPENSEARCH, target=mock.url))
    after = json.dumps(opened(OPENSEARCH, target=mock.url).request("GET", "/_cluster/settings").json)
    assert after == before.replace('"false"', '"true"') != before


def test_two_runs_have_different_prefixes(opened: Any) -> None:
    first, second = opened(OPENSEARCH), opened(OPENSEARCH)
    assert first.options.prefix.startswith("mlconform-")
    assert first.options.prefix != second.options.prefix


@pytest.mark.parametrize("host", ["192.0.2.7", "::1", "2001:db8::7", "localhost", "ci-runner_1.example.org"])
def test_a_host_alone_is_taken(host: str) -> None:
    check_endpoint_host(host)


@pytest.mark.parametrize(
    "host", ["http://x:80", "x:80", "192.0.2", "192.0.2.300", "[::1]", "0.0.0.0", "a b", "a/b", "-a", ""]
)
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match=f"expected --endpoint-host .* but got {re.escape(repr(host))}"):
        check_endpoint_host(host)
