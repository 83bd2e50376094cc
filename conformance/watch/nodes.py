"""What the nodes of the cluster tell: profiles, statistics, undeployed models, predictions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from conformance.targets.endpoint import ANSWER
from conformance.watch.envelopes import member
from conformance.watch.observation import Observation, Seen
from conformance.watch.things import Things

# The statistic that the page shows.
_STATISTIC: Final = "ml_executing_task_count"


class Nodes:
    """Holds what nodes tell to the nodes that there are and to the models that were read.

    `nodes` are the ids of the cluster's nodes.
    """

    def __init__(self, things: Things, nodes: frozenset[str]) -> None:
        self._things = things
        self._nodes = nodes

    def predicted(self, seen: Seen) -> Iterator[Observation]:
        if member(seen.sent, "text_docs") is not None:
            # Of a local model, which no connector's model answers for.
            return
        results = member(seen.body, "inference_results")
        for result in results if isinstance(results, list) else ():
            outputs = member(result, "output")
            for output in outputs if isinstance(outputs, list) else ():
                answer = member(output, "dataAsMap")
                if answer is not None:
                    yield Observation(
                        "osml.relation.predicted",
                        answer == ANSWER and member(output, "name") == "response",
                        "a prediction named `response` with the answer of the model behind the connector",
                        repr(answer),
                    )

    def undeployed(self, seen: Seen) -> Iterator[Observation]:
        body = seen.body if isinstance(seen.body, dict) else {}
        asked = member(seen.sent, "model_ids")
        models = set(map(str, asked)) if isinstance(asked, list) else {seen.path[-2]}
        for node, found in body.items():
            stats = member(found, "stats")
            if isinstance(stats, dict):
                yield Observation(
                    "osml.relation.id",
                    set(stats) <= models and (not self._nodes or node in self._nodes),
                    "an undeploy tells of nodes of the cluster and of models that it was sent for",
                    f"{node}: {sorted(stats)}",
                )

    def profiled(self, seen: Seen) -> Iterator[Observation]:
        nodes = member(seen.body, "nodes")
        held: set[str] = set()
        for node, found in (nodes if isinstance(nodes, dict) else {}).items():
            models = member(found, "models")
            for name, model in (models if isinstance(models, dict) else {}).items():
                held.add(name)
                yield from self._profile(node, name, model)
        yield from self._all_held(seen, held)

    def _all_held(self, seen: Seen, held: set[str]) -> Iterator[Observation]:
        """What reads as deployed has a profile."""
        if seen.operation not in ("profile_model", "profile_models") or seen.racing:
            return
        for (kind, name), thing in self._things.known.items():
            asked = seen.operation == "profile_models" or name in seen.path
            if kind == "models" and asked and thing.there and thing.whole.get("model_state") == "DEPLOYED":
                yield Observation(
                    "osml.relation.profile",
                    name in held,
                    "a profile of a model that reads as deployed",
                    seen.exchange.summary,
                )

    def _profile(self, node: str, name: str, model: Any) -> Iterator[Observation]:
        lists = [member(model, each) for each in ("worker_nodes", "target_worker_nodes")]
        workers = [str(worker) for each in lists if isinstance(each, list) for worker in each]
        yield Observation(
            "osml.relation.profile",
            not self._nodes or {node, *workers} <= self._nodes,
            "a profile tells of nodes of the cluster",
            f"{node}, {workers}",
        )
        thing = self._things.get("models", name)
        if thing is not None and thing.whole.get("model_state") == "DEPLOYED" and node in workers:
            yield Observation(
                "osml.relation.profile",
                member(model, "model_state") == "DEPLOYED" and all(isinstance(each, list) for each in lists),
                "the profile of a deployed model on a node that holds it has its state and its nodes",
                repr(model)[:300],
            )

    def counted_by_node(self, seen: Seen) -> Iterator[Observation]:
        """Statistics are numbers, and each node that is told of has those that were asked for."""
        body = seen.body if isinstance(seen.body, dict) else {}
        nodes = body.get("nodes", body)
        asked = seen.path[-1] if seen.path[-1] != "stats" else _STATISTIC
        told = {
            name: each
            for name, each in (nodes if isinstance(nodes, dict) else {}).items()
            if name in self._nodes
        }
        wrong = [
            name
            for each in told.values()
            for name, value in (each if isinstance(each, dict) else {"ml_": each}).items()
            if name.startswith("ml_") and (type(value) is not int or value < 0)
        ]
        yield Observation(
            "osml.relation.statistics",
            not wrong and all(asked in each for each in told.values() if isinstance(each, dict)),
            f"statistics of each node as numbers, {_STATISTIC} among them",
            seen.exchange.summary,
        )
