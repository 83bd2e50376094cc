"""How bytes reach a target: whole answers, broken ones, and nobody there."""

from __future__ import annotations

import base64
import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from mlconform.conformance.errors import TargetUnreachable
from mlconform.conformance.targets.exchange import OutgoingRequest
from mlconform.conformance.targets.transport import AnswerCutOff, HttpTransport, InProcessTransport
from mlconform.mock_server import DEFAULT_PASSWORD, Security
from mlconform.mock_server.fixture import running_mock

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


@pytest.fixture
def open_transport() -> Iterator[Callable[..., HttpTransport]]:
    opened: list[HttpTransport] = []

    def make(url: str, **options: Any) -> HttpTransport:
        opened.append(HttpTransport(url, **{"timeout": 5.0, **options}))
        return opened[-1]

    yield make
    for transport in opened:
        transport.close()


def get(transport: HttpTransport, path: str = "/") -> Any:
    return transport.send(OutgoingRequest("GET", path))


def test_a_whole_answer(raw_server: Any, open_transport: Any) -> None:
    server = raw_server(HEAD + b"Content-Length: 2\r\nX-Some: Value\r\n\r\n{}")
    answer = get(open_transport(server.url))
    assert (answer.status, answer.body, answer.headers["x-some"]) == (200, b"{}", "Value")


def test_closing_ends_each_connection_though_somebody_holds_its_pool(open_transport: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        transport = open_transport(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with ThreadPoolExecutor(1) as beside:
            asked = beside.submit(get, transport)
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(5.0)
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                asked.result()
                (manager,) = transport._pools.values()
                held = [manager.pools[key] for key in manager.pools.keys()]  # noqa: SIM118
                transport.close()
                assert held
                assert connection.recv(1) == b""


def test_a_compressed_answer_comes_decompressed(raw_server: Any, open_transport: Any) -> None:
    packed = gzip.compress(b'{"a":1}')
    length = str(len(packed)).encode()
    server = raw_server(HEAD + b"Content-Encoding: gzip\r\nContent-Length: " + length + b"\r\n\r\n" + packed)
    assert get(open_transport(server.url)).body == b'{"a":1}'


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(HEAD + b"Content-Length: 100\r\n\r\n{", id="shorter than its content-length"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{", id="cut off inside a chunk"),
        pytest.param(HEAD + b"Content-Encoding: gzip\r\n\r\nnot gzip", id="not the gzip it claims"),
        pytest.param(b"", id="closed without a byte"),
        pytest.param(b"SMTP ready\r\n\r\n", id="not HTTP"),
    ],
)
def test_an_answer_that_is_not_whole(raw_server: Any, open_transport: Any, answer: bytes) -> None:
    server = raw_server(answer)
    with pytest.raises(AnswerCutOff):
        get(open_transport(server.url))


def test_a_reset_connection_is_a_broken_answer(raw_server: Any, open_transport: Any) -> None:
    server = raw_server(HEAD + b"Content-Length: 100\r\n\r\n", reset=True)
    with pytest.raises(AnswerCutOff):
        get(open_transport(server.url))


def test_a_broken_answer_is_not_asked_for_again(raw_server: Any, open_transport: Any) -> None:
    server = raw_server(b"")
    with pytest.raises(AnswerCutOff):
        get(open_transport(server.url))
    assert len(server.requests) == 1


def test_a_refused_port_says_what_to_check(open_transport: Any, free_port: int) -> None:
    with pytest.raises(TargetUnreachable, match=rf"http://127\.0\.0\.1:{free_port}.*Check the address"):
        get(open_transport(f"http://127.0.0.1:{free_port}"))


def test_tls_to_a_plain_port_is_unreachable(raw_server: Any, open_transport: Any) -> None:
    server = raw_server(HEAD + b"Content-Length: 2\r\n\r\n{}")
    with pytest.raises(TargetUnreachable):
        get(open_transport(server.url.replace("http:", "https:")))


def test_a_redirect_is_an_answer_and_not_followed(httpserver: HTTPServer, open_transport: Any) -> None:
    httpserver.expect_request("/from").respond_with_data(status=302, headers={"Location": "/to"})
    assert get(open_transport(httpserver.url_for("")), "/from").status == 302
    assert len(httpserver.log) == 1


def test_a_slow_answer_ends_the_wait(open_transport: Any) -> None:
    import socket  # noqa: PLC0415 - one listener that accepts nothing

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        transport = open_transport(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=0.2)
        with pytest.raises(AnswerCutOff, match="timed out"):
            get(transport)


def test_a_body_and_its_headers_arrive_as_given(httpserver: HTTPServer, open_transport: Any) -> None:
    httpserver.expect_request("/x").respond_with_data("ok")
    request = OutgoingRequest("POST", "/x?y=1", {"content-type": "text/odd"}, b"\xff{")
    open_transport(httpserver.url_for("")).send(request)
    (arrived, _) = httpserver.log[0]
    assert (arrived.query_string, arrived.headers["content-type"]) == (b"y=1", "text/odd")
    assert arrived.get_data() == b"\xff{"


def test_calls_at_once_over_http_do_not_wait_for_each_other(open_transport: Any) -> None:
    together = threading.Barrier(3, timeout=5)
    transport = open_transport("http://127.0.0.1:9")
    assert len(transport.at_once([together.wait] * 3, 0)) == 3


def test_calls_at_once_in_process_are_left_to_the_target() -> None:
    seeds = []

    def at_once(calls: Any, *, seed: int) -> list[Any]:
        seeds.append(seed)
        return [call() for call in reversed(calls)]

    told: list[str] = []
    transport = InProcessTransport(lambda *_: (200, [], b""), at_once)
    transport.at_once([lambda: told.append("a"), lambda: told.append("b")], 7)
    assert (seeds, told) == ([7], ["b", "a"])


def test_a_target_that_cannot_race_answers_in_order() -> None:
    transport = InProcessTransport(lambda *_: (200, [], b""))
    assert transport.at_once([lambda: "a", lambda: "b"], 7) == ["a", "b"]


def test_what_a_request_does_to_its_connection_is_found_out_by_no_other_user(open_transport: Any) -> None:
    admin = {"authorization": "Basic " + base64.b64encode(f"admin:{DEFAULT_PASSWORD}".encode()).decode()}
    with running_mock(behaviour="opensearch-3.4", security=Security()) as mock:
        transport = open_transport(mock.url)
        # Of what nobody is let in for, the mock lets the next request on the connection know.
        assert transport.send(OutgoingRequest("GET", "/_no/such/path")).status == 400
        assert transport.send(OutgoingRequest("GET", "/", admin)).status == 200
        assert transport.send(OutgoingRequest("GET", "/")).status == 401
