"""The remote model endpoint behind every model of the mock: it is never called, its answer is set."""

from __future__ import annotations

import copy
from typing import Any

DEFAULT_ANSWER: dict[str, Any] = {"choices": [{"message": {"content": "hi"}}], "embedding": [0.1, 0.2]}


class RemoteEndpoint:
    """Gives the answer that was set, to every call. The mock makes no network calls."""

    def __init__(self) -> None:
        self.answer: Any = copy.deepcopy(DEFAULT_ANSWER)

    def reset(self) -> None:
        """Back to the default answer."""
        self.answer = copy.deepcopy(DEFAULT_ANSWER)
