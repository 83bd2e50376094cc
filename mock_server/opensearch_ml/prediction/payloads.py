"""What may stand in the body of a call to a remote endpoint: JSON, as a node's libraries see it."""

from __future__ import annotations

import json
import re
from typing import Any

_LOOSE = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s{}\[\],:"'\\/;=#]+""", re.DOTALL)
_ESCAPES = {character: json.dumps(character)[1:-1] for character in '"\\\b\f\n\r\t'} | {"/": "\\/"}


def is_json(text: str) -> bool:
    """Whether a node takes a text for a JSON object or array; words without quotes are good enough for it."""
    try:
        value = json.loads(_LOOSE.sub(_quoted, text), object_pairs_hook=_members)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict | list)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name comes twice")
    return members


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
