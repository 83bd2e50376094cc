"""What a target fetches from the run: a small HTTP server which the run itself starts.

It is the model that a remote model's connector points at, and the place of the files of local models.
"""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from threading import Event
from typing import Any, Final

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from mlconform.conformance.errors import PrerequisiteMissing
from mlconform.conformance.targets import model_file
from mlconform.conformance.targets.addresses import is_loopback
from mlconform.conformance.targets.model_file import ModelFile

PREDICT_PATH = "/v1/predict"
ANSWER: dict[str, Any] = {"choices": [{"message": {"content": "hi"}}], "embedding": [0.1, 0.2]}

FILES_PATH = "/models/"
_POLL_SECONDS = 0.05
# How long the late file takes where nobody lets go of it: long enough to be looked at meanwhile, also by a
# slow machine.
LATE_SECONDS: Final = 5.0


class FileName(StrEnum):
    """The files that are served, by what happens when one is fetched."""

    SMALL = "small.zip"
    LARGE = "large.zip"
    WITHOUT_TOKENIZER = "without-tokenizer.zip"
    NO_ZIP = "no-zip.zip"
    LATE = "late.zip"
    CUT_OFF = "cut-off.zip"
    GONE = "gone.zip"


@dataclass(frozen=True, slots=True)
class _Served:
    file: Callable[[], ModelFile]
    late: bool = False
    missing_bytes: int = 0

    def answer(self, let_go: Event, _request: Request) -> Response:
        content = self.file().content
        if self.late:
            let_go.wait(LATE_SECONDS)
        answer = Response(content[: len(content) - self.missing_bytes], content_type="application/zip")
        answer.headers["Content-Length"] = str(len(content))
        return answer


# `gone.zip` is not among them: it is answered with 404.
_FILES: Final[Mapping[FileName, _Served]] = {
    FileName.SMALL: _Served(model_file.small),
    FileName.LARGE: _Served(model_file.large),
    FileName.WITHOUT_TOKENIZER: _Served(model_file.without_tokenizer),
    FileName.NO_ZIP: _Served(model_file.no_zip),
    FileName.LATE: _Served(model_file.small, late=True),
    FileName.CUT_OFF: _Served(model_file.small, missing_bytes=100),
}


class _Server(HTTPServer):
    """Looks often whether it is to stop: the run waits for that."""

    def thread_target(self) -> None:
        assert self.server is not None  # started
        self.server.serve_forever(poll_interval=_POLL_SECONDS)


class ModelEndpoint:
    """Answers every call at `url` with the same JSON object, on one line, and serves `files`, until closed.

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
        self._let_go = Event()
        self._server: HTTPServer | None = None

    @property
    def url(self) -> str:
        """The address to put into a connector; the server starts at the first use.

        Raises `PrerequisiteMissing` where nothing can listen there.
        """
        if self._elsewhere is not None:
            return self._elsewhere
        if self._server is None:
            self._server = _listening(self._host, self._port, self._let_go)
        return self.address + PREDICT_PATH

    @property
    def files(self) -> str:
        """The address of the folder of files; the server starts at the first use. Raises as `url`."""
        return self.url.removesuffix(PREDICT_PATH) + FILES_PATH

    def file_url(self, name: FileName) -> str:
        """The address of a file. Raises as `url`."""
        return self.files + name

    @property
    def address(self) -> str:
        """Scheme, host and port of the server; empty while it has not been started."""
        if self._elsewhere is not None:
            return self._elsewhere.removesuffix(PREDICT_PATH)
        if self._server is None:
            return ""
        return f"http://{HTTPServer.format_host(self._host)}:{self._server.port}"

    def hold(self) -> None:
        """Let the late file be late, until `let_go`."""
        self._let_go.clear()

    def let_go(self) -> None:
        """Send the late file at once, to who waits for it and to who asks until it is held again."""
        self._let_go.set()

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


def _listening(host: str, port: int, let_go: Event) -> HTTPServer:
    everywhere = "::" if ":" in host else "0.0.0.0"
    server = _Server(host=host if is_loopback(host) else everywhere, port=port, threaded=True)
    server.expect_request(PREDICT_PATH).respond_with_data(json.dumps(ANSWER), content_type="application/json")
    server.expect_request(FILES_PATH + FileName.GONE).respond_with_data("there is none", status=404)
    for name, served in _FILES.items():
        server.expect_request(FILES_PATH + name).respond_with_handler(partial(served.answer, let_go))
    try:
        server.start()
    except (OSError, SystemExit) as error:
        # The server ends the process where it cannot listen.
        raise PrerequisiteMissing(
            f"the model behind the connectors cannot listen at {host} port {port}: {error}"
        ) from None
    return server
