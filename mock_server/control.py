"""The mock's own operations, below /_mock/. README.md beside this file is the guide to them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from mlconform.mock_server.clock import Clock
from mlconform.mock_server.codec import CodecError
from mlconform.mock_server.core import (
    JSON_UTF8,
    HasNodes,
    Profile,
    Request,
    Response,
    encode_json,
    json_response,
)
from mlconform.mock_server.endpoint import RemoteEndpoint
from mlconform.mock_server.fault_injection import Fault, FaultError, Faults, read_fault, view_fault
from mlconform.mock_server.journal import Journal
from mlconform.mock_server.stubs import Stub, StubError, Stubs, read_stub

PREFIX = "/_mock/"
_PREDICT = ("answer", "status")
_STATE = ("clock", "predict", "profiles")


class ControlError(Exception):
    """A request to the control operations that can't be done; the message says what would do."""


class _Operation(Struct, frozen=True):
    """One operation: what it does, in a line, and the members that its body may have."""

    does: str
    answer: Callable[[dict[str, Any]], Any]
    members: tuple[str, ...] = ()


class Control:
    """Answers `/_mock/` for all profiles of one server."""

    def __init__(
        self,
        clock: Clock,
        endpoint: RemoteEndpoint,
        profiles: dict[str, Profile],
        faults: Faults,
        journal: Journal,
        stubs: Stubs,
    ) -> None:
        self._clock = clock
        self._endpoint = endpoint
        self._profiles = profiles
        self._faults = faults
        self._journal = journal
        self._stubs = stubs
        self._restarts = 0
        wanted = ("method", "path", "body", "times")
        self._operations = {
            ("GET", "clock"): _Operation("the time, and how far it was moved", self._time),
            ("POST", "clock"): _Operation("move the time forward", self._advance, ("advance",)),
            ("POST", "reset"): _Operation("forget everything but the time", self._reset),
            ("GET", "restart"): _Operation("how often the servers were restarted", self._view_restarts),
            ("POST", "restart"): _Operation("behave as after a restart of the servers", self._restart),
            ("GET", "nodes"): _Operation("the numbers of the nodes that are running", self._view_nodes),
            ("POST", "nodes"): _Operation(
                "stop or start a node, by its number", self._move_node, ("stop", "start")
            ),
            ("GET", "state"): _Operation("the whole state, as PUT takes it", self._state),
            ("PUT", "state"): _Operation(
                "put a state in the place of the present one", self._load_state, _STATE
            ),
            ("GET", "predict"): _Operation("what every model's endpoint answers", self._predict),
            ("PUT", "predict"): _Operation("set what it answers", self._set_answer, _PREDICT),
            ("GET", "faults"): _Operation("the faults and how often each has struck", self._view_faults),
            ("POST", "faults"): _Operation("add faults", self._arm, ("faults",)),
            ("PUT", "faults"): _Operation("replace the faults", self._replace_faults, ("faults", "seed")),
            ("DELETE", "faults"): _Operation("remove the faults", self._disarm),
            ("GET", "health"): _Operation("whether the mock is ready", lambda _values: {"status": "ready"}),
            ("GET", "stubs"): _Operation("the stubs and how often each was used", self._view_stubs),
            ("POST", "stubs"): _Operation("add stubs", self._add_stubs, ("stubs",)),
            ("PUT", "stubs"): _Operation("replace the stubs", self._replace_stubs, ("stubs", "seed")),
            ("DELETE", "stubs"): _Operation("remove the stubs", self._remove_stubs),
            ("GET", "requests"): _Operation("the requests that came", self._view_requests),
            ("DELETE", "requests"): _Operation("forget the requests that came", self._forget_requests),
            ("POST", "verify"): _Operation("whether such requests came", self._verify, wanted),
        }

    def owns(self, path: str) -> bool:
        """Whether the path is one of the mock's own."""
        return path.startswith(PREFIX) or path == PREFIX[:-1]

    def handle(self, request: Request) -> Response:
        """Answer one control request: 400 for a body that won't do, 404 and 405 as usual."""
        name = request.path.removeprefix(PREFIX[:-1]).removeprefix("/")
        if not name and request.method == "GET":
            return self._list()
        operation = self._operations.get((request.method, name))
        if operation is None:
            return self._no_operation(name)
        try:
            return json_response(200, operation.answer(_values(request, operation.members)))
        except (ControlError, FaultError, StubError, CodecError) as error:
            return json_response(400, {"error": str(error)})
        except RecursionError:
            return json_response(400, {"error": "expected a body that is nested less deep"})

    def _list(self) -> Response:
        lines = [
            encode_json(
                {"operation": f"{method} {PREFIX}{name}", "does": known.does, "members": known.members}
            )
            for (method, name), known in self._operations.items()
        ]
        unmocked = [encode_json(one) for profile in self._profiles.values() for one in profile.not_mocked()]
        listed = (b'{"operations": [\n', b",\n".join(lines), b'\n],\n"not_mocked": [\n')
        body = b"".join((*listed, b",\n".join(unmocked), b"\n]}\n"))
        return Response(200, (("content-type", JSON_UTF8),), body)

    def _no_operation(self, name: str) -> Response:
        methods = [method for method, known in self._operations if known == name] if name else ["GET"]
        if methods:
            allow = ", ".join(methods)
            error = {"error": f"{PREFIX}{name} allows {allow}"}
            return json_response(405, error, headers=(("allow", allow),))
        names = ", ".join(sorted({known for _, known in self._operations}))
        return json_response(404, {"error": f"no such control operation; there are {names} below {PREFIX}"})

    def _time(self, _values: dict[str, Any] | None = None) -> dict[str, float]:
        return {"now": self._clock.now(), "offset": self._clock.offset}

    def _advance(self, values: dict[str, Any]) -> dict[str, float]:
        seconds = _member(values, "advance")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise ControlError(f'expected {{"advance": seconds}} with a number, got {json.dumps(seconds)}')
        try:
            self._clock.advance(float(seconds))
        except (ValueError, OverflowError) as error:
            raise ControlError(str(error)) from None
        return self._time()

    def _reset(self, _values: dict[str, Any]) -> dict[str, bool]:
        self._endpoint.reset()
        self._faults.clear()
        self._stubs.clear()
        self._journal.clear()
        for profile in self._profiles.values():
            profile.reset()
        return {"reset": True}

    def _view_restarts(self, _values: dict[str, Any]) -> dict[str, int]:
        return {"restarts": self._restarts}

    def _restart(self, values: dict[str, Any]) -> dict[str, int]:
        self._restarts += 1
        for profile in self._profiles.values():
            profile.restart()
        return self._view_restarts(values)

    def _view_nodes(self, _values: dict[str, Any]) -> dict[str, Any]:
        profiles = [profile for profile in self._profiles.values() if isinstance(profile, HasNodes)]
        if not profiles:
            raise ControlError("no API of this mock has nodes that come and go")
        (numbers,) = {profile.running() for profile in profiles}
        return {"running": len(numbers), "nodes": numbers}

    def _move_node(self, values: dict[str, Any]) -> dict[str, Any]:
        if len(values) != 1 or any(type(number) is not int for number in values.values()):
            raise ControlError(
                f'expected {{"stop": number}} or {{"start": number}}, got {json.dumps(values)}'
            )
        ((deed, number),) = values.items()
        for profile in self._profiles.values():
            if isinstance(profile, HasNodes):
                try:
                    (profile.stop_node if deed == "stop" else profile.start_node)(number)
                except ValueError as error:
                    raise ControlError(str(error)) from None
        return self._view_nodes(values)

    def _state(self, _values: dict[str, Any]) -> dict[str, Any]:
        profiles = {name: profile.dump() for name, profile in self._profiles.items()}
        return {"clock": self._time(), "predict": self._predict(), "profiles": profiles}

    def _predict(self, _values: dict[str, Any] | None = None) -> dict[str, Any]:
        return {"answer": self._endpoint.answer, "status": self._endpoint.status}

    def _set_answer(self, values: dict[str, Any]) -> dict[str, Any]:
        self._endpoint.set(*_answer(values))
        return self._predict()

    def _load_state(self, values: dict[str, Any]) -> dict[str, Any]:
        profiles = _member(values, "profiles")
        if not isinstance(profiles, dict) or not set(profiles) <= set(self._profiles):
            raise ControlError(f"expected profiles as an object with members of {list(self._profiles)}")
        predict = values.get("predict", {})
        if not isinstance(predict, dict):
            raise ControlError("expected predict as an object")
        _require_known(predict, _PREDICT)
        answer = _answer(predict) if predict else None
        for name, state in profiles.items():
            if not isinstance(state, dict):
                raise ControlError(f"expected the state of {name} as an object")
            self._profiles[name].load(state)
        if answer is not None:
            self._endpoint.set(*answer)
        return {"loaded": sorted(profiles)}

    def _view_faults(self, _values: dict[str, Any] | None = None) -> dict[str, Any]:
        return {"faults": [view_fault(fault, struck) for fault, struck in self._faults.struck()]}

    def _arm(self, values: dict[str, Any]) -> dict[str, Any]:
        self._faults.arm(_faults(values))
        return self._view_faults()

    def _replace_faults(self, values: dict[str, Any]) -> dict[str, Any]:
        faults, seed = _faults(values), _seed(values)
        self._faults.clear(seed)
        self._faults.arm(faults)
        return self._view_faults()

    def _disarm(self, _values: dict[str, Any]) -> dict[str, Any]:
        self._faults.clear()
        return self._view_faults()

    def _view_stubs(self, _values: dict[str, Any] | None = None) -> dict[str, Any]:
        return {"stubs": self._stubs.view()}

    def _add_stubs(self, values: dict[str, Any]) -> dict[str, Any]:
        self._stubs.add(_stubs(values))
        return self._view_stubs()

    def _replace_stubs(self, values: dict[str, Any]) -> dict[str, Any]:
        stubs, seed = _stubs(values), _seed(values)
        self._stubs.clear(seed)
        self._stubs.add(stubs)
        return self._view_stubs()

    def _remove_stubs(self, _values: dict[str, Any]) -> dict[str, Any]:
        self._stubs.clear()
        return self._view_stubs()

    def _view_requests(self, _values: dict[str, Any]) -> dict[str, Any]:
        return {"requests": self._requests({})}

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

    def _forget_requests(self, _values: dict[str, Any]) -> dict[str, Any]:
        self._journal.clear()
        return {"requests": []}

    def _verify(self, wanted: dict[str, Any]) -> dict[str, Any]:
        for name in ("method", "path"):
            if not isinstance(wanted.get(name, ""), str):
                raise ControlError(f"expected a text as {name}")
        times = wanted.get("times")
        if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 0):
            raise ControlError(f"expected a whole number as times, 0 or more, got {json.dumps(times)}")
        found = self._requests(wanted)
        as_wanted = bool(found) if times is None else len(found) == times
        return {"verified": as_wanted, "times": len(found), "requests": found}


def _answer(values: dict[str, Any]) -> tuple[Any, int]:
    answer, status = _member(values, "answer"), values.get("status", 200)
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status < 600:
        raise ControlError(f"expected a status from 200 to 599, got {json.dumps(status)}")
    return answer, status


def _seed(values: dict[str, Any]) -> int:
    seed = values.get("seed", 0)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ControlError(f"expected a whole number as seed, got {json.dumps(seed)}")
    return seed


def _stubs(values: dict[str, Any]) -> list[Stub]:
    stubs = _member(values, "stubs")
    if not isinstance(stubs, list):
        raise ControlError("expected a list of stubs")
    return [read_stub(stub) for stub in stubs]


def _faults(values: dict[str, Any]) -> list[Fault]:
    faults = _member(values, "faults")
    if not isinstance(faults, list):
        raise ControlError("expected the faults as a list")
    return [read_fault(fault) for fault in faults]


def _values(request: Request, known: tuple[str, ...]) -> dict[str, Any]:
    """The members of a body; an operation without members needs none."""
    if request.query:
        raise ControlError(f"{request.path} has no parameters in the query, got {request.query}")
    if not request.body and not known:
        return {}
    try:
        values = json.loads(request.body, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise ControlError(f"expected a JSON object, got a body that is not JSON: {error}") from None
    if not isinstance(values, dict):
        raise ControlError("expected a JSON object")
    _require_known(values, known)
    return values


def _require_known(values: dict[str, Any], known: tuple[str, ...]) -> None:
    unknown = ", ".join(sorted(set(values) - set(known)))
    if unknown:
        there_are = f"there are {', '.join(known)}" if known else "there are none"
        raise ControlError(f"unknown member {unknown}: {there_are}")


def _member(values: dict[str, Any], name: str) -> Any:
    if name not in values:
        raise ControlError(f"expected a JSON object with the member {name!r}")
    return values[name]


def _refuse(literal: str) -> None:
    raise ValueError(f"{literal} is not JSON")


def _finite(literal: str) -> float:
    if not math.isfinite(number := float(literal)):
        raise ValueError(f"{literal} is out of range")
    return number
