"""JSON as the Java libraries of a node read and write it, where that shows in an answer."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

_HTML = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "=": "\\u003d", "'": "\\u0027"}
_LOOSE = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s{}\[\],:"'\\/;=#]+""", re.DOTALL)
_ESCAPES = {character: json.dumps(character)[1:-1] for character in '"\\\b\f\n\r\t'} | {"/": "\\/"}


def parameter_text(value: Any) -> str:
    """A parameter of any kind as the text that a node keeps of it; a string is kept as it is."""
    return value if isinstance(value, str) else gson_text(value)


def gson_text(value: Any) -> str:
    """JSON as Gson writes it: compact, with what HTML needs escaped, without members that are null."""
    if isinstance(value, dict):
        members = [(key, value[key]) for key in in_map_order(value) if value[key] is not None]
        return "{" + ",".join(f"{gson_text(key)}:{gson_text(member)}" for key, member in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(gson_text(item) for item in value) + "]"
    if isinstance(value, str):
        return "".join(_HTML.get(character, character) for character in json.dumps(value, ensure_ascii=False))
    return _double(value) if isinstance(value, float) else json.dumps(value)


def _double(number: float) -> str:
    """A double as Java writes it: with an exponent below a thousandth and from ten millions on."""
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return repr(number)
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    first, rest = digits[0], "".join(map(str, digits[1:])) or "0"
    return f"{'-' if sign else ''}{first}.{rest}E{int(exponent) + len(digits) - 1}"


def as_gson_reads(value: Any) -> Any:
    """A JSON value after Gson has read it: every number is a double."""
    if isinstance(value, dict):
        return {key: as_gson_reads(member) for key, member in value.items()}
    if isinstance(value, list):
        return [as_gson_reads(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) < 1 << 1023 else math.copysign(math.inf, value)
    return value


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


def is_json(text: str) -> bool:
    """Whether a node takes a text for a JSON object or array; words without quotes are good enough for it."""
    try:
        value = json.loads(_LOOSE.sub(_quoted, text))
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict | list)


def _quoted(match: re.Match[str]) -> str:
    word = match[0]
    if word.startswith('"'):
        return word
    return json.dumps(word[1:-1] if word.startswith("'") else word)


def escaped(text: str) -> str:
    """A text as it stands inside a JSON string, escaped as Apache's commons do: slashes and non-ASCII too."""
    return "".join(_ESCAPES.get(character) or _as_ascii(character) for character in text)


def _as_ascii(character: str) -> str:
    if " " <= character <= "\x7f":
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[index : index + 2].hex().upper()}" for index in range(0, len(units), 2))
