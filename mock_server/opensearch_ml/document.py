"""Request bodies: JSON or YAML text, decoded once; the place of a value is found when an error needs it."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

from mock_server.opensearch_ml.errors import SOURCE, ApiError, json_error

Step = str | int

MAX_DEPTH = 100

_SPACE = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*(?P<closed>")?|[{}\[\],:]|[^\s"{}\[\],:]+', re.DOTALL)
_SCANNER = json.JSONDecoder(strict=False)
_VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"


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


@dataclass(frozen=True)
class Document:
    """A body as text and as value; an empty body has the value None and `empty` set.

    A body that can't be read and that is not to be looked at yet has its `fault` instead.
    """

    text: str
    value: Any
    empty: bool = False
    yaml: bool = False
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

    @cached_property
    def is_object(self) -> bool:
        """Whether the body is one JSON object."""
        return isinstance(self.value, dict)


EMPTY = Document("", None, empty=True)


def read_json(body: bytes) -> Document:
    """Decode a JSON body; blank bodies are empty.

    Raises ApiError 400, in the words of OpenSearch's parser, for anything that is not one whole JSON value.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        reason = f"Invalid UTF-8 start byte 0x{body[error.start]:x}"
        raise json_error("json_parse_exception", reason, 1, error.start + 1) from None
    if not text.strip(" \t\r\n"):
        return EMPTY
    _refuse_deep(text)
    try:
        # OpenSearch reads no further than the end of the first value.
        return Document(text, _DECODER.raw_decode(text, _skip(text, 0))[0])
    except json.JSONDecodeError as error:
        raise _syntax_error(text, error) from None
    except KeyError as error:
        place = line_and_column(text, _after_duplicate(text))
        raise json_error("json_parse_exception", f"Duplicate field '{error.args[0]}'", *place) from None
    except (OverflowError, ValueError):
        raise json_error(
            "input_coercion_exception", "A number is out of the range of any type", 1, 1
        ) from None


def _refuse_deep(text: str) -> None:
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return
    depth = 0
    for bracket in re.findall(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', text):
        depth += (bracket in "{[") - (bracket in "}]")
        if depth > MAX_DEPTH:
            raise too_deep()


def too_deep() -> ApiError:
    reason = f"The body is nested deeper than {MAX_DEPTH} levels"
    return ApiError(400, "x_content_parse_exception", reason)


def _syntax_error(text: str, error: json.JSONDecodeError) -> ApiError:
    """What Jackson, the parser inside OpenSearch, says of the same text."""
    if error.msg.startswith("Invalid control character"):
        reason = _unexpected(text, error.pos, error.msg)
        return json_error("json_parse_exception", reason, *line_and_column(text, error.pos))
    rest = text[error.pos :].lstrip(" \t\r\n")
    if not rest or error.msg.startswith("Unterminated string"):
        return _end_of_input(text)
    start = len(text) - len(rest)
    word = _WORD.match(rest)
    if word and error.msg == "Expecting value":
        reason = f"Unrecognized token '{word[0]}': was expecting {_VALUES}"
        return json_error("json_parse_exception", reason, *line_and_column(text, start + word.end()))
    return json_error(
        "json_parse_exception", _unexpected(text, start, error.msg), *line_and_column(text, start)
    )


def _after_duplicate(text: str) -> int:
    """The offset after the first member's name that its object already has."""
    names: list[set[str]] = []
    previous, end = "", 0
    for token in _TOKEN.finditer(text):
        if token[0] in "{[":
            names.append(set())
        elif token[0] in "}]":
            names.pop()
        elif token[0] == ":":
            if previous in names[-1]:
                return end
            names[-1].add(previous)
        previous, end = token[0], token.end()
    return 0


def _unexpected(text: str, start: int, message: str) -> str:
    character = text[start]
    openers, _ = _open_at(text, start)
    kind = _kind(text, openers)
    if message.startswith("Expecting ',' delimiter") and character in "}]":
        place = started_at(text, openers[-1])
        closer = "}" if kind == "Object" else "]"
        return f"Unexpected close marker '{character}': expected '{closer}' (for {kind} starting at {place})"
    if message.startswith("Invalid control character"):
        return (
            f"Illegal unquoted character ({_described(character)}): has to be escaped using backslash to be "
            "included in string value"
        )
    if message.startswith("Invalid \\"):
        return f"Unrecognized character escape {_described(text[min(start + 1, len(text) - 1)])}"
    expected = {
        "Expecting property name": "was expecting double-quote to start field name",
        "Expecting ':' delimiter": "was expecting a colon to separate field name and value",
        "Expecting ',' delimiter": f"was expecting comma to separate {kind} entries",
    }
    told = next((words for begin, words in expected.items() if message.startswith(begin)), None)
    if told is None:
        told = "expected a value" if character in "},]" else f"expected a valid value {_VALUES}"
    return f"Unexpected character ({_described(character)}): {told}"


def _described(character: str) -> str:
    code = ord(character)
    if code < 32:
        return f"(CTRL-CHAR, code {code})"
    return f"'{character}' (code {code} / 0x{code:x})" if code > 255 else f"'{character}' (code {code})"


def _kind(text: str, openers: list[int]) -> str:
    if not openers:
        return "root"
    return "Object" if text[openers[-1]] == "{" else "Array"


def started_at(text: str, offset: int) -> str:
    """Where an object or array began, as Jackson names it inside a message."""
    line, column = line_and_column(text, offset)
    return f"[{SOURCE[1:]}; line: {line}, column: {column}]"


def _open_at(text: str, end: int) -> tuple[list[int], str]:
    """The brackets open at an offset, and the kind of the last token before it.

    The kind is `string` inside an unfinished string, `name` in or after a member's name, `between` after a
    comma or colon, else `value`.
    """
    openers: list[int] = []
    last, expects_name = "value", False
    for token in _TOKEN.finditer(text, 0, end):
        mark = token[0][0]
        if mark in "{[":
            openers.append(token.start())
            last, expects_name = "value", mark == "{"
        elif mark in "}]":
            del openers[-1:]
            last, expects_name = "value", False
        elif mark in ",:":
            in_object = bool(openers) and text[openers[-1]] == "{"
            last, expects_name = "between", mark == "," and in_object
        elif mark == '"':
            finished = len(token[0]) > 1 and token["closed"] is not None
            last = ("name" if finished else "unfinished name") if expects_name else "string"
            last = "value" if last == "string" and finished else last
            expects_name = False
        else:
            last, expects_name = "value", False
    return openers, last


def _end_of_input(text: str) -> ApiError:
    openers, last = _open_at(text, len(text))
    kind = _kind(text, openers)
    problem = {
        "string": ": was expecting closing quote for a string value",
        "unfinished name": " in field name",
        "name": f" within/between {kind} entries",
        "between": f" within/between {kind} entries",
    }.get(last)
    if problem is None and openers:
        problem = f": expected close marker for {kind} (start marker at {started_at(text, openers[-1])})"
    reason = f"Unexpected end-of-input{problem or ' within a value'}"
    return json_error("json_e_o_f_exception", reason, *line_and_column(text, len(text)))


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Where an offset into the text stands; both count from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def locate(text: str, path: tuple[Step, ...]) -> int:
    """The offset at which the value at `path` begins in a text that is known to be JSON and to hold it."""
    here = _skip(text, 0)
    for step in path:
        here = _skip(text, here + 1)
        index = 0
        while True:
            key: Step = index
            if isinstance(step, str):
                key, here = _SCANNER.raw_decode(text, here)
                here = _skip(text, _skip(text, here) + 1)
            if key == step:
                break
            _, here = _SCANNER.raw_decode(text, here)
            here = _skip(text, _skip(text, here) + 1)
            index += 1
    return here


def _skip(text: str, offset: int) -> int:
    space = _SPACE.match(text, offset)
    return space.end() if space else offset
