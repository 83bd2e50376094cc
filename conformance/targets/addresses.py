"""Addresses of machines: which are this one, and how an address is shown."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

_LOOPBACK_NAMES = frozenset({"localhost", "localhost."})


def is_loopback(host: str | None) -> bool:
    """Whether this names the machine itself."""
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return (host or "").lower() in _LOOPBACK_NAMES


def without_credentials(url: str) -> str:
    """The address without what stands before its `@`; what is no address stays as it is."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if parts.hostname else url
