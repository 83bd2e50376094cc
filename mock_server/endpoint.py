"""The remote model endpoint behind every model of the mock: it is never called, its answers are set."""

from __future__ import annotations

import copy
import json
from typing import Any

from msgspec import Struct

from mlconform.mock_server.stubs import Asked, Stubs

DEFAULT_ANSWER: dict[str, Any] = {"choices": [{"message": {"content": "hi"}}], "embedding": [0.1, 0.2]}


class Reply(Struct, frozen=True):
    """What the endpoint answers to one call: its status, its body, and the value that this was made of."""

    status: int
    body: str
    value: Any


class RemoteEndpoint:
    """Gives the answer of a stub, or else the one that was set. It is reached over no network."""

    def __init__(self, stubs: Stubs | None = None) -> None:
        self._stubs = Stubs() if stubs is None else stubs
        self._late = 0.0
        self.reset()

    def reset(self) -> None:
        """Back to the default answer."""
        self.set(copy.deepcopy(DEFAULT_ANSWER))

    def set(self, answer: Any, status: int = 200) -> None:
        """Answer with this from now on: a text is a body as it is, any other value a body of JSON."""
        self.answer, self.status = answer, status
        self.body = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)

    def reply(self, asked: Asked) -> Reply:
        """The answer to a call of a model."""
        return self.stubbed(asked) or Reply(self.status, self.body, self.answer)

    def stubbed(self, asked: Asked) -> Reply | None:
        """The answer of a stub, where one has an answer to this call; its delay is the request's."""
        found = self._stubs.for_call(asked)
        if found is None:
            return None
        if found.delay is not None:
            self._late += found.delay.draw(self._stubs.source)
        return Reply(found.status, found.text, found.answer)

    def take_delay(self) -> float:
        """The seconds by which what was asked since the last time makes an answer late."""
        late, self._late = self._late, 0.0
        return late
