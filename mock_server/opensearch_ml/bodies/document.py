"""Request bodies: JSON or YAML text, decoded once; the place of a value is found when an error needs it."""

from __future__ import annotations

import json
import math
import re
from codecs import BOM_UTF8
from functools import cached_property
from typing import Any, NoReturn

from msgspec import Struct

from mlconform.mock_server.opensearch_ml.bodies.json_faults import fault_of
from mlconform.mock_server.opensearch_ml.errors import ApiError, json_error

Step = str | int

MAX_DEPTH = 100

_SPACE = re.compile(r"[ \t\r\n]*")
_SCANNER = json.JSONDecoder(strict=False)


def _finite(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise OverflowError(literal)
    return number


def _no_constant(literal: str) -> NoReturn:
    raise OverflowError(literal)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        raise KeyError(next(name for name in names if names.count(name) > 1))
    return members


_DECODER = json.JSONDecoder(object_pairs_hook=_members, parse_float=_finite, parse_constant=_no_constant)


class Document(Struct, frozen=True, dict=True):
    """A body as text and as value.

    An empty body has the value None and `empty` set; it is `missing` when there is not even a blank. A body
    that can't be read and that is not to be looked at yet has its `fault` instead.
    """

    text: str
    value: Any
    empty: bool = False
    yaml: bool = False
    missing: bool = False
    fault: ApiError | None = None

    def place(self, path: tuple[Step, ...]) -> tuple[int, int]:
        """Line and column, from 1, of the value at `path`."""
        return (1, 1) if self.yaml else line_and_column(self.text, locate(self.text, path))

    def raw(self, path: tuple[Step, ...]) -> str:
        """The scalar at `path` as it is written in a JSON body."""
        start = locate(self.text, path)
        return self.text[start : _SCANNER.raw_decode(self.text, start)[1]]

    def place_behind(self, path: tuple[Step, ...]) -> tuple[int, int]:
        """Line and column, from 1, behind the token with which the value at `path` begins."""
        if self.yaml:
            return 1, 1
        start = locate(self.text, path)
        opens = self.text[start] in "{["
        return line_and_column(self.text, start + 1 if opens else _SCANNER.raw_decode(self.text, start)[1])

    def place_of_name(self, path: tuple[Step, ...]) -> tuple[int, int]:
        """Line and column of the name of the member at `path`."""
        return (1, 1) if self.yaml else line_and_column(self.text, locate(self.text, path, name=True))

    def place_of_end(self, path: tuple[Step, ...]) -> tuple[int, int]:
        """Line and column of the last character of the value at `path`."""
        if self.yaml:
            return 1, 1
        _, end = _SCANNER.raw_decode(self.text, locate(self.text, path))
        return line_and_column(self.text, end - 1)

    @cached_property
    def is_object(self) -> bool:
        """Whether the body is one JSON object."""
        return isinstance(self.value, dict)


EMPTY = Document("", None, empty=True, missing=True)
_BLANK = Document("", None, empty=True)


def read_json(body: bytes) -> Document:
    """Decode a JSON body; blank bodies are empty.

    Raises ApiError 400, in the words of OpenSearch's parser, for anything that does not begin with one whole
    JSON value; OpenSearch reads no further.
    """
    body = body.removeprefix(BOM_UTF8)
    if not body.strip(b" \t\r\n"):
        return _BLANK
    try:
        text = body.decode("utf-8")
        if is_too_deep(text):
            raise too_deep()
        return Document(text, _DECODER.raw_decode(text, _skip(text, 0))[0])
    except (ValueError, KeyError, OverflowError):
        reason = "A number is out of the range of any type"
        raise fault_of(body) or json_error("input_coercion_exception", reason, 1, 1) from None


def is_too_deep(text: str) -> bool:
    """Whether a JSON text is nested deeper than anything here may be."""
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in re.findall(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', text):
        depth += (bracket in "{[") - (bracket in "}]")
        if depth > MAX_DEPTH:
            return True
    return False


def too_deep() -> ApiError:
    """The refusal of a body that is."""
    reason = f"The body is nested deeper than {MAX_DEPTH} levels"
    return ApiError(400, "x_content_parse_exception", reason)


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Where an offset into the text stands; both count from 1, and columns count bytes."""
    begin = text.rfind("\n", 0, offset) + 1
    return text.count("\n", 0, offset) + 1, len(text[begin:offset].encode()) + 1


def locate(text: str, path: tuple[Step, ...], *, name: bool = False) -> int:
    """The offset at which the value at `path` begins, or its name, in JSON that is known to hold it."""
    here = begin = _skip(text, 0)
    for step in path:
        here = _skip(text, here + 1)
        index = 0
        while True:
            key: Step = index
            begin = here
            if isinstance(step, str):
                key, here = _SCANNER.raw_decode(text, here)
                here = _skip(text, _skip(text, here) + 1)
            if key == step:
                break
            _, here = _SCANNER.raw_decode(text, here)
            here = _skip(text, _skip(text, here) + 1)
            index += 1
    return begin if name else here


def _skip(text: str, offset: int) -> int:
    space = _SPACE.match(text, offset)
    return space.end() if space else offset
