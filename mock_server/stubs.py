"""Stubs: answers that a test decides, of a model's endpoint or of the server itself."""

from __future__ import annotations

import fnmatch
import random
import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from mlconform.mock_server.core import Request, Response, Stream, WireFault, encode_json
from mlconform.mock_server.fault_injection import Delay, read_delay
from mlconform.mock_server.journal import body_of, holds

MEMBERS = ("model", "connector", "input", "method", "path", "query", "body", "answers", "order", "times")
ANSWER_MEMBERS = ("answer", "status", "delay", "content_type", "chunks", "every")
CONDITION_MEMBERS = ("at", "equals", "regex", "schema")
_OF_MODELS = frozenset({"model", "connector", "input"})
_OF_REQUESTS = frozenset({"method", "path", "query", "body"})
_TESTS = frozenset({"equals", "regex", "schema"})
_JSON = "application/json; charset=UTF-8"


class StubError(ValueError):
    """What is no stub; the message says what would be."""


class Asked(Struct, frozen=True):
    """A call of a model: what names the model and its connector have, and the body of the predict request."""

    model: tuple[str, ...]
    connector: tuple[str, ...]
    body: Any


class StubAnswer(Struct, frozen=True):
    """One answer; `chunks` are sent one after the other, `every` so many seconds."""

    answer: Any = None
    status: int = 200
    delay: Delay | None = None
    content_type: str = _JSON
    chunks: tuple[str, ...] = ()
    every: float = 0.0

    @property
    def text(self) -> str:
        """The body: a text as it is, any other value as JSON."""
        if self.chunks:
            return "".join(self.chunks)
        return self.answer if isinstance(self.answer, str) else encode_json(self.answer).decode()

    def response(self, source: random.Random) -> Response:
        """The answer as the server's own."""
        delay = 0.0 if self.delay is None else self.delay.draw(source)
        parts = tuple(chunk.encode() for chunk in self.chunks)
        return Response(
            self.status,
            (("content-type", self.content_type),),
            self.text.encode("utf-8", "replace"),
            WireFault(delay=delay) if delay else None,
            Stream(parts, self.every) if parts else None,
        )


class Condition(Struct, frozen=True):
    """What is at a place of a body must equal a value, match a pattern, or fit a JSON Schema."""

    at: str = "$"
    test: str = "equals"
    wanted: Any = None

    def holds(self, body: Any) -> bool:
        """Whether it does; a place that is not there is never as wanted."""
        from mlconform.mock_server.opensearch_ml.prediction import json_path  # noqa: PLC0415 - a fast start

        try:
            value = json_path.read(body, self.at)
        except json_path.PathNotFoundError:
            return False
        if self.test == "equals":
            return type(value) is type(self.wanted) and bool(value == self.wanted)
        if self.test == "regex":
            return isinstance(value, str) and re.search(self.wanted, value) is not None
        import jsonschema  # noqa: PLC0415

        return bool(jsonschema.Draft202012Validator(self.wanted).is_valid(value))


class Stub(Struct):
    """Whom it answers, with what, and how often it did; `values` is its JSON form."""

    values: Mapping[str, Any]
    answers: tuple[StubAnswer, ...]
    conditions: tuple[Condition, ...] = ()
    used: int = 0

    @property
    def of_requests(self) -> bool:
        """Whether it answers requests, and not for a model's endpoint."""
        return not _OF_REQUESTS.isdisjoint(self.values)

    @property
    def spent(self) -> bool:
        """Whether it answered as often as it may."""
        times = self.values.get("times")
        return times is not None and self.used >= times

    def matches_call(self, asked: Asked) -> bool:
        """Whether it answers this call of a model."""
        named = ((asked.model, "model"), (asked.connector, "connector"))
        return all(_is_named(self.values.get(member), names) for names, member in named) and all(
            condition.holds(asked.body) for condition in self.conditions
        )

    def matches_request(self, request: Request) -> bool:
        """Whether it answers this request."""
        wanted = self.values
        return (
            wanted.get("method") in (None, request.method)
            and fnmatch.fnmatchcase(request.path, wanted.get("path") or "*")
            and wanted.get("query") in (None, request.query)
            and (wanted.get("body") is None or holds(body_of(request), wanted["body"]))
        )

    def next(self, source: random.Random) -> StubAnswer:
        """The answer whose turn it is: the last one stays."""
        self.used += 1
        if self.values.get("order") == "random":
            return source.choice(self.answers)
        return self.answers[min(self.used, len(self.answers)) - 1]


def _is_named(pattern: str | None, names: Iterable[str]) -> bool:
    return pattern is None or any(fnmatch.fnmatchcase(name, pattern) for name in names)


class Stubs:
    """The stubs of one space; of those that match, the newest answers."""

    def __init__(self, seed: int = 0) -> None:
        self.source = random.Random(seed)
        self._stubs: list[Stub] = []

    def add(self, stubs: Iterable[Stub]) -> None:
        """Add to those that there are."""
        self._stubs += stubs

    def clear(self, seed: int | None = None) -> None:
        """Remove all; with a seed, chances begin anew."""
        self._stubs.clear()
        if seed is not None:
            self.source = random.Random(seed)

    def view(self) -> list[dict[str, Any]]:
        """The JSON form of each, with how often it was `used`."""
        return [{**stub.values, "used": stub.used} for stub in self._stubs]

    def for_request(self, request: Request) -> Response | None:
        """The answer to a request, or None where no stub has one."""
        for stub in reversed(self._stubs):
            if stub.of_requests and not stub.spent and stub.matches_request(request):
                return stub.next(self.source).response(self.source)
        return None

    def for_call(self, asked: Asked) -> StubAnswer | None:
        """The answer of a model's endpoint, or None where no stub has one."""
        for stub in reversed(self._stubs):
            if not stub.of_requests and not stub.spent and stub.matches_call(asked):
                return stub.next(self.source)
        return None


def read_stub(values: Any) -> Stub:
    """A stub from its JSON form. Raises StubError for what is none."""
    _require_members("a stub", values, MEMBERS)
    if not _OF_MODELS.isdisjoint(values) and not _OF_REQUESTS.isdisjoint(values):
        raise StubError(
            f"a stub answers for a model ({', '.join(sorted(_OF_MODELS))}) or a request "
            f"({', '.join(sorted(_OF_REQUESTS))}), and this one names members of both"
        )
    for name in ("model", "connector", "method", "path", "query"):
        _require(
            values.get(name) is None or isinstance(values[name], str), f"a text as {name}", values.get(name)
        )
    _require(
        values.get("order") in (None, "sequence", "random"),
        "sequence or random as order",
        values.get("order"),
    )
    times = values.get("times")
    _require(times is None or _is_whole(times, 1), "a whole number above zero as times", times)
    answers = values.get("answers")
    _require(isinstance(answers, list) and bool(answers), "answers as a list with at least one", answers)
    conditions = values.get("input", [])
    stub = Stub(
        values,
        tuple(_read_answer(answer) for answer in values["answers"]),
        tuple(_read_condition(one) for one in (conditions if isinstance(conditions, list) else [conditions])),
    )
    if not stub.of_requests and any(answer.chunks for answer in stub.answers):
        raise StubError("a model's endpoint sends no chunks: name the request that is answered in chunks")
    return stub


def _read_answer(values: Any) -> StubAnswer:
    _require_members("an answer", values, ANSWER_MEMBERS)
    status, chunks, every = values.get("status", 200), values.get("chunks", []), values.get("every", 0)
    _require(_is_whole(status, 200) and status < 600, "a status from 200 to 599", status)
    texts = isinstance(chunks, list) and all(isinstance(chunk, str) for chunk in chunks)
    _require(texts, "chunks as a list of texts", chunks)
    is_number = isinstance(every, int | float) and not isinstance(every, bool)
    _require(is_number and 0 <= every <= 3600, "seconds from 0 to 3600 as every", every)
    _require("answer" in values or bool(chunks), "an answer or chunks", values)
    content_type = values.get("content_type", _JSON)
    _require(isinstance(content_type, str), "a text as content_type", content_type)
    delay = read_delay(values["delay"]) if "delay" in values else None
    return StubAnswer(values.get("answer"), status, delay, content_type, tuple(chunks), float(every))


def _read_condition(values: Any) -> Condition:
    _require_members("a condition of the input", values, CONDITION_MEMBERS)
    tests = [name for name in values if name in _TESTS]
    _require(len(tests) == 1, f"one of {', '.join(sorted(_TESTS))} in a condition of the input", values)
    test, place = tests[0], values.get("at", "$")
    _require(isinstance(place, str), "a JSON path as at", place)
    wanted = values[test]
    if test == "regex":
        try:
            re.compile(wanted)
        except (re.error, TypeError) as error:
            raise StubError(f"expected a regular expression, got {wanted!r}: {error}") from None
    if test == "schema":
        from mlconform.mock_server.opensearch_ml.prediction.json_schemas import fault_of  # noqa: PLC0415 - a fast start

        fault = fault_of(wanted)
        _require(fault is None, f"a JSON Schema ({fault})", wanted)
    return Condition(place, test, wanted)


def _require_members(what: str, values: Any, known: tuple[str, ...]) -> None:
    _require(isinstance(values, dict), f"an object for {what}", values)
    unknown = ", ".join(sorted(set(values) - set(known)))
    if unknown:
        raise StubError(f"{what} has no {unknown}: there are {', '.join(known)}")


def _require(holds_true: bool, expected: str, got: Any) -> None:
    if not holds_true:
        raise StubError(f"expected {expected}, got {got!r}")


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
