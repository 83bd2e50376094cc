"""Sessions with targets that are a Python function."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from mlconform.conformance.targets.connect import TargetOptions, connect
from mlconform.conformance.targets.opensearch_settings import SETTINGS
from mlconform.conformance.targets.session import Session, SessionOptions
from mlconform.conformance.targets.transport import InProcessTransport

_INTERVAL = "plugins.ml_commons.sync_up_job_interval_in_seconds"
_AUTO_DEPLOY = "plugins.ml_commons.model_auto_deploy.enable"


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


@pytest.fixture
def session() -> Iterator[Session]:
    """A session with a mock whose auto-deploy somebody had set before."""
    session = connect("opensearch-ml", TargetOptions())
    session.request("PUT", SETTINGS, {"persistent": {_AUTO_DEPLOY: False, _INTERVAL: None}})
    yield session
    session.clean()
    session.request("PUT", SETTINGS, {"persistent": {_AUTO_DEPLOY: None}})
    session.close()
