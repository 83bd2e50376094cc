"""The remote model endpoint behind every model of the mock: it is never called, its answer is set."""

from __future__ import annotations

import copy
import json
from typing import Any

DEFAULT_ANSWER: dict[str, Any] = {"choices": [{"message": {"content": "hi"}}], "embedding": [0.1, 0.2]}


class RemoteEndpoint:
    """Gives the answer and the status that were set, to every call. The mock makes no network calls."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Back to the default answer."""
        self.set(copy.deepcopy(DEFAULT_ANSWER))

    def set(self, answer: Any, status: int = 200) -> None:
        """Answer with this from now on: a text is a body as it is, any other value a body of JSON."""
        self.answer, self.status = answer, status
        self.body = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
