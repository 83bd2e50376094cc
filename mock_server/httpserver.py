"""The mock behind pytest-httpserver, for tests whose own expectations come before its answers."""

from __future__ import annotations

import re
import socket
import struct
import time

import werkzeug
from pytest_httpserver import HTTPServer

from mlconform.mock_server.core import Request, WireFault
from mlconform.mock_server.server import MockServer

_ANY_PATH = re.compile(r".*", re.DOTALL)


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
            if name == "content-length":
                answer.headers[name] = value
            else:
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
