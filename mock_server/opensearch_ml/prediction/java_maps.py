"""The order in which a Java HashMap goes through its keys, where an answer shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def in_map_order(keys: Iterable[str]) -> list[str]:
    """Keys in the order in which a Java HashMap goes through them."""
    names = list(keys)
    size = 16
    while len(names) > size * 3 // 4:
        size *= 2
    return sorted(names, key=lambda name: _spread(_hash(name)) & (size - 1))


def map_ordered(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The same members, in the order of a Java HashMap."""
    return {key: mapping[key] for key in in_map_order(mapping)}


def _hash(text: str) -> int:
    units = text.encode("utf-16-be", "surrogatepass")
    code = 0
    for index in range(0, len(units), 2):
        code = (31 * code + (units[index] << 8 | units[index + 1])) & 0xFFFFFFFF
    return code


def _spread(code: int) -> int:
    return code ^ (code >> 16)
