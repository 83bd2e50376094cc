"""The clauses about words of texts. They give more for every word found, and for a shorter text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from mlconform.mock_server.opensearch_ml.bodies.fields import text_of, token_of
from mlconform.mock_server.opensearch_ml.bodies.nearness import within
from mlconform.mock_server.opensearch_ml.errors import ApiError, illegal_argument, node_error
from mlconform.mock_server.opensearch_ml.search.clauses import COMMON, Clause, Path, Reader, Score
from mlconform.mock_server.opensearch_ml.search.mappings import Kind
from mlconform.mock_server.opensearch_ml.search.values import fields_named, words
from mlconform.mock_server.opensearch_ml.store import JsonObject


def _text(reader: Reader, body: JsonObject, path: Path, *known: str) -> tuple[str, Any, JsonObject]:
    """The field, the text and the other members of a full-text clause."""
    if not body:
        raise reader.wrong("No text specified for text query", path, end=True)
    for name, value in body.items():
        if isinstance(value, list):
            line, column = reader.document.place((*path, name))
            reason = f"Can't get text on a START_ARRAY at {line}:{column}"
            raise node_error("illegal_state_exception", reason)
    name, members = reader.field_of(body, path, "query", "analyzer", "zero_terms_query", *known)
    for member, value in members.items():
        if isinstance(body[name], dict) and (value is None or isinstance(value, list | dict)):
            reason = f"[{path[-1]}] unknown token [{token_of(value)}] after [{member}]"
            raise reader.wrong(reason, (*path, name, member))
    if members.get("query") is None:
        raise reader.wrong("No text specified for text query", path, end=True)
    return name, members["query"], members


def _match(reader: Reader, body: JsonObject, path: Path) -> Clause:
    known = (
        "operator",
        "minimum_should_match",
        "fuzziness",
        "prefix_length",
        "max_expansions",
        "lenient",
    )
    name, text, members = _text(reader, body, path, *known, "fuzzy_transpositions", "cutoff_frequency")
    operator = text_of(members.get("operator", "or")).upper()
    if operator not in ("AND", "OR"):
        raise illegal_argument(f"No enum constant org.opensearch.index.query.Operator.{operator}")
    if reader.mapping.kind(name) is not Kind.TEXT:
        wanted = reader.read(name, text)
        return reader.holding(name, lambda value: value == wanted)
    tokens = words(text)
    least = len(tokens) if operator == "AND" else needed(members.get("minimum_should_match", 1), len(tokens))
    near = within if "fuzziness" in members else _equal
    return lambda key, source: _found(tokens, reader.values(name, key, source), max(least, 1), near)


def _match_phrase(reader: Reader, body: JsonObject, path: Path) -> Clause:
    name, text, members = _text(reader, body, path, "slop")
    return _phrase(reader, name, text, slop=_slop(members))


def _slop(members: JsonObject) -> int:
    text = text_of(members.get("slop", 0))
    try:
        slop = int(float(text))
    except (ValueError, OverflowError):
        raise ApiError(400, "number_format_exception", f'For input string: "{text}"') from None
    if slop < 0:
        raise illegal_argument("No negative slop allowed.")
    return slop


def _match_phrase_prefix(reader: Reader, body: JsonObject, path: Path) -> Clause:
    known = ("slop", "max_expansions", "operator", "minimum_should_match", "fuzziness")
    name, text, _ = _text(reader, body, path, *known)
    if path[-1] == "match_bool_prefix":
        *whole, last = words(text) or [""]
        return lambda key, source: _some(
            reader.values(name, key, source),
            lambda value: value in whole or value.startswith(last),
        )
    return _phrase(reader, name, text, prefix=True)


def _phrase(reader: Reader, name: str, text: Any, *, slop: int = 0, prefix: bool = False) -> Clause:
    if reader.mapping.kind(name) is not Kind.TEXT:
        wanted = reader.read(name, text)
        return reader.holding(name, lambda value: value == wanted)
    tokens = words(text)

    def clause(key: str, source: JsonObject) -> Score:
        held = [str(value) for value in reader.values(name, key, source)]
        starts = [at for at, word in enumerate(held) if tokens and _fits(tokens, held, at, slop, prefix)]
        return 1.0 + len(starts) / (1 + len(held)) if starts else None

    return clause


def _multi_match(reader: Reader, body: JsonObject, path: Path) -> Clause:
    for name in body:
        if name not in ("query", "fields", "type", "operator", "minimum_should_match", *COMMON):
            raise reader.wrong(f"[multi_match] query does not support [{name}]", (*path, name))
    if body.get("query") is None:
        raise reader.wrong("No text specified for multi_match query", path, end=True)
    fields = body.get("fields") or ["*"]
    return _in_fields(reader, fields if isinstance(fields, list) else [fields], body["query"])


def _query_string(reader: Reader, body: JsonObject, path: Path) -> Clause:
    """As much of the language as `field:word`, words and prefixes."""
    if body.get("query") is None:
        raise reader.wrong(f"[{path[-1]}] must be provided with a [query]", path, end=True)
    fields = body.get("fields") or [body.get("default_field", "*")]
    name, colon, text = text_of(body["query"]).partition(":")
    if not colon:
        name, text = "", name
    return _in_fields(reader, [name] if name else fields, text.strip('"'))


def _in_fields(reader: Reader, patterns: list[Any], text: Any) -> Clause:
    names = [
        name
        for pattern in patterns
        for name in fields_named(text_of(pattern).partition("^")[0], reader.mapping)
    ]
    tokens = words(text)
    begin = text_of(text).lower().removesuffix("*") if text_of(text).endswith("*") else None

    def clause(key: str, source: JsonObject) -> Score:
        scores = []
        for name in names:
            held = [str(value) for value in reader.values(name, key, source)]
            if begin is not None:
                scores.append(_some(held, lambda value: value.startswith(begin)))
            elif reader.mapping.kind(name) is Kind.TEXT:
                scores.append(_found(tokens, held, 1, _equal))
            else:
                scores.append(1.0 if text_of(text) in held else None)
        return max((score for score in scores if score is not None), default=None)

    return clause


def needed(wanted: Any, count: int) -> int:
    """How many of the optional clauses must hold: a number or a share; a negative one may be missing."""
    text = text_of(wanted)
    try:
        number = int(text.removesuffix("%"))
    except ValueError:
        return 1
    if text.endswith("%"):
        part = abs(number) * count // 100
        return part if number >= 0 else count - part
    return number if number >= 0 else count + number


def _equal(one: str, other: str) -> bool:
    return one == other


def _found(tokens: list[str], held: list[Any], least: int, near: Callable[[str, str], bool]) -> Score:
    """More for every word that is found, and for a shorter text."""
    hits = sum(1 for token in tokens if any(near(token, str(word)) for word in held))
    return hits + 1 / (1 + len(held)) if tokens and hits >= least else None


def _some(held: Iterable[Any], holds: Callable[[str], bool]) -> Score:
    return 1.0 if any(holds(str(value)) for value in held) else None


def _fits(tokens: list[str], held: list[str], at: int, slop: int, prefix: bool) -> bool:
    """Whether the words begin here, in their order, with no more than `slop` others between them."""
    here = at
    for number, token in enumerate(tokens):
        last = prefix and number == len(tokens) - 1
        span = range(here, min(len(held), here + 1 + (slop if number else 0)))
        step = next((i for i in span if held[i] == token or (last and held[i].startswith(token))), None)
        if step is None:
            return False
        slop -= step - here
        here = step + 1
    return True


TEXT_QUERIES: dict[str, Callable[[Reader, JsonObject, Path], Clause]] = {
    "match": _match,
    "match_phrase": _match_phrase,
    "match_phrase_prefix": _match_phrase_prefix,
    "match_bool_prefix": _match_phrase_prefix,
    "multi_match": _multi_match,
    "query_string": _query_string,
    "simple_query_string": _query_string,
}
