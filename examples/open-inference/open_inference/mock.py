"""A server that speaks the protocol and has two models, which give back what they are given."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from mlconform.mock_server.clock import Clock
from mlconform.mock_server.core import Request, Response, json_response

MODELS: Final = ("echo", "second")
TENSORS: Final = (
    {"name": "x", "datatype": "FP64", "shape": [-1]},
    {"name": "y", "datatype": "INT64", "shape": [-1]},
)
_SIZES: Final = {"INT64": int, "FP64": (int, float)}


class Refused(Exception):  # noqa: N818 - an answer, not an error of ours
    """An answer that is not a success, with its status and its text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class OpenInference:
    """A server whose models are loaded at its start."""

    def __init__(self, clock: Clock, *, seed: int) -> None:
        del clock, seed
        self._loaded = dict.fromkeys(MODELS, True)
        self._before: dict[str, bool] | None = None
        model = r"/v2/models/([^/]+)"
        self._routes: tuple[tuple[str, re.Pattern[str], Callable[..., Any]], ...] = tuple(
            (method, re.compile(path), answer)
            for method, path, answer in (
                ("GET", r"/v2/?", self._server),
                ("GET", r"/v2/health/live", lambda _: {"live": True}),
                ("GET", r"/v2/health/ready", lambda _: {"live": all(self._loaded.values())}),
                ("GET", model, self._metadata),
                ("GET", f"{model}/ready", self._ready),
                ("POST", f"{model}/infer", self._infer),
                ("POST", r"/v2/repository/index", self._index),
                ("POST", r"/v2/repository/models/([^/]+)/load", partial(self._set, loaded=True)),
                ("POST", r"/v2/repository/models/([^/]+)/unload", partial(self._set, loaded=False)),
            )
        )

    def owns(self, path: str) -> bool:
        """Whether the path is below the protocol's."""
        return path == "/v2" or path.startswith("/v2/")

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        try:
            return json_response(200, self._answer(request))
        except Refused as refused:
            return json_response(refused.status, {"error": str(refused)})

    def _answer(self, request: Request) -> Any:
        for method, path, answer in self._routes:
            found = path.fullmatch(request.path)
            if found and method == request.method:
                return answer(request, *found.groups())
        raise Refused(404, f"no operation {request.method} {request.path}")

    def not_mocked(self) -> list[dict[str, Any]]:
        """Nothing of the protocol."""
        return []

    def reset(self) -> None:
        """All models loaded."""
        self._loaded = dict.fromkeys(MODELS, True)

    def restart(self) -> None:
        """As at its start: all models loaded."""
        self.reset()

    def remember(self) -> None:
        """Keep which models are loaded."""
        self._before = dict(self._loaded)

    def handle_before(self, request: Request) -> Response:
        """Answer from what was kept."""
        now, self._loaded = self._loaded, self._before or self._loaded
        try:
            return self.handle(request)
        finally:
            self._loaded = now

    def dump(self) -> Mapping[str, Any]:
        """Which models are loaded."""
        return {"loaded": dict(self._loaded)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over which models are loaded; raises ValueError for what says nothing of them."""
        loaded = state.get("loaded")
        if not isinstance(loaded, dict) or set(loaded) != set(MODELS):
            raise ValueError(f"expected `loaded` with {', '.join(MODELS)}, but got {loaded!r}")
        self._loaded = {name: bool(value) for name, value in loaded.items()}

    def _server(self, _: Request) -> Any:
        return {"name": "mlconform-mock", "version": "2", "extensions": ["model_repository"]}

    def _metadata(self, _: Request, name: str) -> Any:
        self._known(name)
        return {"name": name, "platform": "mock_echo", "inputs": list(TENSORS), "outputs": list(TENSORS)}

    def _ready(self, _: Request, name: str) -> Any:
        self._known(name)
        if not self._loaded[name]:
            raise Refused(400, f"model {name} is not loaded")
        return {"name": name, "ready": True}

    def _index(self, request: Request) -> Any:
        wanted = _object(request).get("ready", False)
        if not isinstance(wanted, bool):
            raise Refused(400, f"expected `ready` as a boolean, but got {wanted!r}")
        return [
            {"name": name, "state": "READY" if loaded else "UNAVAILABLE", "reason": ""}
            for name, loaded in self._loaded.items()
            if loaded or not wanted
        ]

    def _set(self, _: Request, name: str, *, loaded: bool) -> Any:
        self._known(name)
        self._loaded[name] = loaded
        return {}

    def _infer(self, request: Request, name: str) -> Any:
        self._ready(request, name)
        body = _object(request)
        given = body.get("inputs")
        if not isinstance(given, list):
            raise Refused(400, "expected `inputs` as a list of tensors")
        tensors = {tensor["name"]: _checked(tensor) for tensor in given if _is_named(tensor)}
        if len(tensors) != len(given) or set(tensors) != {tensor["name"] for tensor in TENSORS}:
            raise Refused(400, "expected the inputs that the metadata name, each once")
        asked = body.get("outputs") or list(TENSORS)
        if not isinstance(asked, list) or not all(
            _is_named(each) and each["name"] in tensors for each in asked
        ):
            raise Refused(400, "expected `outputs` that the metadata name")
        answer = {"model_name": name, "outputs": [tensors[each["name"]] for each in asked]}
        return answer | ({"id": body["id"]} if isinstance(body.get("id"), str) else {})

    def _known(self, name: str) -> None:
        if name not in self._loaded:
            raise Refused(404, f"there is no model {name}")


def _object(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Refused(400, "expected a JSON object as the body")
    return body


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str)


def _checked(tensor: dict[str, Any]) -> dict[str, Any]:
    """The tensor as an output, its data in one row; refused where type, shape and data do not agree."""
    kind, shape, data = tensor.get("datatype"), tensor.get("shape"), tensor.get("data")
    if not isinstance(kind, str) or kind not in _SIZES:
        raise Refused(400, f"{tensor['name']}: expected a datatype of {', '.join(_SIZES)}, but got {kind!r}")
    if not isinstance(shape, list) or len(shape) != 1 or not isinstance(data, list) or shape != [len(data)]:
        raise Refused(400, f"{tensor['name']}: expected a shape that its data have")
    if not all(isinstance(value, _SIZES[kind]) and not isinstance(value, bool) for value in data):
        raise Refused(400, f"{tensor['name']}: expected data of type {kind}")
    return {"name": tensor["name"], "datatype": kind, "shape": shape, "data": data}
