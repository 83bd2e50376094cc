"""Sessions with targets that are a Python function."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from mlconform.conformance.targets.session import Session, SessionOptions
from mlconform.conformance.targets.transport import InProcessTransport


@dataclass
class FakeTarget:
    """Answers by method and path; everything else is 404. Keeps what it was sent."""

    answers: Mapping[tuple[str, str], Any]
    sent: list[tuple[str, str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    def __call__(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        del query
        self.sent.append((method, path, json.loads(body) if body else None))
        self.headers.append(headers)
        answer = self.answers.get((method, path), (404, {"error": "no such thing"}))
        status, value = answer() if callable(answer) else answer
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        return status, [("Content-Type", "application/json")], content


@pytest.fixture
def talk_to() -> Callable[..., tuple[Session, FakeTarget]]:
    def make(answers: Mapping[tuple[str, str], Any], **options: Any) -> tuple[Session, FakeTarget]:
        target = FakeTarget(answers)
        chosen = SessionOptions(prefix="mlconform-test-", **options)
        return Session(InProcessTransport(target), chosen, "osml.wire.json"), target

    return make
