"""Values as the text in which the node keeps them: written by a library that is careful with HTML."""

from __future__ import annotations

import json
from typing import Any

_ESCAPED = {ord(character): f"\\u{ord(character):04x}" for character in "<>&='\u2028\u2029"}


def to_text(value: Any) -> str:
    """Compact JSON without the members that are null; what could be HTML is escaped."""
    text = json.dumps(_without_nulls(value), separators=(",", ":"), ensure_ascii=False)
    return text.translate(_ESCAPED)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(member) for name, member in value.items() if member is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
