"""What nodes keep of models that were deleted: until an undeploy names them, or a restart."""

from __future__ import annotations

from mlconform.mock_server.opensearch_ml.store import Model, ModelState
from mlconform.mock_server.opensearch_ml.sync_up import SyncUp


class Remnants:
    """`models` are those that were deleted and are in memory still, by id; of those in `asked`, that no node
    has, they still know how often they were asked to predict.
    """

    def __init__(self, sync_up: SyncUp) -> None:
        self._sync_up = sync_up
        self.models: dict[str, Model] = {}
        self.asked: dict[str, Model] = {}

    def keep(self, model: Model, state: ModelState, nodes: tuple[str, ...], at: float) -> None:
        """A model that is deleted at this instant stays on these nodes: deployed, or for ever on its way."""
        model.state, model.planned_nodes, model.local_node_forgot_at = state, nodes, at
        model.worker_nodes = nodes if state is ModelState.DEPLOYED else ()
        self.models[model.id] = model

    def remember(self, model: Model) -> None:
        """Nodes know that a model that is deleted now was asked for; what they forgot takes no room."""
        asked = {name: each for name, each in self.asked.items() if self._sync_up.asked(each)}
        self.asked = asked | {model.id: model}

    def workers(self, model: Model) -> tuple[str, ...]:
        """The nodes that serve one; they learn of each other when the sync-up job runs next."""
        return () if self._sync_up.is_forgotten(model) else model.worker_nodes

    def serving(self, model_id: str) -> Model | None:
        """The model with this id where it answers predict calls though it was deleted."""
        model = self.models.get(model_id)
        return model if model is not None and self.workers(model) else None

    def undeploy(self, model_id: str, node_ids: tuple[str, ...]) -> tuple[str, ...]:
        """Let these nodes go of one; tells which of them served it."""
        self._forget_asked(model_id, node_ids)
        model = self.models.get(model_id)
        if model is None:
            return ()
        served = tuple(node for node in self.workers(model) if node in node_ids)
        self._leave(model, node_ids)
        return served

    def restart(self) -> None:
        """Every node restarts and forgets them all."""
        self.models.clear()
        self.asked.clear()

    def lose_node(self, node: str) -> None:
        """A node left with what it had in memory."""
        for model in list(self.models.values()):
            self._leave(model, (node,))
        for model_id in list(self.asked):
            self._forget_asked(model_id, (node,))

    def _forget_asked(self, model_id: str, node_ids: tuple[str, ...]) -> None:
        if model_id in self.asked:
            self.asked[model_id].forget_asked_at(node_ids)
            if not self.asked[model_id].asked_at:
                del self.asked[model_id]

    def _leave(self, model: Model, node_ids: tuple[str, ...]) -> None:
        model.worker_nodes = tuple(node for node in model.worker_nodes if node not in node_ids)
        model.planned_nodes = tuple(node for node in model.planned_nodes or () if node not in node_ids)
        if not model.planned_nodes:
            del self.models[model.id]
