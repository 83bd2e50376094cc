"""Values as the text in which the node keeps them: written by a library that is careful with HTML."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

from mlconform.mock_server.opensearch_ml.bodies.document import is_too_deep
from mlconform.mock_server.opensearch_ml.prediction.java_maps import in_map_order

_ESCAPED = {ord(character): f"\\u{ord(character):04x}" for character in "<>&='\u2028\u2029"}


def to_text(value: Any) -> str:
    """Compact JSON without the members that are null; what could be HTML is escaped."""
    if isinstance(value, dict):
        members = [(name, value[name]) for name in in_map_order(value) if value[name] is not None]
        return "{" + ",".join(f"{to_text(name)}:{to_text(member)}" for name, member in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(to_text(item) for item in value) + "]"
    if isinstance(value, float):
        return _double(value)
    return json.dumps(value, ensure_ascii=False).translate(_ESCAPED)


def kept_text(value: Any) -> str:
    """A parameter of any kind as the text that a node keeps of it; a string is kept as it is."""
    return value if isinstance(value, str) else to_text(value)


def _double(number: float) -> str:
    """A double as Java writes it: with an exponent below a thousandth and from ten millions on."""
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return repr(number)
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    first, rest = digits[0], "".join(map(str, digits[1:])) or "0"
    return f"{'-' if sign else ''}{first}.{rest}E{int(exponent) + len(digits) - 1}"


def read(text: str, *, doubles: bool = False) -> Any:
    """The value of a JSON text; with `doubles` every number in it is one, as the library reads it.

    A number that is none or is too large is its name in Java. Raises ValueError for what is no JSON or is
    nested too deep.
    """
    if is_too_deep(text):
        raise ValueError("nested too deep")
    return json.loads(text, parse_constant=str, parse_float=_finite, parse_int=_finite if doubles else None)


def _finite(literal: str) -> float | str:
    number = float(literal)
    return number if math.isfinite(number) else f"{'-' * (number < 0)}Infinity"
