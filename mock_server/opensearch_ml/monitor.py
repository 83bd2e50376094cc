"""What the nodes did since they started: the counts behind statistics and profiles."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from mlconform.mock_server import codec
from mlconform.mock_server.opensearch_ml.store import JsonObject, Model

Counts = dict[str, Counter[tuple[str, str]]]

_BEFORE_THE_MODEL = ("register", "train")
_MODELS_KEPT = 1_000


class Monitor:
    """Counts requests by node and by what they did to which model; a restart forgets them.

    Of models only those that were used last are kept, for a mock may see more of them than it has memory.
    """

    def __init__(self, local_node_id: str) -> None:
        self._local_node_id = local_node_id
        self._algorithms: Counts = {}
        self._models: OrderedDict[str, Counter[tuple[str, str]]] = OrderedDict()

    def restart(self) -> None:
        """Count from zero."""
        self._algorithms.clear()
        self._models.clear()

    def count(self, model: Model, action: str, nodes: Iterable[str] | None = None) -> None:
        """One request for an action, on these nodes or on the one that clients talk to.

        What makes a model counts for its algorithm alone.
        """
        asked = (self._local_node_id,) if nodes is None else tuple(nodes)
        _add(self._algorithms, model.algorithm.lower(), asked, action)
        if action in _BEFORE_THE_MODEL:
            return
        _add(self._models, model.id, asked, action)
        self._models.move_to_end(model.id)
        if len(self._models) > _MODELS_KEPT:
            self._models.popitem(last=False)

    @contextmanager
    def prediction(self, model: Model, action: str = "PREDICT") -> Iterator[None]:
        """A predict call that reached the model; one that is refused then was no inference."""
        self.count(model, action.lower())
        # A model that is trained on the node answers without being deployed, but then no node remembers it.
        remembered = model.in_memory or model.algorithm == "REMOTE"
        model.requests += remembered
        yield
        model.inferences += remembered and action == "PREDICT"

    def dump(self) -> JsonObject:
        """All counts as JSON values: by what is counted, node and action."""
        return {"algorithms": _dumped(self._algorithms), "models": _dumped(self._models)}

    def load(self, dumped: JsonObject) -> None:
        """Go on from what was dumped. Raises CodecError for what is no dump."""
        for name, counts in (("algorithms", self._algorithms), ("models", self._models)):
            counts.clear()
            loaded = codec.load(dict[str, dict[str, dict[str, int]]], dumped.get(name, {}), f"monitor.{name}")
            for counted, nodes in loaded.items():
                numbers = {(node, action): n for node, acts in nodes.items() for action, n in acts.items()}
                counts[counted] = Counter(numbers)

    def requests(self, node: str) -> int:
        """All requests that a node counted."""
        counters = self._algorithms.values()
        return sum(
            number for counter in counters for (counted, _), number in counter.items() if counted == node
        )

    def sections(self, node: str) -> JsonObject:
        """The counts of a node by algorithm and by model, each by action."""
        return {"algorithms": _tree(self._algorithms, node), "models": _tree(self._models, node)}


def _dumped(counts: Counts) -> JsonObject:
    dumped: JsonObject = {}
    for name, counter in counts.items():
        for (node, action), number in counter.items():
            dumped.setdefault(name, {}).setdefault(node, {})[action] = number
    return dumped


def _add(counts: Counts, name: str, nodes: tuple[str, ...], action: str) -> None:
    counts.setdefault(name, Counter()).update((node, action) for node in nodes)


def _tree(counts: Counts, node: str) -> JsonObject:
    tree: JsonObject = {}
    for name, counter in counts.items():
        for (counted, action), number in counter.items():
            if counted == node:
                tree.setdefault(name, {})[action] = {"ml_action_request_count": number}
    return tree
