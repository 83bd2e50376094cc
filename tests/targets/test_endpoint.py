"""The model behind the connectors: told under one address, and listening where that leads to."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from pytest_httpserver import HTTPServer
from pytest_httpserver import httpserver as library

from conformance.outcomes import PrerequisiteMissing
from conformance.targets.endpoint import ANSWER, PREDICT_PATH, ModelEndpoint


@pytest.fixture
def endpoint() -> Iterator[Callable[[str], ModelEndpoint]]:
    made: list[ModelEndpoint] = []

    def make(host: str) -> ModelEndpoint:
        made.append(ModelEndpoint(host))
        return made[-1]

    yield make
    for each in made:
        each.close()


def answered(url: str) -> object:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def test_an_address_that_is_not_of_this_machine_is_told_and_answered_at_all(
    endpoint: Callable[[str], ModelEndpoint],
) -> None:
    url = endpoint("192.0.2.7").url
    assert urlsplit(url).hostname == "192.0.2.7"
    # Whoever translates the address sends what comes there to some address of this machine.
    assert answered(url.replace("192.0.2.7", "127.0.0.2")) == ANSWER


@pytest.mark.parametrize(("host", "listens"), [("127.0.0.1", "127.0.0.1"), ("192.0.2.7", "0.0.0.0")])
def test_only_loopback_is_kept_to_itself(
    endpoint: Callable[[str], ModelEndpoint], monkeypatch: pytest.MonkeyPatch, host: str, listens: str
) -> None:
    hosts: list[str] = []
    start = HTTPServer.start
    monkeypatch.setattr(HTTPServer, "start", lambda self: (hosts.append(self.host), start(self)))
    assert endpoint(host).url.startswith(f"http://{host}:")
    assert hosts == [listens]


def test_where_nothing_can_listen_it_is_said_and_nothing_is_left_to_close(
    endpoint: Callable[[str], ModelEndpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise SystemExit(1)

    monkeypatch.setattr(library, "make_server", refuse)
    with pytest.raises(PrerequisiteMissing, match=r"cannot listen at 127\.0\.0\.1"):
        _ = endpoint("127.0.0.1").url


def test_has_an_address_once_it_was_started() -> None:
    endpoint = ModelEndpoint()
    assert endpoint.address == ""
    try:
        assert endpoint.url == f"{endpoint.address}{PREDICT_PATH}"
    finally:
        endpoint.close()
