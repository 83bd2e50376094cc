"""Files that the mock is told to fetch: from this machine and private networks, never from the internet.

Whoever registers a model by a URL of the internet gets a made-up file; one that serves the file itself gets
what a node would make of it.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from typing import Protocol
from urllib.parse import urlsplit

from msgspec import Struct

# No server may take longer than this in all.
_LONGEST_SECONDS = 120.0


class Fetched(Struct, frozen=True):
    """A file, or what went wrong in a node's words."""

    content: bytes = b""
    error: str | None = None


class Download(Protocol):
    """A file on its way."""

    def arrived(self, elapsed: float) -> Fetched | None:
        """The file, or None where it takes longer than so many seconds since it was asked for."""


class Downloads(Protocol):
    """Where files come from."""

    def begin(self, url: str) -> Download | None:
        """Begin to fetch a file; None for an address that is not asked."""


class LocalDownloads:
    """Files of this machine and of private networks, each fetched by a thread of its own."""

    def begin(self, url: str) -> Download | None:
        """Begin to fetch a file; None for an address of the internet, or one that is none."""
        return _Running(url) if is_near(url) else None


class _Running:
    def __init__(self, url: str) -> None:
        self._fetched: Fetched | None = None
        self._begun = time.monotonic()
        self._thread = threading.Thread(target=self._fetch, args=(url,), daemon=True)
        self._thread.start()

    def _fetch(self, url: str) -> None:
        from mlconform.mock_server.fetching import fetch  # noqa: PLC0415 - a fast start

        self._fetched = fetch(url)

    def arrived(self, elapsed: float) -> Fetched | None:
        """What of these seconds has not really passed, because a clock was moved, is waited now."""
        ahead = self._begun + elapsed - time.monotonic()
        if ahead > 0:
            self._thread.join(min(ahead, _LONGEST_SECONDS))
        return self._fetched

    def __deepcopy__(self, _memo: object) -> _Running:
        """A cluster that is copied waits for the same file."""
        return self


def is_near(url: str) -> bool:
    """Whether an address is of this machine or of a private network: by its number, or by a name that the
    internet does not know."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and (_is_private(host) or _is_local(host))


def _is_private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False


def _is_local(host: str) -> bool:
    return bool(host) and ("." not in host or host.endswith((".localhost", ".internal", ".local")))
