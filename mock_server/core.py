"""From request to answer, with no I/O: what every adapter of the mock calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from msgspec import Struct, field

JSON_UTF8 = "application/json; charset=UTF-8"


class Connection(Struct):
    """What a server remembers of a connection that is kept alive, from one request to the next."""

    owes_refusal: bool = False


class Request(Struct, frozen=True):
    """One HTTP request. Header names are lower case; `path` is percent-encoded, without the query.

    Requests that come over one `connection` name it; each of the others is alone on its own. `node` counts
    the nodes of a cluster: it is the one that the request came to.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    connection: Connection | None = None
    node: int = 1


class WireFault(Struct, frozen=True):
    """What a server does to an answer on purpose: `delay` in seconds, then at most one way to break it."""

    delay: float = 0.0
    reset: bool = False
    truncated: bool = False


class Stream(Struct, frozen=True):
    """The parts in which a server sends a body, `every` so many seconds one."""

    parts: tuple[bytes, ...]
    every: float = 0.0


class Response(Struct, frozen=True):
    """One HTTP answer, whole; a server does what `fault` and `stream` say, callers in this process may."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    fault: WireFault | None = None
    stream: Stream | None = None


class Handler(Protocol):
    """What a server asks for its answers."""

    def handle(self, request: Request) -> Response:
        """Answer one request; safe to call from several threads. Never raises for anything a client sends."""


@runtime_checkable
class HasNodes(Protocol):
    """A model API whose servers come and go one by one."""

    def running(self) -> tuple[int, ...]:
        """The numbers of the nodes that are there."""

    def stop_node(self, number: int) -> None:
        """Let a node leave the cluster, as one that is stopped. Raises ValueError where it can't be."""

    def start_node(self, number: int) -> None:
        """Let it come back with an empty memory. Raises ValueError where it is there."""


class Profile(Protocol):
    """One model API that the mock can speak."""

    def owns(self, path: str) -> bool:
        """Whether requests for this path are this API's to answer."""

    def handle(self, request: Request) -> Response:
        """Answer one request. Never raises for anything a client can send."""

    def not_mocked(self) -> list[dict[str, Any]]:
        """What servers of this API do and the mock does not: paths, the reason, and what there is instead."""

    def reset(self) -> None:
        """Forget everything clients made and put every setting back to its default."""

    def restart(self) -> None:
        """Behave as after a restart of the servers behind the API."""

    def remember(self) -> None:
        """Keep the state as it is now, for `handle_before`; what was kept before is dropped."""

    def handle_before(self, request: Request) -> Response:
        """Answer a request that reads from the state that was kept last, or from the present one."""

    def dump(self) -> Mapping[str, Any]:
        """The whole state as JSON values; secrets are left out."""

    def load(self, state: Mapping[str, Any]) -> None:
        """Put a dumped state in the place of the present one. Raises ValueError for what is none."""


_COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_PRETTY = json.JSONEncoder(ensure_ascii=False, allow_nan=False, indent=2, separators=(",", " : "))


def encode_json(value: Any, *, pretty: bool = False) -> bytes:
    """JSON in UTF-8. A lone surrogate, which UTF-8 can't carry, becomes a question mark."""
    text = _PRETTY.encode(value) + "\n" if pretty else _COMPACT.encode(value)
    return text.encode("utf-8", "replace")


def json_response(
    status: int,
    value: Any,
    *,
    content_type: str = JSON_UTF8,
    headers: tuple[tuple[str, str], ...] = (),
) -> Response:
    """An answer whose body is one JSON value."""
    return Response(status, (("content-type", content_type), *headers), encode_json(value))
