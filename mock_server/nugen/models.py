"""Aligned models and their states, moved by deploy and undeploy tasks that take a little while."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from enum import StrEnum

from msgspec import Struct

from mlconform.mock_server.clock import Clock
from mlconform.mock_server.nugen.errors import NugenError
from mlconform.mock_server.nugen.rules import Rules


class Status(StrEnum):
    """The states of an aligned model."""

    READY = "READY"
    DEPLOYING = "DEPLOYING"
    DEPLOYED = "DEPLOYED"
    UNDEPLOYING = "UNDEPLOYING"
    UNDEPLOYED = "UNDEPLOYED"


class Task(Struct):
    """One deploy or undeploy. Times are epoch seconds; without an end it is pending."""

    started: float
    due: float
    ended: float | None = None


class AlignedModel(Struct):
    """One aligned model. Times are epoch seconds."""

    id: str
    name: str
    status: Status
    created: float
    usage_count: int = 0
    last_used: float | None = None
    deploy_task: Task | None = None
    undeploy_task: Task | None = None

    @property
    def is_deployed(self) -> bool:
        """Whether the model can be called; one that is being undeployed still can't."""
        return self.status is Status.DEPLOYED

    @property
    def endpoint(self) -> str:
        """Where the model is served while it is deployed."""
        return f"/api/v3/inference/completions?model={self.id}"


SHIPPED = (
    ("alignment-xyz789", Status.DEPLOYED),
    ("alignment-abc123", Status.UNDEPLOYED),
    ("alignment-def456", Status.READY),
)


class AlignedModels:
    """The models of one account; tasks end when the clock has passed their latency."""

    def __init__(self, rules: Rules, clock: Clock, models: list[AlignedModel] | None = None) -> None:
        self._rules = rules
        self._clock = clock
        self._models = {model.id: model for model in (_shipped(clock) if models is None else models)}

    def copy(self) -> AlignedModels:
        """The same models, which go their own way."""
        return AlignedModels(self._rules, self._clock, copy.deepcopy(self.all()))

    def all(self) -> list[AlignedModel]:
        """Every model, in the order of creation."""
        return list(self._models.values())

    def find(self, model_id: str, status: int = 404) -> AlignedModel:
        """The model with this id. Raises NugenError, 404 unless told otherwise."""
        model = self._models.get(model_id)
        if model is None:
            raise NugenError(status, "Model not found")
        return model

    def settle(self) -> None:
        """End every task that was due by now."""
        now = self._clock.now()
        for model in self._models.values():
            if model.status is Status.DEPLOYING and _is_due(model.deploy_task, now):
                model.status = Status.DEPLOYED
            if model.status is Status.UNDEPLOYING and _is_due(model.undeploy_task, now):
                model.status = Status.UNDEPLOYED if self._rules.undeploy_takes_effect else Status.DEPLOYED

    def undeploy(self, model_id: str) -> AlignedModel:
        """Begin to undeploy. Raises NugenError: 404 for an unknown model, 400 for one not deployed."""
        model = self.find(model_id, self._rules.unknown_undeploy_status)
        if model.status is not Status.DEPLOYED:
            if model.status is Status.UNDEPLOYED and not self._rules.undeployed_is_refused:
                return model
            raise NugenError(400, f"Model cannot be UNDEPLOYED. Current status: {model.status}.")
        model.status, model.undeploy_task = Status.UNDEPLOYING, self._task(self._rules.undeploy_finishes)
        return model

    def deploy(self, model_id: str) -> AlignedModel:
        """Begin to deploy. Raises NugenError: 404 for an unknown model, 400 for one in no state to deploy."""
        model = self.find(model_id)
        refused = {Status.DEPLOYED, Status.DEPLOYING, Status.UNDEPLOYING}
        if not self._rules.undeployed_can_be_redeployed:
            refused.add(Status.UNDEPLOYED)
        if model.status in refused:
            raise NugenError(400, f"Model cannot be redeployed. Current status: {model.status}")
        model.status, model.deploy_task = Status.DEPLOYING, self._task(finishes=True)
        return model

    def use(self, model_id: str) -> AlignedModel:
        """Count one inference. Raises NugenError: 404 for an unknown model, 400 for one not deployed."""
        model = self.find(model_id)
        if not model.is_deployed and not self._rules.undeployed_infers:
            raise NugenError(400, f"Model is not available for inference. Current status: {model.status}")
        model.usage_count += 1
        model.last_used = self._clock.now()
        return model

    def _task(self, finishes: bool) -> Task:
        now = self._clock.now()
        return Task(now, now + self._rules.latency if finishes else float("inf"))


def _shipped(clock: Clock) -> list[AlignedModel]:
    now = clock.now()
    return [
        AlignedModel(model_id, f"Aligned {model_id.removeprefix('alignment-')}", status, now)
        for model_id, status in SHIPPED
    ]


def _is_due(task: Task | None, now: float) -> bool:
    if task is None or task.due > now:
        return False
    task.ended = task.due
    return True


def timestamp(seconds: float | None) -> str | None:
    """Epoch seconds as ISO 8601 in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
