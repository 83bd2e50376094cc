"""What a node of local models has room for: models, tasks at once and memory, each by a cluster setting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mlconform.mock_server.opensearch_ml.functions import LOCAL_FUNCTIONS
from mlconform.mock_server.opensearch_ml.nodes import USED_PERCENT
from mlconform.mock_server.opensearch_ml.opensearch_core.settings import (
    HEAP_MEMORY,
    MOST_DEPLOYS,
    MOST_MODELS,
    MOST_REGISTRATIONS,
    NATIVE_MEMORY,
    Settings,
)
from mlconform.mock_server.opensearch_ml.rules import Rules
from mlconform.mock_server.opensearch_ml.store import Model, Store
from mlconform.mock_server.opensearch_ml.work import Deployment

_TOO_MANY_MODELS = "Exceed max local model per node limit"
_TOO_MUCH_WORK = "exceed max running task limit"


class Limits:
    """What a node refuses because it has enough; each answer is the reason, as nodes tell it."""

    def __init__(self, rules: Rules, settings: Settings, store: Store) -> None:
        self._rules = rules
        self._settings = settings
        self._store = store

    def refusals(self, model: Model, nodes: Iterable[str], going_on: Sequence[Deployment]) -> dict[str, str]:
        """The nodes that do not deploy this model, beside the deployments that go on."""
        if model.algorithm not in LOCAL_FUNCTIONS:
            return {}
        return {node: told for node in nodes if (told := self._refusal(model, node, going_on)) is not None}

    def _refusal(self, model: Model, node: str, going_on: Sequence[Deployment]) -> str | None:
        if (short := self.memory_refusal()) is not None:
            return short
        busy = sum(node in deployment.nodes for deployment in going_on)
        if self._rules.deploy_tasks_are_limited and busy >= self._settings.number(MOST_DEPLOYS):
            return _TOO_MUCH_WORK
        held = sum(
            other.algorithm in LOCAL_FUNCTIONS and node in other.memory_nodes
            for _, other in self._store.models
            if other is not model
        )
        too_many = held >= self._settings.number(MOST_MODELS)
        return _TOO_MANY_MODELS if self._rules.models_are_limited and too_many else None

    def registration_refusal(self, going_on: int) -> str | None:
        """Why a node that has so many registrations going on begins no other one, or None."""
        if (short := self.memory_refusal()) is not None:
            return short
        too_many = going_on >= self._settings.number(MOST_REGISTRATIONS)
        return _TOO_MUCH_WORK if self._rules.register_tasks_are_limited and too_many else None

    def memory_refusal(self) -> str | None:
        """Why no task of a local model runs where more memory is used than a threshold allows, or None."""
        heap, native = self._rules.heap_threshold_is_kept, self._rules.native_threshold_is_kept
        used = USED_PERCENT if self._rules.thresholds_are_graded else 1
        if heap and self._settings.number(HEAP_MEMORY) < used:
            return "Memory Circuit Breaker is open, please check your resources!"
        if native and self._settings.number(NATIVE_MEMORY) < used:
            return "Native Memory Circuit Breaker is open, please check your resources!"
        return None
