"""The completions operation: reading its body, and an answer in the form of the OpenAI API."""

from __future__ import annotations

import json
from itertools import cycle, islice
from typing import Any

from msgspec import Struct

from mlconform.mock_server.nugen.errors import NugenError, invalid
from mlconform.mock_server.nugen.rules import Rules

Problem = tuple[tuple[str | int, ...], str, str]


class Prompt(Struct, frozen=True):
    """What is to be completed, by which model, with at most so many tokens."""

    model: str
    text: str
    max_tokens: int


def read_prompt(body: bytes, rules: Rules) -> Prompt:
    """Raises NugenError 422 for a body that is no JSON object or lacks a field of the right type."""
    try:
        values = _object(body)
    except NugenError as error:
        error.status = rules.malformed_json_status
        raise
    max_tokens = values.get("max_tokens")
    problems: list[Problem] = [
        *_text_problems(values, "model"),
        *_text_problems(values, "prompt"),
        *_count_problems(max_tokens),
    ]
    if problems:
        raise invalid(*problems)
    most = rules.default_max_tokens if max_tokens is None else max_tokens
    return Prompt(values["model"], values["prompt"], most)


def _object(body: bytes) -> dict[str, Any]:
    if not body.strip():
        raise invalid((("body",), "Field required", "missing"))
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid((("body", getattr(error, "pos", 0)), "JSON decode error", "json_invalid")) from None
    if not isinstance(values, dict):
        raise invalid((("body",), "Input should be a valid dictionary", "dict_type"))
    return values


def _text_problems(values: dict[str, Any], name: str) -> list[Problem]:
    if name not in values:
        return [(("body", name), "Field required", "missing")]
    if not isinstance(values[name], str):
        return [(("body", name), "Input should be a valid string", "string_type")]
    return []


def _count_problems(value: Any) -> list[Problem]:
    location = ("body", "max_tokens")
    if value is None:
        return []
    if isinstance(value, bool) or not isinstance(value, int):
        return [(location, "Input should be a valid integer", "int_type")]
    if not 1 <= value <= 100_000:
        return [(location, "Input should be between 1 and 100000", "value_error")]
    return []


def complete(prompt: Prompt, completion_id: str, created: int) -> dict[str, Any]:
    """A completion that repeats the words of the prompt until `max_tokens` is spent; a word is a token."""
    words = prompt.text.split() or ["..."]
    said = list(islice(cycle(words), prompt.max_tokens))
    return {
        "id": completion_id,
        "object": "text_completion",
        "created": created,
        "model": prompt.model,
        "choices": [{"index": 0, "text": " ".join(said), "logprobs": None, "finish_reason": "length"}],
        "usage": {
            "prompt_tokens": len(prompt.text.split()),
            "completion_tokens": len(said),
            "total_tokens": len(prompt.text.split()) + len(said),
        },
    }
