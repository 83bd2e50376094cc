"""Guardrails: what may not go into a model or come out of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from mock_server.opensearch_ml.errors import illegal_argument
from mock_server.opensearch_ml.fields import Fields
from mock_server.opensearch_ml.store import JsonObject

TYPES = ("local_regex", "model")
Documents = Iterable[tuple[str, JsonObject]]
SIDES = ("input_guardrail", "output_guardrail")


def read_guardrails(fields: Fields, current: JsonObject | None) -> JsonObject:
    """The guardrails after what was sent: a side that is not named stays, unless the type changes.

    Raises ApiError 400 for a type that is missing or unknown, or for a pattern that can't be compiled.
    """
    kind = fields.text("type")
    if kind not in TYPES:
        raise illegal_argument("The type of guardrails is required, can not be null.")
    sides: JsonObject = {}
    if current is not None and current["type"] == kind:
        sides = {side: current[side] for side in SIDES if side in current}
    for side in SIDES:
        sent = fields.object(side)
        if sent is not None:
            sides[side] = _local(sent) if kind == "local_regex" else _by_model(sent)
    return {"type": kind, **{side: sides[side] for side in SIDES if side in sides}}


def _local(fields: Fields) -> JsonObject:
    shown: JsonObject = {}
    stop_words = fields.items("stop_words")
    if stop_words:
        shown["stop_words"] = stop_words
    patterns = fields.texts("regex")
    if patterns is not None:
        shown["regex"] = [_compiled(pattern) for pattern in patterns]
    return shown


def _by_model(fields: Fields) -> JsonObject:
    shown: JsonObject = dict(fields.values)
    if fields.text("model_id") is None:
        raise illegal_argument("The model_id of a guardrail of type model is required, can not be null.")
    pattern = fields.text("response_validation_regex")
    if pattern is not None:
        shown["response_validation_regex"] = _compiled(pattern)
    return shown


def _compiled(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise illegal_argument(
            f"The regular expression [{pattern}] of a guardrail is not valid: {error}"
        ) from None
    return pattern


def triggered(
    guardrails: JsonObject | None, side: str, text: str, model_answer: str, indices: Mapping[str, Documents]
) -> bool:
    """Whether a guardrail stops this text: a stop word in it, a pattern that matches all of it, or a model.

    A guard model answers with the answer set for the remote endpoint; where its pattern does not accept that,
    the text is stopped. Stop words are looked up in `indices`; without their index none is found.
    """
    guardrail = (guardrails or {}).get(side)
    if guardrails is None or guardrail is None:
        return False
    if guardrails["type"] == "local_regex":
        patterns = guardrail.get("regex", ())
        return _has_stop_word(guardrail, text, indices) or any(re.fullmatch(one, text) for one in patterns)
    pattern = guardrail.get("response_validation_regex")
    return pattern is not None and not re.search(pattern, model_answer)


def _has_stop_word(guardrail: JsonObject, text: str, indices: Mapping[str, Documents]) -> bool:
    for stop_words in guardrail.get("stop_words", ()):
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
