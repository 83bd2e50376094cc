"""What the nodes of the cluster tell: profiles, statistics, undeployed models, predictions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from mlconform.conformance.targets.endpoint import ANSWER
from mlconform.conformance.watch.envelopes import member
from mlconform.conformance.watch.observation import Observation, Seen
from mlconform.conformance.watch.things import Things

# The statistic that the page shows.
_STATISTIC: Final = "ml_executing_task_count"
# What a profile tells of how long predictions took.
_MEASURED: Final = ("model_inference_stats", "predict_request_stats")
_ROUNDED: Final = 1e-9
_RISING: Final = ("min", "p50", "p90", "p99", "max")


class Nodes:
    """Holds what nodes tell to the nodes that there are and to the models that were read.

    `nodes` are the ids of the cluster's nodes.
    """

    def __init__(self, things: Things, nodes: frozenset[str]) -> None:
        self._things = things
        self._nodes = nodes
        self._answered: set[str] = set()
        self._refused: set[str] = set()

    def asked(self, seen: Seen) -> None:
        """Which models answered each prediction so far, and which did not."""
        name = seen.path[-1] if seen.operation == "predict_algorithm" else seen.path[-2]
        answered = seen.succeeded and seen.operation != "batch_predict"
        (self._answered if answered else self._refused).add(name)

    def predicted(self, seen: Seen) -> Iterator[Observation]:
        results = member(seen.body, "inference_results")
        # Of a local model no connector's model answers.
        local = member(seen.sent, "text_docs") is not None
        remote = "remote" in seen.path and not local
        is_sparse = any(step.startswith("sparse") for step in seen.path)
        for result in results if isinstance(results, list) else ():
            outputs = member(result, "output")
            yield Observation(
                "osml.relation.predicted",
                not remote or (isinstance(outputs, list) and member(result, "status_code") == 200),
                "a prediction of a remote model with its `output` and the `status_code` 200",
                repr(result)[:300],
            )
            for output in outputs if isinstance(outputs, list) else ():
                answer = member(output, "dataAsMap")
                if local:
                    yield from _weighed(answer, is_sparse)
                elif answer is not None or remote:
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
        self._answered -= models
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
        told = member(seen.body, "nodes")
        nodes: dict[str, Any] = told if isinstance(told, dict) else {}
        held: dict[str, set[str]] = {}
        for node, found in nodes.items():
            models = member(found, "models")
            for name, model in (models if isinstance(models, dict) else {}).items():
                held.setdefault(name, set()).update(model if isinstance(model, dict) else ())
                yield from self._profile(node, name, model)
        yield from self._all_held(seen, held)
        # What a node measured goes with the model that it held.
        if _asks_for_all(seen) and self._nodes <= nodes.keys():
            yield from self._all_measured(seen, held)

    def _all_measured(self, seen: Seen, held: Mapping[str, set[str]]) -> Iterator[Observation]:
        """The node that is asked and the one that infers may be two, each with its own measure."""
        for name in held.keys() & (self._answered - self._refused):
            yield Observation(
                "osml.relation.profile",
                "predict_request_stats" not in held[name] or "model_inference_stats" in held[name],
                "`model_inference_stats` beside `predict_request_stats` where each prediction succeeded",
                seen.exchange,
            )

    def _all_held(self, seen: Seen, held: Collection[str]) -> Iterator[Observation]:
        """What reads as deployed has a profile."""
        whole = seen.operation == "profile_models" or (seen.operation == "profile" and _asks_for_all(seen))
        if seen.racing or not (whole or seen.operation == "profile_model"):
            return
        for name, thing in self._things.named("models"):
            asked = whole or name in seen.path
            if asked and thing.there and thing.whole.get("model_state") == "DEPLOYED":
                yield Observation(
                    "osml.relation.profile",
                    name in held,
                    "a profile of a model that reads as deployed",
                    seen.exchange,
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
        for measured in _MEASURED:
            stats = member(model, measured)
            if stats is not None:
                yield Observation(
                    "osml.relation.profile",
                    _agree(stats),
                    f"`{measured}` as numbers that agree, from `min` to `max`, of at least one",
                    repr(stats),
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
            seen.exchange,
        )


def _asks_for_all(seen: Seen) -> bool:
    """Whether neither a body nor a query leaves out a part of the profile."""
    return not seen.sent and "?" not in seen.exchange.request.path


def _weighed(answer: Any, is_sparse: bool) -> Iterator[Observation]:
    """What a sparse model says of a text: how much each of its words weighs."""
    told = member(answer, "response")
    if told is None and not is_sparse:
        return
    words = told if isinstance(told, list) else [told]
    yield Observation(
        "osml.relation.predicted",
        bool(words) and all(isinstance(each, dict) and all(map(_is_weight, each.values())) for each in words),
        "a prediction of a sparse model with the words of each text and what they weigh",
        repr(answer)[:300],
    )


def _is_weight(value: Any) -> bool:
    return type(value) in (int, float) and value > 0


def _agree(stats: Any) -> bool:
    """Whether statistics of a time are those of the same calls; with one call they are all alike."""
    rising = [member(stats, name) for name in _RISING]
    average, count = member(stats, "average"), member(stats, "count")
    if any(type(each) not in (int, float) for each in (*rising, average)) or type(count) is not int:
        return False
    if count == 1:
        return {*rising, average} == {average}
    # One call was the quickest, another the slowest, and the rest lie between; numbers are rounded.
    least, most = rising[0], rising[-1]
    between = (least * (count - 1) + most) * (1 - _ROUNDED) <= average * count
    between = between and average * count <= (least + most * (count - 1)) * (1 + _ROUNDED)
    return count > 1 and between and sorted(rising) == rising
