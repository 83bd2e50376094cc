"""Nodes that leave the cluster and come back, and what that does to the models that they had."""

from __future__ import annotations

from typing import Protocol

from mlconform.mock_server.opensearch_ml.eligibility import eligible
from mlconform.mock_server.opensearch_ml.environment import Environment
from mlconform.mock_server.opensearch_ml.opensearch_core.settings import (
    AUTO_REDEPLOY,
    REDEPLOY_RETRIES,
    Settings,
)
from mlconform.mock_server.opensearch_ml.remnants import Remnants
from mlconform.mock_server.opensearch_ml.store import Model, ModelState, Store


class Deploying(Protocol):
    """Who deploys."""

    def deploy(self, model: Model, node_ids: tuple[str, ...] | None) -> str:
        """Begin to deploy a model on these nodes, or on all with None; gives the id of the task."""

    def finish(self, model: Model) -> None:
        """Let a deployment that is under way end now."""


class Departures:
    """Which nodes left: `gone` are their ids."""

    def __init__(
        self,
        environment: Environment,
        settings: Settings,
        store: Store,
        deploying: Deploying,
        remnants: Remnants,
    ) -> None:
        self._environment = environment
        self._rules = environment.rules
        self._settings = settings
        self._store = store
        self._deploying = deploying
        self._remnants = remnants
        self.gone: set[str] = set()

    def eligible(self, model: Model) -> tuple[str, ...]:
        """The nodes that are there and may have the model in memory, in the order of plans."""
        may = eligible(self._environment, self._settings, model.algorithm)
        return tuple(node for node in may if node not in self.gone)

    def leave(self, node: str) -> None:
        """A node leaves with what it has in memory; the models that it had are deployed again elsewhere."""
        self.gone.add(node)
        self._remnants.lose_node(node)
        for _, model in self._store.models:
            self._deploying.finish(model)
            if node in model.memory_nodes and self._rules.departures_are_noticed:
                self._lose(model, node)

    def come_back(self, node: str) -> None:
        """A node comes back with nothing in memory; models that are on all nodes are deployed again."""
        self.gone.discard(node)
        for _, model in self._store.models:
            if not (model.in_memory and model.on_all_nodes and self._rules.returned_nodes_are_used):
                continue
            if not self._deploys_again(model):
                model.state, model.planned_nodes = ModelState.PARTIALLY_DEPLOYED, self.eligible(model)
            elif self._rules.returned_nodes_unsettle:
                model.is_unsettled = True
            self._store.models.touch(model.id)

    def _lose(self, model: Model, node: str) -> None:
        model.worker_nodes = tuple(each for each in model.worker_nodes if each != node)
        model.unlisted_nodes = tuple(each for each in model.unlisted_nodes if each != node)
        model.planned_nodes = tuple(each for each in model.planned_nodes or () if each != node)
        if not model.in_memory:
            model.state, model.tokenizer = ModelState.DEPLOY_FAILED, None
        else:
            self._deploys_again(model)
        self._store.models.touch(model.id)

    def _deploys_again(self, model: Model) -> bool:
        """Deploy it again by itself, where that is on and it was not done as often as may be."""
        limit = self._settings.number(REDEPLOY_RETRIES) if self._rules.redeploys_are_limited else None
        if not (self._rules.auto_redeploy and self._settings.on(AUTO_REDEPLOY)):
            return False
        if limit is not None and model.redeploys >= limit:
            return False
        redeploys = model.redeploys + 1
        self._deploying.deploy(model, None if model.on_all_nodes else model.memory_nodes)
        model.redeploys = redeploys
        return True
