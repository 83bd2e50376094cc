"""From request to answer, with no I/O: what every adapter of the mock calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. Header names are lower case; `path` is percent-encoded, without the query."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer, whole."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
