"""Guardrails: what may not go into a model or come out of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from mlconform.mock_server.opensearch_ml.bodies.fields import BodyParser, Fields
from mlconform.mock_server.opensearch_ml.errors import illegal_argument, node_error, wrong_class
from mlconform.mock_server.opensearch_ml.patterns import PatternError, compiled
from mlconform.mock_server.opensearch_ml.prediction import gson, json_path
from mlconform.mock_server.opensearch_ml.store import JsonObject

TYPES = ("local_regex", "model")
Documents = Iterable[tuple[str, JsonObject]]
SIDES = ("input_guardrail", "output_guardrail")
_MEMBERS = {
    "local_regex": ("stop_words", "regex"),
    "model": ("model_id", "response_filter", "response_validation_regex"),
}


def read_guardrails(fields: Fields, current: JsonObject | None) -> JsonObject:
    """The guardrails after what was sent: what is not named stays, as far as the type knows it.

    Raises ApiError 400 for a type that is missing or unknown. Patterns are not looked at here.
    """
    sent: dict[str, JsonObject] = {}
    for name in fields.values:
        if name == "type":
            fields.text(name)
        elif name in SIDES:
            members = fields.mapping(name, BodyParser.GUARDRAILS)
            sent[name] = {} if members is None else members.values
    kind = fields.text("type")
    if kind is None:
        # A node reads the lists before it misses the type (seen on 3.4.0).
        for lists in sent.values():
            _local(lists)
    if kind not in TYPES:
        raise illegal_argument("The type of guardrails is required, can not be null.")
    read = _local if kind == "local_regex" else _by_model
    shown: JsonObject = {"type": kind}
    for side in SIDES:
        old = (current or {}).get(side)
        new = read(sent[side]) if sent.get(side) else None
        if old is not None or new is not None:
            merged = {**(old or {}), **(new or {})}
            shown[side] = {name: merged[name] for name in _MEMBERS[kind] if name in merged}
    return shown


def _local(side: JsonObject) -> JsonObject:
    """Lists that are empty are as good as none."""
    shown: JsonObject = {}
    for name in _MEMBERS["local_regex"]:
        items = side.get(name)
        if items is not None and not isinstance(items, list):
            raise wrong_class(items, "java.util.List")
        if items:
            shown[name] = items
    for words in shown.get("stop_words", ()):
        if words is None:
            raise node_error("null_pointer_exception", "params is marked non-null but is null")
        if not isinstance(words, dict):
            raise wrong_class(words, "java.util.Map")
        fields = words.get("source_fields")
        _require_texts(fields if isinstance(fields, list) else ())
    _require_texts(shown.get("regex", ()))
    return shown


def _require_texts(values: Sequence[object]) -> None:
    if not all(isinstance(value, str) for value in values):
        raise node_error(
            "array_store_exception",
            "arraycopy: element type mismatch: can not cast one of the elements of java.lang.Object[] to the "
            "type of the destination array, java.lang.String",
        )


def _by_model(side: JsonObject) -> JsonObject:
    shown = {name: side[name] for name in _MEMBERS["model"] if side.get(name) is not None}
    for value in shown.values():
        if not isinstance(value, str):
            raise wrong_class(value, "java.lang.String")
    return shown


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
        patterns = guardrail.get("regex", ())
        return _has_stop_word(guardrail, text, indices) or any(_fits(one, text) for one in patterns)
    pattern = guardrail.get("response_validation_regex")
    answered = _filtered(model_answer, guardrail.get("response_filter"))
    return pattern is not None and answered is not None and not _fits(pattern, answered)


def _fits(pattern: str, text: str) -> bool:
    """Whether a pattern matches all of a text; what is no pattern matches nothing."""
    try:
        return compiled(pattern).fullmatch(text) is not None
    except PatternError:
        return False


def _filtered(answer: str, response_filter: str | None) -> str | None:
    if not response_filter:
        return answer
    try:
        return gson.to_text(json_path.read(gson.read(answer), response_filter))
    except (ValueError, json_path.PathNotFoundError):
        return None


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
