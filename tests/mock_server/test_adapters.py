"""The mock behind real HTTP servers on loopback."""

from __future__ import annotations

import gzip
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO

import pytest
import urllib3
from pytest_httpserver import HTTPServer

from mlconform.mock_server import MockServer
from mlconform.mock_server.fixture import running_mock
from mlconform.mock_server.httpserver import serve_on

SERVE = """
import sys
from mlconform.mock_server import MockServer
from mlconform.mock_server.asgi import serve
serve(MockServer(), "127.0.0.1", 0, lambda url: print(url, flush=True))
print("ended", flush=True)
"""


@pytest.fixture
def pool() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(timeout=10, retries=False) as manager:
        yield manager


@contextmanager
def _uvicorn() -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    process = subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        yield process, process.stdout
        process.kill()


@pytest.fixture(scope="module", params=["uvicorn", "httpserver"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "uvicorn":
        with _uvicorn() as (_, said):
            yield said.readline().strip()
    else:
        with running_mock() as mock:
            yield mock.url


def test_the_main_page_comes_as_json(url: str, pool: urllib3.PoolManager) -> None:
    answer = pool.request("GET", f"{url}/")
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    assert answer.headers["content-length"] == str(len(answer.data))
    assert answer.json()["version"]["distribution"] == "opensearch"


def test_the_path_reaches_the_mock_as_it_was_sent(url: str, pool: urllib3.PoolManager) -> None:
    answer = pool.request("GET", f"{url}/_plugins/_ml/models/a%2Fb%20%C3%A9?pretty")
    assert answer.status == 404
    assert answer.json()["error"]["reason"] == "Failed to find model with the provided model id: a/b é"


def test_a_body_on_a_get_is_read(url: str, pool: urllib3.PoolManager) -> None:
    body = json.dumps({"query": {"bogus": {}}})
    headers = {"content-type": "application/json"}
    answer = pool.request("GET", f"{url}/_plugins/_ml/models/_search", body=body, headers=headers)
    assert answer.json()["error"]["reason"] == "unknown query [bogus]"


def test_a_chunked_body_is_read(url: str, pool: urllib3.PoolManager) -> None:
    headers = {"content-type": "application/json"}
    parts = iter([b'{"persistent":', b'{"plugins.ml_commons.safe_delete_model":true}}'])
    answer = pool.request("PUT", f"{url}/_cluster/settings", body=parts, headers=headers, chunked=True)
    assert answer.json()["acknowledged"] is True


def test_head_is_answered_without_a_body(url: str, pool: urllib3.PoolManager) -> None:
    answer = pool.request("HEAD", f"{url}/")
    assert (answer.status, answer.data) == (200, b"")


def test_head_is_answered_with_the_length_of_what_get_gives(url: str, pool: urllib3.PoolManager) -> None:
    whole = pool.request("GET", f"{url}/")
    assert pool.request("HEAD", f"{url}/").headers["content-length"] == str(len(whole.data))


UPGRADE = {
    "Connection": "Upgrade, HTTP2-Settings",
    "Upgrade": "h2c",
    "HTTP2-Settings": "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
    "Content-Type": "application/json",
}


@pytest.mark.parametrize("chunked", [False, True])
def test_an_offer_of_another_protocol_is_ignored_and_the_body_read(
    url: str, pool: urllib3.PoolManager, chunked: bool
) -> None:
    for _ in range(2):
        body = b'{"query": {"bogus": {}}}'
        answer = pool.request(
            "POST", f"{url}/_plugins/_ml/models/_search", body=body, headers=UPGRADE, chunked=chunked
        )
        assert answer.json()["error"]["reason"] == "unknown query [bogus]"
    assert pool.connection_from_url(url).num_connections == 1


def test_an_offer_that_comes_in_pieces_is_ignored_too(url: str) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in UPGRADE.items())
    body = '{"query": {"bogus": {}}}'
    request = (
        f"POST /_plugins/_ml/models/_search HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
        f"{head}\r\n{body}"
    ).encode()
    port = int(url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(request), 40):
            connection.sendall(request[at : at + 40])
        assert b"unknown query [bogus]" in _answer(connection)


def _answer(connection: socket.socket) -> bytes:
    """One whole answer with its length told."""
    came = b""
    while b"\r\n\r\n" not in came:
        came += connection.recv(65536)
    head, _, body = came.partition(b"\r\n\r\n")
    told = re.search(rb"content-length: (\d+)", head)
    while told and len(body) < int(told[1]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def _raw(url: str, *parts: bytes) -> list[bytes]:
    """What comes for each part that is sent on one connection."""
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10) as connection:
        came = []
        for part in parts:
            connection.sendall(part)
            came.append(_answer(connection))
        return came


def test_who_expects_to_go_on_is_told_to(url: str) -> None:
    head = (
        b"PUT /_cluster/settings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    )
    goes_on, answered = _raw(url, head, b"{}")
    assert goes_on.startswith(b"HTTP/1.1 100 ")
    assert answered.startswith(b"HTTP/1.1 400 ")


def test_what_cannot_be_expected_is_refused(url: str) -> None:
    (answered,) = _raw(url, b"GET / HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\n\r\n")
    assert answered.startswith(b"HTTP/1.1 417 ")


def test_a_body_that_is_announced_as_too_long_is_refused_at_once(url: str) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 104857601\r\nExpect: 100-continue\r\n\r\n"
    (answered,) = _raw(url, head)
    assert answered.startswith(b"HTTP/1.1 413 ")


def test_compressed_bodies_are_read_and_answers_compressed(url: str, pool: urllib3.PoolManager) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip", "accept-encoding": "gzip"}
    body = gzip.compress(b'{"query": {"bogus": {}}}')
    answer = pool.request("POST", f"{url}/_plugins/_ml/models/_search", body=body, headers=headers)
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json()["error"]["reason"] == "unknown query [bogus]"


def test_a_body_that_is_not_what_its_coding_says_ends_the_connection(
    url: str, pool: urllib3.PoolManager
) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    with pytest.raises(urllib3.exceptions.ProtocolError):
        pool.request("POST", f"{url}/_plugins/_ml/models/_search", body=b"not gzip", headers=headers)


def test_a_wrong_method_tells_the_allowed_ones(url: str, pool: urllib3.PoolManager) -> None:
    answer = pool.request("PATCH", f"{url}/api/v3/models/aligned")
    assert (answer.status, answer.headers["allow"]) == (405, "GET")


def test_the_connection_is_kept(url: str, pool: urllib3.PoolManager) -> None:
    for _ in range(3):
        pool.request("GET", f"{url}/_cluster/health")
    assert pool.connection_from_url(url).num_connections == 1


def test_an_interrupt_ends_the_server_gracefully(pool: urllib3.PoolManager) -> None:
    with _uvicorn() as (process, said):
        assert pool.request("GET", said.readline().strip()).status == 200
        process.send_signal(signal.SIGINT)
        assert said.readline().strip() == "ended"
        assert process.wait(timeout=10) == 0


def test_a_port_that_is_taken_is_an_oserror() -> None:
    from mlconform.mock_server.asgi import serve  # noqa: PLC0415 - uvicorn is needed by this test alone

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        with pytest.raises(OSError, match="in use"):
            serve(MockServer(), "127.0.0.1", holder.getsockname()[1])


def test_a_running_mock_answers_many_at_once() -> None:
    """Eight answers that are half a second late come in less than two of them in a row."""
    late = [{"kind": "delay", "delay": 0.5}]
    with running_mock() as mock, urllib3.PoolManager(maxsize=8) as pool, ThreadPoolExecutor(8) as threads:
        pool.request("PUT", f"{mock.url}/_mock/faults", json={"faults": late})
        began = time.monotonic()
        answers = list(threads.map(lambda _: pool.request("GET", mock.url), range(8)))
        assert [answer.status for answer in answers] == [200] * 8
        assert time.monotonic() - began < 1.0


def test_a_mock_that_ends_breaks_off_what_is_under_way() -> None:
    with ThreadPoolExecutor(1) as thread, urllib3.PoolManager(retries=False) as pool:
        with running_mock() as mock:
            late = [{"kind": "delay", "delay": 60}]
            pool.request("PUT", f"{mock.url}/_mock/faults", json={"faults": late})
            asked = thread.submit(pool.request, "GET", mock.url)
            requests = f"{mock.url}/_mock/requests"
            while not pool.request("GET", requests).json()["requests"]:
                assert not asked.done()
        with pytest.raises(urllib3.exceptions.ProtocolError):
            asked.result(10)


def test_expectations_of_a_test_come_before_the_mock(
    httpserver: HTTPServer, pool: urllib3.PoolManager
) -> None:
    httpserver.expect_oneshot_request("/_cluster/health").respond_with_json({"status": "red"})
    serve_on(httpserver, MockServer())
    assert pool.request("GET", httpserver.url_for("/_cluster/health")).json()["status"] == "red"
    assert pool.request("GET", httpserver.url_for("/_cluster/health")).json()["status"] == "green"
