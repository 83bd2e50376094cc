"""Traffic of a real server becomes stubs: requests are passed on to it, and its answers are kept."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import urllib3

from mlconform.mock_server import codings
from mlconform.mock_server.core import Request, Response, json_response
from mlconform.mock_server.journal import body_of

_OF_CONNECTIONS = frozenset({"connection", "content-length", "transfer-encoding", "content-encoding"})
_NOT_PASSED_ON = _OF_CONNECTIONS | {"host", "expect", "accept-encoding"}
_SECRETS = frozenset({"credential", "password", "Authorization", "authorization"})
_TIMEOUT = 120.0


class Recorder:
    """Passes every request on to the server at `url` and keeps a stub of it; credentials are in none.

    Requests that are the same in method, path, query and body are one stub, which gives their answers in
    their order.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._pool = urllib3.PoolManager(timeout=_TIMEOUT, retries=False, cert_reqs="CERT_NONE")
        self._stubs: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    @property
    def stubs(self) -> list[dict[str, Any]]:
        """What was recorded, in the order in which it first came."""
        return list(self._stubs.values())

    def handle(self, request: Request) -> Response:
        """The server's answer, or 502 with the reason where there is none."""
        try:
            request = codings.decoded(request)
        except codings.CodingError as error:
            return error.answer
        target = f"{request.path}?{request.query}" if request.query else request.path
        headers = {name: value for name, value in request.headers.items() if name not in _NOT_PASSED_ON}
        try:
            came = self._pool.request(
                request.method, self._url + target, body=request.body or None, headers=headers, redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            failure = json_response(502, {"error": f"expected an answer of {self._url}, got {error}"})
            return codings.encoded(request, failure)
        self._keep(request, came.status, came.headers.get("content-type", ""), came.data)
        back = [(name.lower(), value) for name, value in came.headers.items()]
        kept = tuple((name, value) for name, value in back if name not in _OF_CONNECTIONS)
        return codings.encoded(request, Response(came.status, kept, came.data))

    def _keep(self, request: Request, status: int, content_type: str, body: bytes) -> None:
        text = body.decode("utf-8", "replace")
        answer: dict[str, Any] = {"answer": text, "status": status, "content_type": content_type}
        if content_type.partition(";")[0] == "application/json" and text:
            with suppress(ValueError):
                answer["answer"] = json.loads(text)
        stub: dict[str, Any] = {"method": request.method, "path": request.path, "query": request.query}
        sent = body_of(request)
        if sent is not None:
            stub["body"] = _without_secrets(sent)
        key = json.dumps(stub, sort_keys=True)
        with self._lock:
            self._stubs.setdefault(key, {**stub, "answers": []})["answers"].append(answer)


def _without_secrets(value: Any) -> Any:
    """A body less what must not be kept: a stub asks for what it names, and for no more."""
    if isinstance(value, Mapping):
        return {name: _without_secrets(one) for name, one in value.items() if name not in _SECRETS}
    return [_without_secrets(one) for one in value] if isinstance(value, list) else value
