"""The `nugen` profile: routes, authentication and answers of the Nugen API."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import unquote

from msgspec import Struct
from msgspec.structs import replace

from mlconform.mock_server import codec
from mlconform.mock_server.clock import Clock
from mlconform.mock_server.core import Request, Response, json_response
from mlconform.mock_server.nugen.completions import complete, read_prompt
from mlconform.mock_server.nugen.errors import NugenError
from mlconform.mock_server.nugen.models import AlignedModel, AlignedModels, Status, Task, timestamp
from mlconform.mock_server.nugen.rules import Rules

PREFIX = "/api/v3/"
REFUSED_TOKEN = "invalid"
JSON = "application/json"


class Route(Struct, frozen=True):
    """One operation; the group of the pattern, where there is one, is the model's id."""

    method: str
    path: re.Pattern[str]
    answer: Callable[[str, Request], Any]


class Nugen:
    """An account with a few aligned models.

    Any bearer token but `invalid` is accepted, or only those in `tokens`.
    """

    def __init__(
        self, rules: Rules, clock: Clock, *, seed: int = 0, tokens: Collection[str] | None = None
    ) -> None:
        self._rules = rules
        self._clock = clock
        self._tokens = tokens
        self._random = random.Random(seed)
        self._models = AlignedModels(rules, clock)
        self._before: AlignedModels | None = None
        model, status = r"models/{}-model/([^/]+)", "/status"
        self._routes = tuple(
            Route(method, re.compile(PREFIX + path), answer)
            for method, path, answer in (
                ("DELETE", model.format("undeploy"), self._undeploy),
                ("GET", model.format("undeploy") + status, self._undeploy_status),
                ("POST", model.format("deploy"), self._deploy),
                ("GET", model.format("deploy") + status, self._deploy_status),
                ("GET", "models/aligned", self._aligned),
                ("POST", "inference/completions", self._completions),
            )
        )

    def owns(self, path: str) -> bool:
        """Whether the path is below the API's prefix."""
        return path.startswith(PREFIX)

    def handle(self, request: Request) -> Response:
        """Answer one request, after every task that was due has ended."""
        self._models.settle()
        try:
            route, model_id = self._route(request)
            self._authenticate(request)
            return self._response(200, route.answer(model_id, request))
        except NugenError as error:
            return self._response(error.status, {"detail": error.detail}, error.headers)

    def _response(self, status: int, value: Any, headers: tuple[tuple[str, str], ...] = ()) -> Response:
        response = json_response(status, value, content_type=JSON, headers=headers)
        return response if self._rules.bodies_are_whole else replace(response, body=response.body[:-1])

    def not_mocked(self) -> list[dict[str, Any]]:
        """Nothing: what the page of the vendor has is all there."""
        return []

    def reset(self) -> None:
        """The models as they are shipped."""
        self._models = AlignedModels(self._rules, self._clock)

    def restart(self) -> None:
        """Nothing is lost: models are served by a service that the account does not restart."""

    def dump(self) -> Mapping[str, Any]:
        """Every model with its tasks."""
        self._models.settle()
        return {"models": codec.dump(self._models.all())}

    def remember(self) -> None:
        """Keep the models as they are now."""
        self._before = self._models.copy()

    def handle_before(self, request: Request) -> Response:
        """Answer from the models as they were kept."""
        present, self._models = self._models, self._before or self._models
        try:
            return self.handle(request)
        finally:
            self._models = present

    def load(self, state: Mapping[str, Any]) -> None:
        """The models of a dump; raises ValueError for what is none."""
        models = codec.load(list[AlignedModel], state.get("models"), "models")
        self._models = AlignedModels(self._rules, self._clock, models)

    def _route(self, request: Request) -> tuple[Route, str]:
        methods = []
        for route in self._routes:
            match = route.path.fullmatch(request.path)
            if match is None:
                continue
            if route.method == request.method:
                return route, unquote(match[1], errors="replace") if match.groups() else ""
            methods.append(route.method)
        if methods:
            raise NugenError(405, "Method Not Allowed", (("allow", ", ".join(methods)),))
        raise NugenError(404, "Not Found")

    def _authenticate(self, request: Request) -> None:
        if not self._rules.token_required:
            return
        challenge = (("www-authenticate", "Bearer"),)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise NugenError(401, "Not authenticated", challenge)
        known = token != REFUSED_TOKEN if self._tokens is None else token in self._tokens
        if self._rules.token_checked and not known:
            raise NugenError(401, "Invalid authentication credentials", challenge)

    def _undeploy(self, model_id: str, _request: Request) -> Any:
        model = self._models.undeploy(model_id)
        return model.id if self._rules.undeploy_answers_id else {"model_id": model.id}

    def _deploy(self, model_id: str, _request: Request) -> Any:
        return self._models.deploy(model_id).id

    def _undeploy_status(self, model_id: str, _request: Request) -> Any:
        model = self._models.find(model_id)
        result = {"message": self._rules.completed_message}
        return _task_view(model, model.undeploy_task, result, self._rules)

    def _deploy_status(self, model_id: str, _request: Request) -> Any:
        model = self._models.find(model_id)
        result = {"deployment_id": model.id, "endpoint_url": model.endpoint, "deployment_status": "DEPLOYED"}
        return _task_view(model, model.deploy_task, result, self._rules)

    def _aligned(self, _model_id: str, _request: Request) -> Any:
        return {"domain_aligned_models": [self._view(model) for model in self._models.all()]}

    def _completions(self, _model_id: str, request: Request) -> Any:
        prompt = read_prompt(request.body, self._rules)
        self._models.use(prompt.model)
        completion_id = f"cmpl-{self._random.getrandbits(96):024x}"
        return complete(prompt, completion_id, int(self._clock.now()))

    def _view(self, model: AlignedModel) -> dict[str, Any]:
        shows_endpoint = model.is_deployed or not self._rules.endpoint_only_while_deployed
        return {
            "id": model.id,
            "alignment_id": model.id,
            "name": model.name,
            "base_model": "nugen-flash-instruct",
            "alignment_project": "mock",
            "created_date": timestamp(model.created),
            "status": self._rules.ready_shows if model.status is Status.READY else str(model.status),
            "deployment_status": "DEPLOYED" if model.is_deployed else self._rules.not_deployed_shows,
            "endpoint": model.endpoint if shows_endpoint else None,
            "creator": "mock",
            "usage_count": model.usage_count,
            "last_used": timestamp(model.last_used),
            "performance_metrics": {},
            "downloadable": False,
            "evaluation_data": [],
            "conversation_saving_enabled": False,
        }


def _task_view(
    model: AlignedModel, task: Task | None, result: dict[str, str], rules: Rules
) -> dict[str, Any]:
    if task is None:
        raise NugenError(404, "Task not found")
    done = task.ended is not None
    return {
        "model_id": model.id,
        "status": "COMPLETED" if done else rules.pending_shows,
        "result": result if done else None,
        "start_time": timestamp(task.started),
        "end_time": timestamp(task.ended),
    }
