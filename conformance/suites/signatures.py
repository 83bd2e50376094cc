"""What tells one finding of a requirement apart from another, the same in every run and on every target.

A signature is a line that people read and copy into a waiver: the operation, and what is wrong, with all
that belongs to one run alone taken out: ids, names, numbers, addresses, and what the request itself sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import unquote

from mlconform.conformance.contract.routes import Routes
from mlconform.conformance.targets.credentials import HIDDEN, presentable
from mlconform.conformance.targets.exchange import Exchange

ANY: Final = "*"
_LONGEST = 240
_SHORT = 2
# What a segment looks like that names an operation or a collection.
_WORD = re.compile(r"_[a-z_]+|[a-z]+(?:[-_][a-z]+)*|v\d+")
_OWN_NAME = re.compile(r"mlconform-[\w.-]*\w")
_ADDRESS = re.compile(
    r"(?:https?://)?(?:\[[0-9a-f:]+\]|\d{1,3}(?:\.\d{1,3}){3}|localhost)(?::\d+)?(?:/[\w./-]*)?"
)
# As the server makes them: 20 characters of a document, 22 of a node or task, or a UUID.
_ID = re.compile(
    r"(?<![\w.$-])(?=[\w-]*(?:\d|[a-z][A-Z]|[A-Z][a-z]))(?:[\w-]{20}|[\w-]{22}|[0-9a-f]{8}(?:-[0-9a-f]{4,12}){4})(?![\w.$-])"
)
# As refusals name a user (access#62).
_USER = re.compile(r"User \[name=.*?, requestedTenant=[^\]]*\]")
# Not of a status that was expected: `status 404 or 409`, `a 4xx`.
_NUMBER = re.compile(r"(?<![\w*])(?<!status )(?<! or )-?\d+(?:\.\d+)*(?:[eE][+-]?\d+)?(?!xx)")
# The kind of value that was sent, as a parser and as Java call it: part of the request, not of the fault.
_KIND = re.compile(
    r"\b(?:START_ARRAY|START_OBJECT|VALUE_[A-Z_]+|range of (?:int|long)"
    r"|java\.(?:lang|util|math)\.\w+(?:\[\])?)"
)
# As Java calls what it has no name for.
_LOCAL = re.compile(r"(?<=<local)\d+(?=>)")
_STARS = re.compile(r"\*(?:[-_./:, ]*\*)+")


def of_exchange(exchange: Exchange, expected: str, routes: Routes) -> str:
    """The signature of an answer that is not what was expected: by its error where it tells one."""
    sent = list(_sent(exchange))
    return _cut(f"{operation(exchange, routes)}: {_told(exchange, sent) or _general(expected, sent)}")


def of_deed(exchange: Exchange, expected: str, routes: Routes) -> str:
    """The signature of what a request did, where its own answer is not what is wrong."""
    return _cut(f"{operation(exchange, routes)}: {_general(expected)}")


def of_text(expected: str, came: str) -> str:
    """The signature of a difference that no single exchange tells."""
    return _cut(f"{_general(expected)}; came {_general(came)}")


def operation(exchange: Exchange, routes: Routes) -> str:
    """As `route`, of the request of an exchange."""
    return route(exchange.request.method, exchange.request.path, routes)


def route(method: str, path: str, routes: Routes) -> str:
    """The route of the contract that a request is of; for another, what in its path looks like a word."""
    found = routes.template(method, path)
    if found is not None:
        return found
    segments = [each if _is_word(each) else "{id}" for each in path.partition("?")[0].split("/") if each]
    return f"{method} /{'/'.join(segments)}"


def _is_word(segment: str) -> bool:
    return _WORD.fullmatch(segment) is not None and not segment.startswith("mlconform")


def _told(exchange: Exchange, sent: Iterable[str]) -> str:
    """Status, type and reason of an error answer; empty for one that tells none."""
    if exchange.answer is None:
        return "no whole answer"
    if exchange.answer.status < 400:
        return ""
    kind, reason = _error(exchange.text)
    told = f"{exchange.answer.status} {kind}".rstrip()
    return f"{told}: {_general(reason, sent)}" if reason else told


def _error(text: str) -> tuple[str, str]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        # Where JSON breaks off is not the same every time.
        return "", "a body that is not JSON to its end" if text.lstrip().startswith("{") else text[:80]
    error = body.get("error", body.get("detail")) if isinstance(body, dict) else None
    if isinstance(error, dict):
        return str(error.get("type", "")), str(error.get("reason", ""))
    return "", error if isinstance(error, str) else ""


def _sent(exchange: Exchange) -> Iterator[str]:
    """The texts that the request brought: a server may repeat them."""
    for segment in exchange.request.path.partition("?")[0].split("/"):
        if segment and not _is_word(segment):
            yield unquote(segment)
    try:
        yield from _texts(json.loads(exchange.request.body or b"null"))
    except (ValueError, RecursionError):
        return


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _shown(text: str) -> str:
    return presentable(text).replace(HIDDEN, ANY)


def _general(text: str, sent: Iterable[str] = ()) -> str:
    """The text on one line without what belongs to one run alone, secrets first."""
    text = _shown(text)
    sent = sorted(set(map(_shown, sent)), key=len, reverse=True)
    for each in sent:
        if len(each) > _SHORT:
            text = text.replace(each, ANY)
        elif each.strip() and text.endswith(f" {each}"):
            # Elsewhere what is so short may be there by chance.
            text = text.removesuffix(each) + ANY
    for pattern in (_USER, _OWN_NAME, _KIND, _LOCAL, _ADDRESS, _ID, _NUMBER):
        text = pattern.sub(ANY, text)
    return _STARS.sub(ANY, " ".join(text.split()))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
