"""A line a request, for people who look on."""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec import Struct

from mlconform.mock_server.core import Handler, Request, Response


class LoggedHandler(Struct, frozen=True):
    """Answers as `handler` does, and tells method, path, status, bytes and milliseconds of each request."""

    handler: Handler
    tell: Callable[[str], None]

    def handle(self, request: Request) -> Response:
        """Answer, then tell."""
        began = time.perf_counter()
        response = self.handler.handle(request)
        took = (time.perf_counter() - began) * 1000
        target = f"{request.path}?{request.query}" if request.query else request.path
        size = f"{len(request.body)} -> {len(response.body)} bytes"
        self.tell(f"{request.method} {target} {response.status} {size} {took:.1f} ms")
        return response
