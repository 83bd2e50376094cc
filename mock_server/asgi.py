"""The mock as an ASGI application, and served by uvicorn."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mock_server.certificates import Certificates
from mock_server.core import Connection, Request, Response, WireFault
from mock_server.server import MockServer

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
Application = Callable[[Message, Receive, Send], Awaitable[None]]


def application(server: MockServer) -> Application:
    """An ASGI application that passes every HTTP request to the server."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            body = await _body(receive)
            if body is None:
                return
            response = server.handle(_request(scope, body))
            if response.fault is None:
                await _send(send, response)
            else:
                await _send_broken(scope, receive, send, response, response.fault)

    return app


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or None when the client went away before its end."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False):
        message = await receive()
        body += message.get("body", b"")
    return body if message["type"] == "http.request" else None


def _request(scope: Message, body: bytes) -> Request:
    raw_path = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    path = raw_path.partition(b"?")[0].decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    connection = scope.get("state", {}).get("connection")
    return Request(scope["method"], path, query, headers, body, connection)


async def _send(send: Send, response: Response) -> None:
    await send(_head(response))
    await send({"type": "http.response.body", "body": response.body})


def _head(response: Response) -> Message:
    headers = [*_encoded(response.headers), (b"content-length", b"%d" % len(response.body))]
    return {"type": "http.response.start", "status": response.status, "headers": headers}


@lru_cache(maxsize=100)
def _encoded(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers)


async def _send_broken(
    scope: Message, receive: Receive, send: Send, response: Response, fault: WireFault
) -> None:
    """Late, cut off in the middle of the body, or not at all with the connection reset."""
    if fault.delay:
        await asyncio.sleep(fault.delay)
    if not fault.reset and not fault.truncated:
        await _send(send, response)
        return
    transport = scope.get("state", {}).get("transport")
    if fault.truncated and not fault.reset:
        await send(_head(response))
        half = response.body[: len(response.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        if transport is not None:
            transport.close()
    elif transport is not None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


class _Protocol(HttpToolsProtocol):
    """Shows the connection to the application, which may have to break it, and remembers things of it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._connection = Connection()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["transport"] = self.transport
        self.scope["state"]["connection"] = self._connection


class _Server(uvicorn.Server):
    """Tells its URL once it listens."""

    def __init__(self, config: uvicorn.Config, bound: Callable[[str], None]) -> None:
        super().__init__(config)
        self._bound = bound

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            scheme = "https" if self.config.is_ssl else "http"
            self._bound(f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}")


def serve(
    server: MockServer,
    host: str = "127.0.0.1",
    port: int = 9280,
    bound: Callable[[str], None] = lambda _url: None,
    tls: Certificates | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM, then end gracefully; with port 0 a free one is taken.

    With `tls` it is served over HTTPS. `bound` is called with the URL as soon as the server listens. Raises
    OSError for an address that can't be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sends small answers at once; without it, 40 ms late each.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        config = uvicorn.Config(
            application(server),
            http=_Protocol,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=3,
            ssl_certfile=None if tls is None else tls.certificate_file,
            ssl_keyfile=None if tls is None else tls.key_file,
        )
        try:
            _Server(config, bound).run(sockets=[listener])
        except KeyboardInterrupt:
            # uvicorn has already ended gracefully and only passes the signal on.
            return
