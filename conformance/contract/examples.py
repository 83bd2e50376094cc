"""Code blocks of a page: the request line, the headers and the body that they show."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

REQUEST_LINE = re.compile(r"^\s*(GET|PUT|POST|PATCH|DELETE|HEAD)\s+(\S+)\s*$")
_HEADER_LINE = re.compile(r"^\s*Headers?:")
_FENCE = re.compile(r"^\s*(?:>\s*)?(?:`{3,}|~{3,})")
_STRING_OR_NOISE = re.compile(
    r'"""(?P<block>.*?)"""'
    r'|(?P<string>"(?:[^"\\\n]|\\.)*")'
    r"|(?P<comment>//[^\n]*|\#[^\n]*|/\*.*?\*/)"
    r"|(?P<gap>\.\.\.)",
    re.DOTALL,
)
_DANGLING_COMMA = re.compile(r",(?=\s*[}\]])|(?<=[{\[])\s*,")


class Block(StrEnum):
    """What a code block is, by its content and by the heading it stands under."""

    ENDPOINT = "endpoint"
    SETTINGS = "settings"
    REQUEST = "example-request"
    RESPONSE = "example-response"
    ERROR = "error-body"
    OTHER = "code"


@dataclass(frozen=True, slots=True)
class Example:
    """One request or answer as a page shows it. `problem` says why the body can't be read as JSON."""

    method: str | None
    path: str | None
    body: Any
    has_body: bool
    problem: str | None = None


def read_example(block: str) -> Example:
    """The example in `block`, fence lines included or not. Never raises: see `Example.problem`."""
    lines = [line for line in block.split("\n") if not _FENCE.match(line)]
    while lines and not lines[0].strip():
        lines.pop(0)
    request = REQUEST_LINE.match(lines[0]) if lines else None
    if request:
        lines.pop(0)
    lines = [line for line in lines if not _HEADER_LINE.match(line)]
    text = "\n".join(lines).strip()
    method, path = request.groups() if request else (None, None)
    if not text:
        return Example(method, path, None, has_body=False)
    try:
        return Example(method, path, read_json(text), has_body=True)
    except ValueError as error:
        return Example(method, path, None, has_body=True, problem=str(error))


def read_json(text: str) -> Any:
    """JSON as documentation writes it: comments, `...` for what was left out, triple-quoted strings.

    Raises ValueError where even so it is not JSON.
    """
    try:
        return json.loads(text)
    except ValueError:
        return json.loads(_DANGLING_COMMA.sub("", _STRING_OR_NOISE.sub(_plain, text)))


def _plain(match: re.Match[str]) -> str:
    if match["string"] is not None:
        return match["string"]
    if match["block"] is not None:
        return json.dumps(match["block"])
    return ""


def request_lines(block: str) -> list[int]:
    """Line numbers inside `block`, from 0, that are request lines."""
    return [number for number, line in enumerate(block.split("\n")) if REQUEST_LINE.match(line)]


def classify(block: str, heading: str) -> Block:
    """What the block is; `heading` is the nearest heading above it."""
    example = read_example(block)
    title = heading.lower()
    if _only_request_lines(block) and (_lists_endpoints(title) or len(request_lines(block)) > 1):
        return Block.ENDPOINT
    if example.method:
        settings = example.path is not None and example.path.lstrip("/").startswith("_cluster/settings")
        return Block.SETTINGS if settings and example.method == "PUT" else Block.REQUEST
    if example.problem:
        looks_json = block.split("\n", 1)[0].strip().endswith("json")
        return Block.RESPONSE if looks_json and "response" in title else Block.OTHER
    if status_of(example.body) is not None:
        return Block.ERROR
    return Block.REQUEST if "request" in title and "response" not in title else Block.RESPONSE


def _only_request_lines(block: str) -> bool:
    lines = [line for line in block.split("\n") if line.strip() and not _FENCE.match(line)]
    return bool(lines) and all(REQUEST_LINE.match(line) for line in lines)


def _lists_endpoints(title: str) -> bool:
    return "endpoint" in title or "http method" in title


def status_of(body: Any) -> int | None:
    """The HTTP status that an error body names, None where the body is no error."""
    if not isinstance(body, dict) or "error" not in body:
        return None
    status = body.get("status", 0)
    return status if isinstance(status, int) else 0
