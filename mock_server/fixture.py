"""The mock on pytest-httpserver: a real HTTP server on a loopback port, in a thread of this process."""

from __future__ import annotations

import logging
import re
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import werkzeug
from pytest_httpserver import HTTPServer

from mock_server.certificates import certificates
from mock_server.core import Request, WireFault
from mock_server.server import MockServer

_HOST = "127.0.0.1"
_ANY_PATH = re.compile(r".*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class RunningMock:
    """A mock that listens at `url`; with HTTPS, its certificate is by the authority in `ca_file`."""

    url: str
    server: MockServer
    ca_file: Path | None = None


def serve_on(httpserver: HTTPServer, server: MockServer) -> None:
    """Let this HTTP server pass every request that nothing else expects to the mock."""

    def respond(incoming: werkzeug.Request) -> werkzeug.Response:
        response = server.handle(_request(incoming))
        fault = response.fault or WireFault()
        time.sleep(fault.delay)
        body = response.body[: len(response.body) // 2] if fault.truncated else response.body
        answer = werkzeug.Response(body, response.status)
        answer.headers["content-length"] = str(len(response.body))
        del answer.headers["content-type"]
        for name, value in response.headers:
            answer.headers.add(name, value)
        if fault.reset:
            _reset(incoming.environ["werkzeug.socket"])
        return answer

    httpserver.expect_request(_ANY_PATH).respond_with_handler(respond)


def _reset(connection: socket.socket) -> None:
    """Nothing more is sent, and what the other side sends is refused."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_WR)


def _request(incoming: werkzeug.Request) -> Request:
    target = incoming.environ.get("REQUEST_URI") or incoming.environ["PATH_INFO"]
    if target.startswith("http"):
        target = "/" + target.split("/", 3)[-1] if target.count("/") > 2 else "/"
    path, _, query = target.partition("?")
    headers = {name.lower(): value for name, value in incoming.headers.items()}
    return Request(incoming.method, path, query, headers, incoming.get_data())


@contextmanager
def running_mock(*, tls: bool = False, **options: Any) -> Iterator[RunningMock]:
    """Run a `MockServer` with these options on a free loopback port for as long as the context lasts.

    With `tls` it is served over HTTPS.
    """
    server = MockServer(**options)
    access_log = logging.getLogger("werkzeug")
    if access_log.level == logging.NOTSET:
        # Werkzeug would write a line to stderr for every request.
        access_log.setLevel(logging.WARNING)
    with certificates(_HOST) if tls else nullcontext() as certified:
        context = None if certified is None else certified.server_context()
        with HTTPServer(host=_HOST, port=0, threaded=True, ssl_context=context) as httpserver:
            serve_on(httpserver, server)
            url = httpserver.url_for("").rstrip("/")
            yield RunningMock(url, server, None if certified is None else certified.ca_file)
