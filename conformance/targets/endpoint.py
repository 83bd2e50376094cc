"""The model that a remote model's connector points at: a small HTTP server which the run itself starts."""

from __future__ import annotations

import ipaddress
import json
import socket
from typing import Any

from pytest_httpserver import HTTPServer

from conformance.outcomes import PrerequisiteMissing

PREDICT_PATH = "/v1/predict"
ANSWER: dict[str, Any] = {"choices": [{"message": {"content": "hi"}}], "embedding": [0.1, 0.2]}


def is_loopback(host: str) -> bool:
    """Whether this host names this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class ModelEndpoint:
    """Answers every call at `url` with the same JSON object, on one line, until closed.

    On one line because a node holds guardrails against the whole text, and `.` matches no line break.

    `host` must be a name or address under which the target can reach this machine. It need not be
    one of this machine's own, but that of a NAT or of a container's host: so the server listens at
    all addresses, unless `host` is loopback. `port` 0 is any that is free. Where `elsewhere` is given, it
    is the address at which another process answers, and nothing is started.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, elsewhere: str | None = None) -> None:
        self._host = host
        self._port = port
        self._elsewhere = elsewhere
        self._server: HTTPServer | None = None

    @property
    def url(self) -> str:
        """The address to put into a connector; the server starts at the first use.

        Raises `PrerequisiteMissing` where nothing can listen there.
        """
        if self._elsewhere is not None:
            return self._elsewhere
        if self._server is None:
            self._server = _listening(self._host, self._port)
        return self.address + PREDICT_PATH

    @property
    def address(self) -> str:
        """Scheme, host and port of the server; empty while it has not been started."""
        if self._elsewhere is not None:
            return self._elsewhere.removesuffix(PREDICT_PATH)
        if self._server is None:
            return ""
        return f"http://{HTTPServer.format_host(self._host)}:{self._server.port}"

    def close(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None


def is_private(host: str) -> bool:
    """Whether this host is no address of the public internet; a name that says nothing here may not be."""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except OSError:
        return True
    return not all(ipaddress.ip_address(address.partition("%")[0]).is_global for address in found)


def _listening(host: str, port: int) -> HTTPServer:
    everywhere = "::" if ":" in host else "0.0.0.0"
    server = HTTPServer(host=host if is_loopback(host) else everywhere, port=port, threaded=True)
    server.expect_request(PREDICT_PATH).respond_with_data(json.dumps(ANSWER), content_type="application/json")
    try:
        server.start()
    except (OSError, SystemExit) as error:
        # The server ends the process where it cannot listen.
        raise PrerequisiteMissing(
            f"the model behind the connectors cannot listen at {host} port {port}: {error}"
        ) from None
    return server
