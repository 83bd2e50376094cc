"""How bytes reach a target: over HTTP, or straight into a mock in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any, Protocol, TypeVar

import urllib3
from urllib3 import exceptions

from mlconform.conformance.errors import TargetUnreachable
from mlconform.conformance.targets.credentials import Secret, presentable
from mlconform.conformance.targets.exchange import Answer, OutgoingRequest
from mlconform.conformance.targets.pace import Pace
from mlconform.conformance.targets.pools import Trust, explained, open_pool

T = TypeVar("T")


class AnswerCutOff(Exception):  # noqa: N818
    """The connection worked, but the answer was not whole or could not be decoded."""


class NoAnswer(AnswerCutOff):
    """The connection was accepted, and ended or lasted without a byte of an answer."""


class Transport(Protocol):
    """Sends one request and returns its whole answer.

    Raises `AnswerCutOff` for an answer that began or was due and is not whole, `TargetUnreachable`
    when nothing accepts the connection.
    """

    @property
    def base_url(self) -> str: ...

    @property
    def has_connections(self) -> bool:
        """Whether requests go over connections that outlive them."""

    def send(self, request: OutgoingRequest) -> Answer: ...

    def at_once(self, calls: Sequence[Callable[[], T]], seed: int) -> list[T]:
        """Run calls that send requests at the same moment; gives what they return.

        Over HTTP chance decides how the requests interleave, in process the seed does.
        """

    def at(self, base_url: str) -> Transport:
        """The same way to another address, of another node of the target; it is closed by itself."""

    def close(self) -> None:
        """Close the connections that are idle; the next request opens another."""


class Forwarding:
    """A transport that goes on by another, `inner`; what is done on the way is said by who sends."""

    inner: Transport

    @property
    def base_url(self) -> str:
        return self.inner.base_url

    @property
    def has_connections(self) -> bool:
        return self.inner.has_connections

    def at_once(self, calls: Sequence[Callable[[], T]], seed: int) -> list[T]:
        return self.inner.at_once(calls, seed)

    def close(self) -> None:
        self.inner.close()


class HttpTransport:
    """Connections over HTTP or TLS, none of which two users share.

    `timeout` is seconds to connect and to wait for each read; `headers` go with every request; `pace`, where
    there is one, says when each may begin.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout: float = 30.0,
        trust: Trust | None = None,
        headers: Mapping[str, Secret] | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._pace = pace
        self._timeout = timeout
        self._trust = trust or Trust()
        self._headers = headers or {}
        self._pools: dict[Hashable, urllib3.PoolManager] = {}
        self._lock = threading.Lock()

    @property
    def base_url(self) -> str:
        return self._base_url

    @property
    def has_connections(self) -> bool:
        return True

    def send(self, request: OutgoingRequest, *, timeout: float | None = None) -> Answer:
        """As `Transport` says; `timeout` is for this request alone."""
        if self._pace is not None:
            self._pace.take()
        response = self._begun(request, timeout)
        try:
            body = response.data
        except exceptions.HTTPError as error:
            response.close()
            raise AnswerCutOff(presentable(f"{type(error).__name__}: {error}")) from None
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, headers, body)

    def _begun(self, request: OutgoingRequest, timeout: float | None) -> urllib3.BaseHTTPResponse:
        """The answer from its first line on; its body is still to be read."""
        own: dict[str, Any] = {} if timeout is None else {"timeout": urllib3.Timeout(timeout)}
        try:
            return self._pool(request).request(
                request.method,
                self._base_url + request.path,
                body=request.body,
                headers=_all_headers(request, self._headers),
                redirect=False,
                preload_content=False,
                **own,
            )
        except (
            exceptions.NewConnectionError,
            exceptions.ConnectTimeoutError,
            exceptions.NameResolutionError,
            exceptions.LocationParseError,
            exceptions.SSLError,
            exceptions.ProxyError,
        ) as error:
            raise TargetUnreachable(explained(error, self._base_url)) from None
        except exceptions.HTTPError as error:
            kind = NoAnswer if _is_silence(error) else AnswerCutOff
            raise kind(presentable(f"{type(error).__name__}: {error}")) from None

    def _pool(self, request: OutgoingRequest) -> urllib3.PoolManager:
        with self._lock:
            if request.lane not in self._pools:
                certificate = request.credentials.certificate if request.credentials else None
                self._pools[request.lane] = open_pool(self._base_url, self._trust, certificate, self._timeout)
            return self._pools[request.lane]

    def at(self, base_url: str) -> HttpTransport:
        return HttpTransport(
            base_url, timeout=self._timeout, trust=self._trust, headers=self._headers, pace=self._pace
        )

    def at_once(self, calls: Sequence[Callable[[], T]], seed: int) -> list[T]:
        del seed
        together = nullcontext() if self._pace is None else self._pace.together(len(calls))
        with together, ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(lambda call: call(), calls))

    def close(self) -> None:
        # A manager forgets its pools, and each closes its connections when nobody holds it any more: an
        # exception may, until the next collection of garbage.
        with self._lock:
            for manager in self._pools.values():
                for key in manager.pools.keys():  # noqa: SIM118 - it can't be iterated over
                    manager.pools[key].close()
                manager.clear()


def _is_silence(error: exceptions.HTTPError) -> bool:
    """Whether nothing came: a wait that ended, or a connection that did."""
    ended = isinstance(error, exceptions.ProtocolError) and any(
        isinstance(reason, ConnectionError) for reason in error.args
    )
    return ended or isinstance(error, exceptions.ReadTimeoutError)


class Handler(Protocol):
    """What an in-process target offers: the whole answer to one request."""

    def __call__(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]: ...


class AtOnce(Protocol):
    """How an in-process target lets calls interleave: a function of the seed."""

    def __call__(self, calls: Sequence[Callable[[], T]], *, seed: int) -> list[T]: ...


def in_order(calls: Sequence[Callable[[], T]], *, seed: int) -> list[T]:
    """One after the other: what a target does whose requests cannot interleave."""
    del seed
    return [call() for call in calls]


class InProcessTransport:
    """The twin of `HttpTransport` that calls a handler instead of a socket.

    `others` are the handlers of further nodes, by their addresses.
    """

    def __init__(
        self,
        handler: Handler,
        at_once: AtOnce = in_order,
        *,
        base_url: str = "http://mock",
        others: Mapping[str, Handler] | None = None,
    ) -> None:
        self._handler = handler
        self._at_once = at_once
        self._base_url = base_url
        self._others = others or {}

    @property
    def base_url(self) -> str:
        return self._base_url

    @property
    def has_connections(self) -> bool:
        return False

    def send(self, request: OutgoingRequest) -> Answer:
        path, _, query = request.path.partition("?")
        headers = _all_headers(request, {})
        status, answered, body = self._handler(request.method, path, query, headers, request.body or b"")
        return Answer(status, {name.lower(): value for name, value in answered}, body)

    def at(self, base_url: str) -> InProcessTransport:
        handler = self._others.get(base_url)
        if handler is None:
            raise TargetUnreachable(f"expected one of {', '.join(self._others)}, but got {base_url}")
        return InProcessTransport(handler, self._at_once, base_url=base_url)

    def at_once(self, calls: Sequence[Callable[[], T]], seed: int) -> list[T]:
        return self._at_once(calls, seed=seed)

    def close(self) -> None:
        """Nothing is open."""


def _all_headers(request: OutgoingRequest, further: Mapping[str, Secret]) -> dict[str, str]:
    """What is sent; the only place where secrets are read. A request's own headers come before others."""
    own = request.credentials.headers if request.credentials is not None else {}
    secrets = {name: value.reveal() for name, value in {**further, **own}.items()}
    return {"accept": "application/json", **secrets, **request.headers}
