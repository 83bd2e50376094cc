"""Versions as dotted numbers, and which documentation is meant for a version."""

from __future__ import annotations

from collections.abc import Iterable


def number(version: str) -> tuple[int, ...]:
    """Without trailing zeros, so that 2.19 and 2.19.0 are the same version."""
    parts = [int(part) for part in version.split(".")]
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def nearest(version: str, known: Iterable[str]) -> str | None:
    """The newest of these that is not newer than the version; None where all are."""
    fitting = [candidate for candidate in known if number(candidate) <= number(version)]
    return max(fitting, key=number, default=None)
