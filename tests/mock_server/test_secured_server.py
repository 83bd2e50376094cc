"""A secured mock on a real port: HTTPS, and what a connection is remembered by."""

from __future__ import annotations

import base64
import http.client
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
import urllib3

from mlconform.mock_server import DEFAULT_PASSWORD, Security
from mlconform.mock_server.fixture import running_mock

SERVE = """
import sys
from mlconform.mock_server import MockServer, Security
from mlconform.mock_server.asgi import serve
from mlconform.mock_server.certificates import certificates
server = MockServer(profiles=("opensearch-ml",), behaviour=sys.argv[1], security=Security())
with certificates("127.0.0.1") as made:
    serve(server, "127.0.0.1", 0, lambda url: print(made.ca_file, url, flush=True), made)
"""
RIGHT = {"authorization": "Basic " + base64.b64encode(f"admin:{DEFAULT_PASSWORD}".encode()).decode()}
WRONG = {"authorization": "Basic " + base64.b64encode(b"admin:wrong").decode()}
UNKNOWN_PATH = "/_no/such/path"
Ask = Callable[..., int]


@contextmanager
def _connection(behaviour: str) -> Iterator[Ask]:
    """Asks over one connection that is kept alive; gives the status."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, behaviour], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        ca_file, url = server.stdout.readline().split()
        context = ssl.create_default_context(cafile=ca_file)
        connection = http.client.HTTPSConnection(urlsplit(url).netloc, context=context)

        def ask(path: str, headers: dict[str, str], method: str = "GET") -> int:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status

        yield ask
        connection.close()
        server.terminate()


@pytest.mark.parametrize("headers", [{}, WRONG])
def test_a_recorded_node_lets_a_refusal_outlive_its_request(headers: dict[str, str]) -> None:
    with _connection("opensearch-3.4") as ask:
        assert ask(UNKNOWN_PATH, headers) == 400
        assert ask(UNKNOWN_PATH, RIGHT) == 400
        assert ask("/", RIGHT) == 401
        assert ask("/", RIGHT) == 200
        assert ask("/_plugins/_ml/models/_register", headers) == 405
        assert ask("/", headers, "OPTIONS") == 200
        assert ask("/", RIGHT) == 401
        assert ask("/", headers) == 401
        assert ask("/", RIGHT) == 200


def test_by_the_pages_every_request_is_answered_by_what_it_brings() -> None:
    with _connection("documented") as ask:
        assert ask(UNKNOWN_PATH, {}) == 400
        assert ask("/", RIGHT) == 200


def test_the_fixture_serves_over_https_for_who_knows_the_authority() -> None:
    with running_mock(tls=True, security=Security()) as mock:
        assert mock.url.startswith("https://")
        with urllib3.PoolManager(ca_certs=str(mock.ca_file)) as pool:
            assert pool.request("GET", mock.url, headers=RIGHT).status == 200
        with (
            urllib3.PoolManager(retries=False) as stranger,
            pytest.raises(urllib3.exceptions.SSLError, match="certificate verify failed"),
        ):
            stranger.request("GET", mock.url)
