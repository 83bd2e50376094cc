"""A server that speaks the API, written by hand from its pages."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from mlconform.mock_server.clock import Clock
from mlconform.mock_server.core import Request, Response, json_response

ROOT = "/new-api"


class NewApi:
    """Its state is one value; time passes by its clock alone, and its chances are drawn from the seed."""

    def __init__(self, clock: Clock, *, seed: int) -> None:
        del clock, seed
        self._state: dict[str, Any] = {}
        self._before: dict[str, Any] = {}

    def owns(self, path: str) -> bool:
        """Whether requests for this path are this API's to answer."""
        return path == ROOT or path.startswith(f"{ROOT}/")

    def handle(self, request: Request) -> Response:
        """Answer one request; never raises for anything a client can send."""
        told = f"next: answer {request.method} {request.path} in new_api_profile/mock.py"
        return json_response(501, {"error": told})

    def not_mocked(self) -> list[dict[str, Any]]:
        """What servers of this API do and the mock does not."""
        return []

    def reset(self) -> None:
        """Forget everything clients made."""
        self._state = {}

    def restart(self) -> None:
        """Behave as after a restart of the server; here nothing is lost."""

    def remember(self) -> None:
        """Keep the state as it is now, for `handle_before`."""
        self._before = copy.deepcopy(self._state)

    def handle_before(self, request: Request) -> Response:
        """Answer a request that reads from the state that was kept last."""
        now, self._state = self._state, self._before
        try:
            return self.handle(request)
        finally:
            self._state = now

    def dump(self) -> Mapping[str, Any]:
        """The whole state as JSON values."""
        return copy.deepcopy(self._state)

    def load(self, state: Mapping[str, Any]) -> None:
        """Put a dumped state in the place of the present one."""
        self._state = copy.deepcopy(dict(state))
