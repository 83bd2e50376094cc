"""The mock behind real HTTP servers on loopback."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pytest
import urllib3
from pytest_httpserver import HTTPServer

from mock_server import MockServer
from mock_server.fixture import running_mock
from mock_server.httpserver import serve_on

SERVE = """
import sys
from mock_server import MockServer
from mock_server.asgi import serve
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
    from mock_server.asgi import serve  # noqa: PLC0415 - uvicorn is needed by this test alone

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        with pytest.raises(OSError, match="in use"):
            serve(MockServer(), "127.0.0.1", holder.getsockname()[1])


def test_expectations_of_a_test_come_before_the_mock(
    httpserver: HTTPServer, pool: urllib3.PoolManager
) -> None:
    httpserver.expect_oneshot_request("/_cluster/health").respond_with_json({"status": "red"})
    serve_on(httpserver, MockServer())
    assert pool.request("GET", httpserver.url_for("/_cluster/health")).json()["status"] == "red"
    assert pool.request("GET", httpserver.url_for("/_cluster/health")).json()["status"] == "green"
