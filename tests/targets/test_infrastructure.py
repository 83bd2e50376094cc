"""What the infrastructure did is told from what the API did."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from mlconform.conformance.errors import TargetUnreachable
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets.exchange import Answer, OutgoingRequest
from mlconform.conformance.targets.infrastructure import SteadyTransport, not_of_the_api
from mlconform.conformance.targets.transport import AnswerCutOff, HttpTransport

PAGE = "<html><h1>502 Bad Gateway</h1></html>"
NO_MANAGER = {"error": {"type": "cluster_manager_not_discovered_exception", "reason": None}, "status": 503}


def _no_memory(data: str) -> dict[str, object]:
    reason = f"[parent] Data too large, data for [{data}] would be [1061559418/1012.3mb]"
    return {"error": {"type": "circuit_breaking_exception", "reason": reason}, "status": 429}


NO_MEMORY = _no_memory("<http_request>")
READ, WRITE = OutgoingRequest("GET", "/x"), OutgoingRequest("POST", "/x")


@pytest.fixture
def steady() -> Iterator[Callable[..., SteadyTransport]]:
    opened: list[SteadyTransport] = []

    def make(url: str, *, patience: float = 0.2, timeout: float = 5.0) -> SteadyTransport:
        opened.append(SteadyTransport(HttpTransport(url, timeout=timeout), patience=patience))
        return opened[-1]

    yield make
    for transport in opened:
        transport.close()


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (502, PAGE, "something before the API answered 502"),
        (504, "", "something before the API answered 504"),
        (503, "<html>", "something before the API answered 503"),
        (503, json.dumps(NO_MANAGER), "the cluster cannot work: it answered 503 cluster_manager_not"),
        (503, '{"error": {"type": "cluster_block_exception"}}', "the cluster cannot work"),
    ],
)
def test_answers_that_are_not_the_apis(status: int, body: str, told: str) -> None:
    assert str(not_of_the_api(Answer(status, {}, body.encode()))).startswith(told)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, PAGE),
        (404, PAGE),
        (200, PAGE),
        (502, '{"error": {"type": "remote_exception"}}'),
        (503, '{"error": {"type": "open_search_status_exception"}}'),
        (503, '{"error": "x"}'),
        (429, '{"error": {"type": "open_search_status_exception"}}'),
    ],
)
def test_answers_that_the_api_gave(status: int, body: str) -> None:
    assert not_of_the_api(Answer(status, {}, body.encode())) is None


def test_a_proxy_without_server_makes_the_target_unreachable(httpserver: HTTPServer, steady: Any) -> None:
    for path in ("/", "/x"):
        httpserver.expect_request(path).respond_with_data(PAGE, 502, content_type="text/html")
    with pytest.raises(TargetUnreachable, match=r"502 without its JSON.*Check the server"):
        steady(httpserver.url_for("")).send(READ)


def test_what_only_reads_is_sent_again_once_the_server_is_back(httpserver: HTTPServer, steady: Any) -> None:
    httpserver.expect_ordered_request("/x").respond_with_json(NO_MANAGER, 503)
    httpserver.expect_ordered_request("/").respond_with_json(NO_MANAGER, 503)
    httpserver.expect_ordered_request("/").respond_with_json({})
    httpserver.expect_ordered_request("/x").respond_with_json({"a": 1})
    assert steady(httpserver.url_for(""), patience=10).send(READ).body.split() == [b"{", b'"a":', b"1", b"}"]


def test_of_what_writes_nothing_is_known(httpserver: HTTPServer, steady: Any) -> None:
    httpserver.expect_request("/x").respond_with_data(PAGE, 502)
    httpserver.expect_request("/").respond_with_json({})
    with pytest.raises(Untestable, match=r"not known whether POST /x was carried out"):
        steady(httpserver.url_for("")).send(WRITE)
    assert [request.path for request, _ in httpserver.log] == ["/x", "/"]


@pytest.mark.parametrize("data", ["<http_request>", "cluster:admin/opensearch/ml/predict"])
def test_what_a_node_had_no_memory_to_read_is_sent_again(
    httpserver: HTTPServer, steady: Any, data: str
) -> None:
    for _ in range(2):
        httpserver.expect_ordered_request("/x").respond_with_json(_no_memory(data), 429)
    httpserver.expect_ordered_request("/x").respond_with_json({"a": 1})
    assert steady(httpserver.url_for("")).send(WRITE).status == 200


def test_what_was_begun_when_memory_ran_out_is_not_sent_again(httpserver: HTTPServer, steady: Any) -> None:
    httpserver.expect_oneshot_request("/x").respond_with_json(_no_memory("indices:data/write/bulk[s]"), 429)
    assert steady(httpserver.url_for("")).send(WRITE).status == 429


def test_a_node_that_stays_short_of_memory_says_so_in_each_check(
    httpserver: HTTPServer, steady: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlconform.conformance.targets.infrastructure.MEMORY_PATIENCE_SECONDS", 0.3)
    httpserver.expect_request("/x").respond_with_json(NO_MEMORY, 429)
    transport = steady(httpserver.url_for(""))
    for _ in range(2):
        with pytest.raises(Untestable, match=r"no memory to read POST /x"):
            transport.send(WRITE)
    # The patience of a run is spent once.
    assert len(httpserver.log) <= 4


@pytest.mark.parametrize(
    "error",
    [
        {"type": "circuit_breaking_exception", "reason": "[parent] Data too large, data for [<agg>]"},
        {"type": "m_l_limit_exceeded_exception", "reason": "data for [<http_request>]"},
    ],
)
def test_what_was_read_is_the_apis_answer(httpserver: HTTPServer, steady: Any, error: Any) -> None:
    httpserver.expect_request("/x").respond_with_json({"error": error, "status": 429}, 429)
    assert steady(httpserver.url_for("")).send(WRITE).status == 429
    assert len(httpserver.log) == 1


def test_a_server_that_never_answers_is_unreachable(steady: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlconform.conformance.targets.infrastructure.LOOK_SECONDS", 0.2)
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        transport = steady(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=0.2)
        with pytest.raises(TargetUnreachable, match="timed out"):
            transport.send(READ)


def test_a_server_that_is_gone_is_unreachable(raw_server: Any, steady: Any) -> None:
    # The connection ends without an answer, and so does every other.
    with pytest.raises(TargetUnreachable, match="RemoteDisconnected"):
        steady(raw_server(b"").url).send(READ)


def test_one_request_that_is_not_answered_is_the_apis_failure(httpserver: HTTPServer, steady: Any) -> None:
    from werkzeug import Response  # noqa: PLC0415 - an answer that begins late

    def late(_: object) -> Response:
        with closing(socket.create_server(("127.0.0.1", 0))) as never:
            never.settimeout(1)
            with pytest.raises(TimeoutError):
                never.accept()
        return Response("{}")

    httpserver.expect_request("/x").respond_with_handler(late)
    httpserver.expect_request("/").respond_with_json({})
    with pytest.raises(AnswerCutOff, match="timed out"):
        steady(httpserver.url_for(""), timeout=0.2).send(READ)


def test_an_answer_that_is_cut_off_is_the_apis_failure(raw_server: Any, steady: Any) -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"
    with pytest.raises(AnswerCutOff):
        steady(raw_server(cut).url).send(READ)
