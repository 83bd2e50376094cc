"""What the nodes did since they started: the counts behind statistics and profiles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from mock_server.opensearch_ml.store import JsonObject, Model

Count = tuple[str, str, str]


class Monitor:
    """Counts requests by node and by what they did to which model; a restart forgets them."""

    def __init__(self, local_node_id: str) -> None:
        self._local_node_id = local_node_id
        self._algorithms: Counter[Count] = Counter()
        self._models: Counter[Count] = Counter()

    def restart(self) -> None:
        """Count from zero."""
        self._algorithms.clear()
        self._models.clear()

    def count(self, model: Model, action: str, nodes: Iterable[str] | None = None) -> None:
        """One request for an action, on these nodes or on the one that clients talk to."""
        for node in (self._local_node_id,) if nodes is None else nodes:
            self._algorithms[node, model.algorithm.lower(), action] += 1
            self._models[node, model.id, action] += 1

    @contextmanager
    def prediction(self, model: Model, action: str = "PREDICT") -> Iterator[None]:
        """A predict call that reached the model; one that is refused then was no inference."""
        self.count(model, action.lower())
        # A model that is trained on the node answers without being deployed, but then no node remembers it.
        remembered = model.in_memory or model.algorithm == "REMOTE"
        model.requests += remembered
        yield
        model.inferences += remembered and action == "PREDICT"

    def requests(self, node: str) -> int:
        """All requests that a node counted."""
        return sum(number for (counted, *_), number in self._algorithms.items() if counted == node)

    def sections(self, node: str) -> JsonObject:
        """The counts of a node by algorithm and by model, each by action."""
        return {"algorithms": _tree(self._algorithms, node), "models": _tree(self._models, node)}


def _tree(counts: Counter[Count], node: str) -> JsonObject:
    tree: JsonObject = {}
    for (counted, name, action), number in counts.items():
        if counted == node:
            tree.setdefault(name, {})[action] = {"ml_action_request_count": number}
    return tree
