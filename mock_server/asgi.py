"""The mock as an ASGI application, and served by uvicorn: as a process, or in a thread of this one."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from mlconform.mock_server.certificates import Certificates
from mlconform.mock_server.codings import MAX_CONTENT, TOO_LARGE
from mlconform.mock_server.connection import HttpConnection
from mlconform.mock_server.core import Handler, Request, Response, Stream, WireFault

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
HOST = "127.0.0.1"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
Application = Callable[[Message, Receive, Send], Awaitable[None]]


def application(server: Handler, nodes: Mapping[int, int] | None = None) -> Application:
    """An ASGI application that passes every HTTP request to the server.

    `nodes` says which node of the cluster listens at which port; without it the first one does at all.
    """
    at_port = nodes or {}

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            refusal = _refusal(headers)
            if refusal is not None:
                await _send(send, refusal)
                return
            body = await _body(receive)
            if body is None:
                return
            response = server.handle(_request(scope, headers, body, at_port))
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


def _refusal(headers: Mapping[str, str]) -> Response | None:
    """What a node answers before it has read the body: to one too long, and to what it can't expect."""
    if headers.get("expect", "100-continue").lower() != "100-continue":
        return Response(417, (), b"")
    declared = headers.get("content-length", "0")
    return TOO_LARGE if declared.isdecimal() and int(declared) > MAX_CONTENT else None


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or None when the client went away before its end; no more than shows it is too long."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False) and len(body) <= MAX_CONTENT:
        message = await receive()
        body += message.get("body", b"")
    return body if message["type"] == "http.request" else None


def _request(scope: Message, headers: Mapping[str, str], body: bytes, nodes: Mapping[int, int]) -> Request:
    raw_path = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
    path = raw_path.partition(b"?")[0].decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    connection = scope.get("state", {}).get("connection")
    node = nodes.get(scope["server"][1], 1) if nodes else 1
    return Request(scope["method"], path, query, headers, body, connection, node)


async def _send(send: Send, response: Response) -> None:
    if response.stream is not None:
        await _send_in_parts(send, response, response.stream)
        return
    await send(_head(response))
    await send({"type": "http.response.body", "body": response.body})


async def _send_in_parts(send: Send, response: Response, stream: Stream) -> None:
    """With no length told, so that it goes out in chunks."""
    await send(
        {"type": "http.response.start", "status": response.status, "headers": _encoded(response.headers)}
    )
    for place, part in enumerate(stream.parts):
        if place:
            await asyncio.sleep(stream.every)
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _head(response: Response) -> Message:
    headers = _encoded(response.headers)
    # An answer to HEAD says how long the body is that does not come.
    if not any(name == b"content-length" for name, _ in headers):
        headers = (*headers, (b"content-length", b"%d" % len(response.body)))
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


class _Server(uvicorn.Server):
    """Tells its URLs once it listens, that of the first node first."""

    def __init__(self, config: uvicorn.Config, bound: Callable[[str], None]) -> None:
        super().__init__(config)
        self._bound = bound

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            for listening in self.servers:
                self._bound(_url(listening.sockets[0], self.config))


def _config(
    server: Handler, tls: Certificates | None, listeners: Sequence[socket.socket] = ()
) -> uvicorn.Config:
    return uvicorn.Config(
        application(server, {each.getsockname()[1]: number for number, each in enumerate(listeners, 1)}),
        http=HttpConnection,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        # A node leaves idle connections open; closed ones surprise clients that keep them.
        timeout_keep_alive=3600,
        timeout_graceful_shutdown=3,
        ssl_certfile=None if tls is None else tls.certificate_file,
        ssl_keyfile=None if tls is None else tls.key_file,
    )


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sends small answers at once; without it, 40 ms late each.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except BaseException:
        listener.close()
        raise
    return listener


def _url(listener: socket.socket, config: uvicorn.Config) -> str:
    host, port = listener.getsockname()[:2]
    scheme = "https" if config.is_ssl else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def serve(
    server: Handler,
    host: str = HOST,
    port: int = 9280,
    bound: Callable[[str], None] = lambda _url: None,
    tls: Certificates | None = None,
    nodes: int = 1,
) -> None:
    """Serve until SIGINT or SIGTERM, then end gracefully; with port 0 a free one is taken.

    With `tls` it is served over HTTPS. So many `nodes` of the cluster have a port each, in a row. `bound` is
    called with the URL of each as soon as the server listens. Raises OSError for an address that can't be
    bound.
    """
    with ExitStack() as open_:
        listeners = [open_.enter_context(_listener(host, port + n if port else 0)) for n in range(nodes)]
        try:
            _Server(_config(server, tls, listeners), bound).run(sockets=listeners)
        except KeyboardInterrupt:
            # uvicorn has already ended gracefully and only passes the signal on.
            return


@contextmanager
def serving(server: Handler, tls: Certificates | None = None) -> Iterator[str]:
    """Serve at a free loopback port, in a thread, for as long as the context lasts; gives the URL.

    What is under way at its end is broken off.
    """
    with serving_nodes(server, 1, tls) as (url,):
        yield url


@contextmanager
def serving_nodes(server: Handler, nodes: int, tls: Certificates | None = None) -> Iterator[tuple[str, ...]]:
    """As `serving`, with a port for each of so many nodes of the cluster; gives their URLs."""
    with ExitStack() as open_:
        listeners = [open_.enter_context(_listener(HOST, 0)) for _ in range(nodes)]
        config = _config(server, tls, listeners)
        with _in_thread(config, listeners):
            yield tuple(_url(listener, config) for listener in listeners)


@contextmanager
def _in_thread(config: uvicorn.Config, listeners: Sequence[socket.socket]) -> Iterator[None]:
    config.load()
    loop = config.get_loop_factory()()  # type: ignore[misc]
    state = ServerState()

    async def listen(listener: socket.socket) -> asyncio.Server:
        return await loop.create_server(
            lambda: HttpConnection(config, state, {}, loop), sock=listener, backlog=2048, ssl=config.ssl
        )

    async def end() -> None:
        for each in listening:
            each.close()
        for task in state.tasks:
            task.cancel()
        for connection in list(state.connections):
            connection.transport.abort()
        while state.connections:
            await asyncio.sleep(0)

    listening = [loop.run_until_complete(listen(listener)) for listener in listeners]
    thread = threading.Thread(target=loop.run_forever, name="mock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
