"""The model behind the connectors: told under one address, and listening where that leads to."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.client import IncompleteRead
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest
from pytest_httpserver import HTTPServer
from pytest_httpserver import httpserver as library

from mlconform.conformance.errors import PrerequisiteMissing
from mlconform.conformance.targets import model_file
from mlconform.conformance.targets.endpoint import ANSWER, LATE_SECONDS, PREDICT_PATH, FileName, ModelEndpoint
from mlconform.conformance.targets.model_file import ModelFile


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


@pytest.mark.parametrize(
    ("name", "file"),
    [
        (FileName.SMALL, model_file.small()),
        (FileName.LARGE, model_file.large()),
        (FileName.NO_ZIP, model_file.no_zip()),
        (FileName.WITHOUT_TOKENIZER, model_file.without_tokenizer()),
    ],
)
def test_serves_the_files_of_models(
    endpoint: Callable[[str], ModelEndpoint], name: FileName, file: ModelFile
) -> None:
    with urllib.request.urlopen(endpoint("127.0.0.1").file_url(name), timeout=10) as answer:
        assert answer.read() == file.content


def test_a_file_that_is_not_there(endpoint: Callable[[str], ModelEndpoint]) -> None:
    with pytest.raises(HTTPError, match="404"):
        urllib.request.urlopen(endpoint("127.0.0.1").file_url(FileName.GONE), timeout=10)


def test_a_file_that_ends_too_early(endpoint: Callable[[str], ModelEndpoint]) -> None:
    url = endpoint("127.0.0.1").file_url(FileName.CUT_OFF)
    with urllib.request.urlopen(url, timeout=10) as answer, pytest.raises(IncompleteRead):
        answer.read()


def test_a_file_that_comes_late(endpoint: Callable[[str], ModelEndpoint]) -> None:
    url = endpoint("127.0.0.1").file_url(FileName.LATE)
    begun = time.monotonic()
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.read() == model_file.small().content
    assert time.monotonic() - begun >= LATE_SECONDS


def test_a_late_file_comes_when_it_is_let_go(endpoint: Callable[[str], ModelEndpoint]) -> None:
    late = endpoint("127.0.0.1")
    late.let_go()
    begun = time.monotonic()
    with urllib.request.urlopen(late.file_url(FileName.LATE), timeout=10) as answer:
        assert answer.read() == model_file.small().content
    assert time.monotonic() - begun < LATE_SECONDS


def test_files_are_where_another_process_serves_them() -> None:
    endpoint = ModelEndpoint(elsewhere=f"http://192.0.2.7:1234{PREDICT_PATH}")
    assert endpoint.file_url(FileName.SMALL) == "http://192.0.2.7:1234/models/small.zip"
