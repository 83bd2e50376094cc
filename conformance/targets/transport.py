"""How bytes reach a target: over HTTP, or straight into a mock in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

import urllib3
from urllib3 import exceptions

from conformance.outcomes import TargetUnreachable
from conformance.targets.exchange import Answer, OutgoingRequest

T = TypeVar("T")


class AnswerCutOff(Exception):  # noqa: N818
    """The connection worked, but the answer was not whole or could not be decoded."""


class Transport(Protocol):
    """Sends one request and returns its whole answer.

    Raises `AnswerCutOff` for an answer that began or was due and is not whole, `TargetUnreachable`
    when nothing accepts the connection.
    """

    @property
    def base_url(self) -> str: ...

    def send(self, request: OutgoingRequest) -> Answer: ...

    def at_once(self, calls: Sequence[Callable[[], T]], seed: int) -> list[T]:
        """Run calls that send requests at the same moment; gives what they return.

        Over HTTP chance decides how the requests interleave, in process the seed does.
        """

    def close(self) -> None: ...


class HttpTransport:
    """urllib3 with small pools; no retries, because a second request would be a second fact.

    Requests with the same credentials share connections, and no others do: what somebody's request does to
    a connection is found out by nobody else. `timeout` is seconds to connect and to wait for each read.
    """

    def __init__(self, base_url: str, *, timeout: float = 30.0, verify: bool = True) -> None:
        self._base_url = base_url.rstrip("/")
        if not verify:
            urllib3.disable_warnings(exceptions.InsecureRequestWarning)
        self._timeout = urllib3.Timeout(connect=min(timeout, 10.0), read=timeout)
        self._certificates = "CERT_REQUIRED" if verify else "CERT_NONE"
        self._pools: dict[str | None, urllib3.PoolManager] = {}

    @property
    def base_url(self) -> str:
        return self._base_url

    def _pool(self, authorization: str | None) -> urllib3.PoolManager:
        """The connections of those who send these credentials, or none."""
        pool = self._pools.get(authorization)
        if pool is None:
            made = urllib3.PoolManager(
                retries=False, timeout=self._timeout, maxsize=16, cert_reqs=self._certificates
            )
            # Two threads may ask at once: the first one's pool stays.
            pool = self._pools.setdefault(authorization, made)
        return pool

    def send(self, request: OutgoingRequest) -> Answer:
        try:
            response = self._pool(request.headers.get("authorization")).request(
                request.method,
                self._base_url + request.path,
                body=request.body,
                headers={"accept": "application/json", **request.headers},
                redirect=False,
            )
        except (
            exceptions.NewConnectionError,
            exceptions.ConnectTimeoutError,
            exceptions.NameResolutionError,
            exceptions.LocationParseError,
            exceptions.SSLError,
        ) as error:
            raise TargetUnreachable(
                f"expected a server at {self._base_url}, but the connection failed: {error}. "
                "Check the address, the port and that the server runs."
            ) from error
        except exceptions.HTTPError as error:
            raise AnswerCutOff(f"{type(error).__name__}: {error}") from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, headers, response.data)

    def at_once(self, calls: Sequence[Callable[[], T]], seed: int) -> list[T]:
        del seed
        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(lambda call: call(), calls))

    def close(self) -> None:
        for pool in self._pools.values():
            pool.clear()


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
    """The twin of `HttpTransport` that calls a handler instead of a socket."""

    def __init__(
        self, handler: Handler, at_once: AtOnce = in_order, *, base_url: str = "http://mock"
    ) -> None:
        self._handler = handler
        self._at_once = at_once
        self._base_url = base_url

    @property
    def base_url(self) -> str:
        return self._base_url

    def send(self, request: OutgoingRequest) -> Answer:
        path, _, query = request.path.partition("?")
        headers = {"accept": "application/json", **request.headers}
        status, answered, body = self._handler(request.method, path, query, headers, request.body or b"")
        return Answer(status, {name.lower(): value for name, value in answered}, body)

    def at_once(self, calls: Sequence[Callable[[], T]], seed: int) -> list[T]:
        return self._at_once(calls, seed=seed)

    def close(self) -> None:
        """Nothing is open."""
