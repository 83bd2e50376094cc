"""Guardrails: what may not go into a model or come out of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from mock_server.opensearch_ml import json_path
from mock_server.opensearch_ml.errors import illegal_argument
from mock_server.opensearch_ml.fields import Fields
from mock_server.opensearch_ml.java_json import gson_text
from mock_server.opensearch_ml.store import JsonObject

TYPES = ("local_regex", "model")
Documents = Iterable[tuple[str, JsonObject]]
SIDES = ("input_guardrail", "output_guardrail")
_LOCAL = ("stop_words", "regex")
_BY_MODEL = ("model_id", "response_filter", "response_validation_regex")


def read_guardrails(fields: Fields, current: JsonObject | None) -> JsonObject:
    """The guardrails after what was sent: a side that is not named stays, unless the type changes.

    A side that is no object, or an empty one, is none. Raises ApiError 400 for a type that is missing or
    unknown. Patterns are not looked at before they are used.
    """
    kind = fields.text("type")
    if kind not in TYPES:
        raise illegal_argument("The type of guardrails is required, can not be null.")
    sides: JsonObject = {}
    if current is not None and current["type"] == kind:
        sides = {side: current[side] for side in SIDES if side in current}
    for side in SIDES:
        sent = fields.get(side)
        if isinstance(sent, dict) and sent:
            members = _LOCAL if kind == "local_regex" else _BY_MODEL
            sides[side] = {name: sent[name] for name in members if sent.get(name) not in (None, [])}
    return {"type": kind, **{side: sides[side] for side in SIDES if side in sides}}


def triggered(
    guardrails: JsonObject | None, side: str, text: str, model_answer: str, indices: Mapping[str, Documents]
) -> bool:
    """Whether a guardrail stops this text: a stop word in it, a pattern that matches all of it, or a model.

    A guard model answers with the answer set for the remote endpoint, read through its response filter; where
    its pattern does not accept all of that, the text is stopped, and where the filter finds nothing, it is
    not. Stop words are looked up in `indices`; without their index none is found.
    """
    guardrail = (guardrails or {}).get(side)
    if guardrails is None or guardrail is None:
        return False
    if guardrails["type"] == "local_regex":
        patterns = _texts(guardrail.get("regex"))
        return _has_stop_word(guardrail, text, indices) or any(_matches(one, text) for one in patterns)
    pattern = guardrail.get("response_validation_regex")
    answered = _filtered(model_answer, guardrail.get("response_filter"))
    return isinstance(pattern, str) and answered is not None and not _matches(pattern, answered)


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _matches(pattern: str, text: str) -> bool:
    """Whether a pattern matches all of a text; one that can't be compiled matches nothing."""
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error:
        return False


def _filtered(answer: str, response_filter: Any) -> str | None:
    if not isinstance(response_filter, str) or not response_filter:
        return answer
    try:
        return gson_text(json_path.read(json.loads(answer), response_filter))
    except (ValueError, json_path.PathNotFoundError):
        return None


def _has_stop_word(guardrail: JsonObject, text: str, indices: Mapping[str, Documents]) -> bool:
    sent = guardrail.get("stop_words")
    for stop_words in sent if isinstance(sent, list) else ():
        wanted = stop_words if isinstance(stop_words, dict) else {}
        fields = wanted.get("source_fields")
        names = [str(name) for name in fields] if isinstance(fields, list) else []
        for _, document in indices.get(str(wanted.get("index_name")), ()):
            if any(_says(text, words) for words in _stop_words(document, names)):
                return True
    return False


def _stop_words(document: JsonObject, fields: list[str]) -> list[str]:
    """The words of one document: those that its stored query looks for, or those in the fields themselves."""
    query = document.get("query")
    if not isinstance(query, dict):
        return [word for name in fields if isinstance(word := document.get(name), str)]
    words = []
    for kind, body in query.items():
        members = body if isinstance(body, dict) else {}
        if kind == "query_string":
            terms = re.split(r"\s+OR\s+", str(members.get("query", "")))
            words += [words for name, _, words in (term.partition(":") for term in terms) if name in fields]
        elif kind in ("match", "match_phrase", "term"):
            values = [members[name] for name in fields if name in members]
            words += [
                str(one.get("query", one.get("value"))) if isinstance(one, dict) else str(one)
                for one in values
            ]
    return words


def _says(text: str, phrase: str) -> bool:
    said, wanted = (" ".join(re.findall(r"\w+", words.lower())) for words in (text, phrase))
    return bool(wanted) and f" {wanted} " in f" {said} "
