"""What every answer owes on the wire: RFC 9110 and RFC 8259."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from mlconform.conformance.suites.expect import KEPT_APART
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.watch.observation import Held, Observation, held

JSON_TYPE = "application/json"


@lru_cache
def _rules(prefix: str) -> tuple[str, str]:
    return f"{prefix}.wire.json", f"{prefix}.wire.content-type"


def observe(prefix: str, exchange: Exchange, refused: Exchange | None) -> Iterator[Observation | Held]:
    """Whole, of the declared length and type, and one JSON document where that type is JSON.

    `refused` is the last write before it that was refused, whose refusal may stand in this answer.
    """
    json_rule, type_rule = _rules(prefix)
    if exchange.answer is None:
        yield Observation(json_rule, False, "an answer that is whole", exchange.problem or "nothing")
        return
    headers, body = exchange.answer.headers, exchange.answer.body
    length = headers.get("content-length")
    if length is not None and "content-encoding" not in headers and exchange.request.method != "HEAD":
        if length == str(len(body)):
            yield held(json_rule)
        else:
            told = f"content-length {length} with {len(body)} bytes"
            yield Observation(json_rule, False, "a body of the declared length", told)
    if not body:
        return
    declared = media_type(exchange)
    if not declared:
        told = f"none with {exchange.text[:100]!r}"
        yield Observation(type_rule, False, "a content-type with a body", told)
    if is_json(declared):
        problem = exchange.json_problem
        if problem is not None:
            yield _unreadable(json_rule, exchange, problem, refused)
    elif _is_object(body):
        told = f"{declared} with {exchange.text[:100]!r}"
        yield Observation(type_rule, False, f"content-type {JSON_TYPE} with a body of JSON", told)
    yield held(json_rule, type_rule) if is_json(declared) else held(type_rule)


def _unreadable(rule: str, exchange: Exchange, problem: str, refused: Exchange | None) -> Observation:
    told = f"{problem}: {exchange.text[:200]!r}"
    if refused is None or not exchange.has_text_of_a_refusal:
        return Observation(rule, False, "a body that is JSON to its end", told)
    request = exchange.request
    told = f"{request.method} {request.path}: {exchange.status}, {told}"
    return Observation(rule, False, KEPT_APART, told, by=refused)


def media_type(exchange: Exchange) -> str:
    """The declared type without its parameters, in small letters."""
    return _without_parameters(exchange.content_type)


@lru_cache
def _without_parameters(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def is_json(declared: str) -> bool:
    """Whether a media type is that of JSON (RFC 6839, section 3.1)."""
    return declared == JSON_TYPE or declared.endswith("+json")


def _is_object(body: bytes) -> bool:
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict)
