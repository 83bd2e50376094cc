"""The mock's own operations, below /_mock/: clock, state, reset, restart, the answer of predict."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from mock_server.clock import Clock
from mock_server.core import Profile, Request, Response, json_response
from mock_server.endpoint import RemoteEndpoint

PREFIX = "/_mock/"


class ControlError(Exception):
    """A request to the control operations that can't be done; the message says what would do."""


class Control:
    """Answers `/_mock/` for all profiles of one server."""

    def __init__(self, clock: Clock, endpoint: RemoteEndpoint, profiles: dict[str, Profile]) -> None:
        self._clock = clock
        self._endpoint = endpoint
        self._profiles = profiles
        self._restarts = 0
        self._operations: dict[tuple[str, str], Callable[[bytes], Any]] = {
            ("GET", "clock"): lambda _body: self._time(),
            ("POST", "clock"): self._advance,
            ("POST", "reset"): lambda _body: self._reset(),
            ("GET", "state"): lambda _body: self._state(),
            ("GET", "restart"): lambda _body: {"restarts": self._restarts},
            ("POST", "restart"): lambda _body: self._restart(),
            ("GET", "predict"): lambda _body: {"answer": self._endpoint.answer},
            ("PUT", "predict"): self._set_answer,
        }

    def owns(self, path: str) -> bool:
        """Whether the path is one of the mock's own."""
        return path.startswith(PREFIX)

    def handle(self, request: Request) -> Response:
        """Answer one control request: 400 for a body that won't do, 404 and 405 as usual."""
        name = request.path.removeprefix(PREFIX)
        operation = self._operations.get((request.method, name))
        if operation is None:
            return self._no_operation(name)
        try:
            return json_response(200, operation(request.body))
        except ControlError as error:
            return json_response(400, {"error": str(error)})

    def _no_operation(self, name: str) -> Response:
        methods = [method for method, known in self._operations if known == name]
        if methods:
            allow = ", ".join(methods)
            error = {"error": f"{PREFIX}{name} allows {allow}"}
            return json_response(405, error, headers=(("allow", allow),))
        names = ", ".join(sorted({known for _, known in self._operations}))
        return json_response(404, {"error": f"no such control operation; there are {names} below {PREFIX}"})

    def _time(self) -> dict[str, float]:
        return {"now": self._clock.now(), "offset": self._clock.offset}

    def _advance(self, body: bytes) -> dict[str, float]:
        seconds = _member(body, "advance")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise ControlError(f'expected {{"advance": seconds}} with a number, got {json.dumps(seconds)}')
        try:
            self._clock.advance(float(seconds))
        except (ValueError, OverflowError) as error:
            raise ControlError(str(error)) from None
        return self._time()

    def _reset(self) -> dict[str, bool]:
        self._endpoint.reset()
        for profile in self._profiles.values():
            profile.reset()
        return {"reset": True}

    def _restart(self) -> dict[str, int]:
        self._restarts += 1
        for profile in self._profiles.values():
            profile.restart()
        return {"restarts": self._restarts}

    def _state(self) -> dict[str, Any]:
        profiles = {name: profile.dump() for name, profile in self._profiles.items()}
        return {"clock": self._time(), "predict": {"answer": self._endpoint.answer}, "profiles": profiles}

    def _set_answer(self, body: bytes) -> dict[str, Any]:
        self._endpoint.answer = _member(body, "answer")
        return {"answer": self._endpoint.answer}


def _member(body: bytes, name: str) -> Any:
    try:
        values = json.loads(body, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise ControlError(
            f"expected a JSON object with {name!r}, got a body that is not JSON: {error}"
        ) from None
    if not isinstance(values, dict) or name not in values:
        raise ControlError(f"expected a JSON object with the member {name!r}")
    return values[name]


def _refuse(literal: str) -> None:
    raise ValueError(f"{literal} is not JSON")


def _finite(literal: str) -> float:
    if not math.isfinite(number := float(literal)):
        raise ValueError(f"{literal} is out of range")
    return number
