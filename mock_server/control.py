"""The mock's own operations, below /_mock/: clock, state, reset, restart, predict, faults, requests."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from mock_server.clock import Clock
from mock_server.codec import CodecError
from mock_server.core import Profile, Request, Response, json_response
from mock_server.endpoint import RemoteEndpoint
from mock_server.fault_injection import Fault, FaultError, Faults, read_fault, view_fault
from mock_server.journal import Journal

PREFIX = "/_mock/"


class ControlError(Exception):
    """A request to the control operations that can't be done; the message says what would do."""


class Control:
    """Answers `/_mock/` for all profiles of one server."""

    def __init__(
        self,
        clock: Clock,
        endpoint: RemoteEndpoint,
        profiles: dict[str, Profile],
        faults: Faults,
        journal: Journal,
    ) -> None:
        self._clock = clock
        self._endpoint = endpoint
        self._profiles = profiles
        self._faults = faults
        self._journal = journal
        self._restarts = 0
        self._operations: dict[tuple[str, str], Callable[[bytes], Any]] = {
            ("GET", "clock"): lambda _body: self._time(),
            ("POST", "clock"): self._advance,
            ("POST", "reset"): lambda _body: self._reset(),
            ("GET", "state"): lambda _body: self._state(),
            ("GET", "restart"): lambda _body: {"restarts": self._restarts},
            ("POST", "restart"): lambda _body: self._restart(),
            ("GET", "predict"): lambda _body: self._predict(),
            ("PUT", "predict"): self._set_answer,
            ("PUT", "state"): self._load_state,
            ("GET", "faults"): lambda _body: self._view_faults(),
            ("POST", "faults"): self._arm,
            ("PUT", "faults"): self._replace_faults,
            ("DELETE", "faults"): lambda _body: self._disarm(),
            ("GET", "requests"): lambda _body: {"requests": self._requests({})},
            ("DELETE", "requests"): lambda _body: self._forget_requests(),
            ("POST", "verify"): self._verify,
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
        except (ControlError, FaultError, CodecError) as error:
            return json_response(400, {"error": str(error)})
        except RecursionError:
            return json_response(400, {"error": "expected a body that is nested less deep"})

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
        self._faults.clear()
        self._journal.clear()
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
        return {"clock": self._time(), "predict": self._predict(), "profiles": profiles}

    def _predict(self) -> dict[str, Any]:
        return {"answer": self._endpoint.answer, "status": self._endpoint.status}

    def _set_answer(self, body: bytes) -> dict[str, Any]:
        answer, status = _member(body, "answer"), _values(body).get("status", 200)
        if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status < 600:
            raise ControlError(f"expected a status from 200 to 599, got {json.dumps(status)}")
        self._endpoint.set(answer, status)
        return self._predict()

    def _load_state(self, body: bytes) -> dict[str, Any]:
        profiles = _member(body, "profiles")
        if not isinstance(profiles, dict) or not set(profiles) <= set(self._profiles):
            raise ControlError(f"expected profiles as an object with members of {list(self._profiles)}")
        for name, state in profiles.items():
            if not isinstance(state, dict):
                raise ControlError(f"expected the state of {name} as an object")
            self._profiles[name].load(state)
        predict = _values(body).get("predict")
        if isinstance(predict, dict) and "answer" in predict:
            self._set_answer(json.dumps(predict).encode())
        return {"loaded": sorted(profiles)}

    def _view_faults(self) -> dict[str, Any]:
        return {"faults": [view_fault(fault, struck) for fault, struck in self._faults.struck()]}

    def _arm(self, body: bytes) -> dict[str, Any]:
        self._faults.arm(_faults(body))
        return self._view_faults()

    def _replace_faults(self, body: bytes) -> dict[str, Any]:
        faults, seed = _faults(body), _values(body).get("seed", 0)
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise ControlError(f"expected a whole number as seed, got {json.dumps(seed)}")
        self._faults.clear(seed)
        self._faults.arm(faults)
        return self._view_faults()

    def _disarm(self) -> dict[str, Any]:
        self._faults.clear()
        return self._view_faults()

    def _requests(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        found = self._journal.find(wanted.get("method"), wanted.get("path"), wanted.get("body"))
        return [
            {
                "at": entry.at,
                "method": entry.request.method,
                "path": entry.request.path,
                "query": entry.request.query,
                "body": entry.body,
                "status": entry.status,
            }
            for entry in found
        ]

    def _forget_requests(self) -> dict[str, Any]:
        self._journal.clear()
        return {"requests": []}

    def _verify(self, body: bytes) -> dict[str, Any]:
        wanted = _values(body)
        for name in ("method", "path"):
            if not isinstance(wanted.get(name, ""), str):
                raise ControlError(f"expected a text as {name}")
        found, times = self._requests(wanted), wanted.get("times")
        as_wanted = bool(found) if times is None else len(found) == times
        return {"verified": as_wanted, "times": len(found), "requests": found}


def _faults(body: bytes) -> list[Fault]:
    faults = _member(body, "faults")
    if not isinstance(faults, list):
        raise ControlError("expected the faults as a list")
    return [read_fault(fault) for fault in faults]


def _values(body: bytes) -> dict[str, Any]:
    try:
        values = json.loads(body, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise ControlError(f"expected a JSON object, got a body that is not JSON: {error}") from None
    if not isinstance(values, dict):
        raise ControlError("expected a JSON object")
    return values


def _member(body: bytes, name: str) -> Any:
    values = _values(body)
    if name not in values:
        raise ControlError(f"expected a JSON object with the member {name!r}")
    return values[name]


def _refuse(literal: str) -> None:
    raise ValueError(f"{literal} is not JSON")


def _finite(literal: str) -> float:
    if not math.isfinite(number := float(literal)):
        raise ValueError(f"{literal} is out of range")
    return number
