"""One request and its answer, kept as evidence."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final

from mlconform.conformance.outcomes import BrokenAnswer
from mlconform.conformance.report.events import ExchangeRecord
from mlconform.conformance.targets.credentials import AUTHORIZATION, Credentials, presentable

_REFUSAL: Final = b'{"error":{'
_SECRET_HEADERS = frozenset({"authorization"})


@dataclass(frozen=True, slots=True)
class OutgoingRequest:
    """A request as the transport sends it. `path` includes the query; header names are lower case.

    `credentials` say who sends it; None is nobody. Requests that name the same `connection` share one,
    whoever sends them.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    credentials: Credentials | None = None
    connection: str | None = None

    @property
    def lane(self) -> tuple[object, ...]:
        """What two requests have in common that may share a connection: who sends them.

        What a request of one user, of nobody or with wrong credentials does to its connection is
        found out by no other.
        """
        if self.connection is not None:
            return (self.connection,)
        own = tuple(sorted((name, self.headers[name]) for name in _SECRET_HEADERS & self.headers.keys()))
        return (own, self.credentials.lane if self.credentials else None)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as the transport received it, whole and decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Exchange:
    """A request with its answer, or with the `problem` that kept an answer from being whole.

    `at` is seconds since the check began. `wire_requirement` is the id that a broken body violates.
    """

    request: OutgoingRequest
    answer: Answer | None
    at: float
    base_url: str
    wire_requirement: str
    problem: str | None = None

    @property
    def status(self) -> int:
        return self._whole.status

    def header(self, name: str) -> str | None:
        """A header of the answer, by its name in lower case."""
        return self._whole.headers.get(name)

    @property
    def content_type(self) -> str:
        return self._whole.headers.get("content-type", "")

    @property
    def text(self) -> str:
        return self._whole.body.decode("utf-8", "backslashreplace")

    @property
    def json(self) -> Any:
        """The decoded body; raises `BrokenAnswer` when it is not JSON in UTF-8 to its end (RFC 8259)."""
        value, problem = self._document
        if problem is not None:
            raise BrokenAnswer(
                self.wire_requirement,
                expected="a body that is JSON to its end",
                came=f"{len(self._whole.body)} bytes that are not ({problem}): {self.text[:200]!r}",
            )
        return value

    @property
    def json_problem(self) -> str | None:
        """Why the body is not JSON in UTF-8 to its end, or None."""
        return self._document[1]

    @property
    def has_text_of_a_refusal(self) -> bool:
        """Whether this is no refusal, is not JSON to its end and begins as a refusal of OpenSearch does: the
        text of another answer was written over its own."""
        is_read = self.json_problem is None
        return not is_read and self.status < HTTPStatus.BAD_REQUEST and self._whole.body.startswith(_REFUSAL)

    @cached_property
    def _document(self) -> tuple[Any, str | None]:
        """The decoded body, and what is wrong with it; decoded once, for the check and for the watch."""
        try:
            return _DECODER.decode(self._whole.body.decode("utf-8")), None
        except (ValueError, RecursionError) as error:
            return None, str(error)

    def member(self, *path: str) -> Any:
        """The value at `path` in a JSON object body, or None where any step is missing."""
        value = self.json
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        return value

    @property
    def summary(self) -> str:
        """One line for messages: status and the start of the body."""
        if self.answer is None:
            return f"no whole answer ({self.problem})"
        return presentable(f"{self.answer.status} {self.text[:300]}")

    @property
    def _whole(self) -> Answer:
        if self.answer is None:
            raise BrokenAnswer(
                self.wire_requirement, expected="an answer that is whole", came=self.problem or "nothing"
            )
        return self.answer

    @property
    def curl(self) -> str:
        """The request as a shell command; secrets are left as environment variables, and bytes that are no
        text come through a pipe."""
        parts = ["curl", "-sS", "-X", self.request.method, shlex.quote(self.base_url + self.request.path)]
        for name, value in self.request.headers.items():
            if name in _SECRET_HEADERS:
                parts.append(f'-H "Authorization: ${AUTHORIZATION}"')
            else:
                parts += ["-H", shlex.quote(f"{name}: {value}")]
        if self.request.credentials is not None:
            parts += self.request.credentials.curl
        body = self.request.body
        piped = body is not None and _is_binary(body)
        if body is not None and not piped:
            parts += ["--data-raw", shlex.quote(body.decode("utf-8", "backslashreplace"))]
        command = presentable(" ".join(parts))
        if body is None or not piped:
            return command
        return f"printf %s {base64.b64encode(body).decode()} | base64 -d | {command} --data-binary @-"

    def record(self) -> ExchangeRecord:
        """This exchange as evidence in the event stream."""
        body = self.request.body
        return ExchangeRecord(
            method=self.request.method,
            url=self.base_url + self.request.path,
            at=round(self.at, 3),
            request_body=None if body is None else presentable(body.decode("utf-8", "backslashreplace")),
            request_content_type=self.request.headers.get("content-type"),
            status=None if self.answer is None else self.answer.status,
            content_type=None if self.answer is None else self.content_type,
            response_body=None if self.answer is None else presentable(self.text),
            problem=self.problem,
            curl=self.curl,
            user=self.request.credentials.name if self.request.credentials else "",
        )


def _is_binary(body: bytes) -> bool:
    """Whether no word of a shell can be this, which hides no secret either."""
    text = body.decode("utf-8", "backslashreplace")
    return (text.encode() != body or "\0" in text) and presentable(text) == text


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


# Made once: with arguments `json.loads` makes one for each text.
_DECODER: Final = json.JSONDecoder(parse_constant=_refuse)
