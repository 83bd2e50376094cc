"""The journal of a mock: which requests came and how they were answered, to be looked into by tests."""

from __future__ import annotations

import fnmatch
import json
from collections import deque
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from mlconform.mock_server.core import Request

CAPACITY = 10_000
_LONGEST_BODY = 100_000


class Entry(Struct, frozen=True):
    """One request and the status of its answer; `at` is in epoch seconds of the mock's clock."""

    at: float
    request: Request
    status: int

    @property
    def body(self) -> Any:
        """As `body_of` tells it."""
        return body_of(self.request)

    def matches(self, method: str | None, path: str | None, body: Any) -> bool:
        """Whether method, pattern of the path, and members of the body are those asked for."""
        return (
            method in (None, self.request.method)
            and (path is None or fnmatch.fnmatchcase(self.request.path, path))
            and (body is None or holds(self.body, body))
        )


class Journal:
    """The last requests, the newest last; those to the mock's own operations are not in it."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=CAPACITY)

    def write(self, entry: Entry) -> None:
        """Add one request; the body of a very long one is left out."""
        request = entry.request
        if len(request.body) > _LONGEST_BODY:
            request = Request(request.method, request.path, request.query, request.headers)
            entry = Entry(entry.at, request, entry.status)
        self._entries.append(entry)

    def clear(self) -> None:
        """Forget every request."""
        self._entries.clear()

    def find(self, method: str | None = None, path: str | None = None, body: Any = None) -> Iterator[Entry]:
        """The requests with this method, a path of this pattern, and a body that has these members."""
        return (entry for entry in self._entries if entry.matches(method, path, body))


def body_of(request: Request) -> Any:
    """The body as a JSON value, as text where it is none, or None where there is none."""
    if not request.body:
        return None
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError):
        return request.body.decode("utf-8", "replace")


def holds(value: Any, wanted: Any) -> bool:
    """Whether a JSON value has everything that is wanted of it; objects may have more members."""
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(
            name in value and holds(value[name], member) for name, member in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(value, list) and len(value) == len(wanted) and all(map(holds, value, wanted))
    return type(value) is type(wanted) and bool(value == wanted)
