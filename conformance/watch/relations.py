"""What the answers of ML Commons owe to each other: what was made, written and deleted reads so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from mlconform.conformance.watch.counts import WRITES, WriteCounts
from mlconform.conformance.watch.envelopes import member
from mlconform.conformance.watch.nodes import Nodes
from mlconform.conformance.watch.observation import Held, Observation, Seen, held
from mlconform.conformance.watch.reads import Reads
from mlconform.conformance.watch.things import (
    AFTER_CHUNKS,
    AS_SENT,
    CREATIONS,
    DELETES,
    FROM_URL,
    ID_OF,
    READS,
    SEARCHES,
    UPDATES,
    Things,
)

# A request that changes a model beside its own writes.
_CHANGES_MODEL: Final = frozenset(
    {
        "create_controller",
        "deploy_model",
        "predict_algorithm",
        "predict_model",
        "undeploy_model",
        "undeploy_models",
        "update_controller",
    }
)
_PREDICTIONS: Final = ("predict_algorithm", "predict_model", "batch_predict")
# What an update may send, and what else that changes: a model counts anew in another group.
_MOVED_BY: Final = {
    "model_group_id": "model_version",
    "access_mode": "access",
    "backend_roles": "access",
    "add_all_backend_roles": "access",
}


class Relations:
    """Remembers what answers told, and holds later ones to it.

    `nodes` are the ids of the cluster's nodes; `now` is the target's time in seconds.
    """

    def __init__(self, nodes: Iterable[str], now: Callable[[], float] = time.time) -> None:
        known = frozenset(nodes)
        self._things = Things()
        self._counts = WriteCounts(self._things, len(known))
        self._reads = Reads(self._things, self._counts, known, now)
        self._nodes = Nodes(self._things, known)
        # What was sent for models that are still to be made, by the task.
        self._coming: dict[str, Any] = {}

    def __call__(self, seen: Seen) -> Iterator[Observation | Held]:
        operation = seen.operation or ""
        if operation in READS:
            yield from self._reads.read(READS[operation], seen)
        elif seen.status == 404 and not seen.racing:
            yield from self._not_found(seen)
        self._in_use(operation, seen)
        if not seen.succeeded:
            if operation in WRITES and seen.status >= 500:
                self._forget(seen)
            return
        yield from self._counts.written(seen)
        self._task(seen)
        if operation in CREATIONS:
            yield from self._named(seen)
            self._created(CREATIONS[operation], seen)
        elif operation in UPDATES:
            self._updated(UPDATES[operation], seen)
        elif operation in DELETES:
            yield from self._deleted(DELETES[operation], seen)
        elif operation in SEARCHES:
            yield from self._reads.found(SEARCHES[operation], seen)
        else:
            yield from self._acted(operation, seen)

    def _in_use(self, operation: str, seen: Seen) -> None:
        """Whatever the answer: a predict that is refused may have deployed the model first."""
        if operation in _CHANGES_MODEL:
            self._not_alone(seen)
        if operation in _PREDICTIONS:
            self._nodes.asked(seen)

    def _acted(self, operation: str, seen: Seen) -> Iterator[Observation | Held]:
        if operation == "get_task":
            self._come(seen)
        if operation == "create_controller":
            self._limited(seen)
        if operation == "deploy_model" and not seen.sent and not seen.racing:
            thing = self._things.get("models", seen.path[-2])
            if thing is not None:
                thing.sent["deploy_to_all_nodes"] = True
        if operation in ("predict_model", "predict_algorithm"):
            yield from self._nodes.predicted(seen)
        if operation.startswith("undeploy_model"):
            yield from self._nodes.undeployed(seen)
        if operation.startswith("profile"):
            yield from self._nodes.profiled(seen)
        if operation in ("stats", "stat", "node_stats", "node_stat"):
            yield from self._nodes.counted_by_node(seen)

    def _named(self, seen: Seen) -> Iterator[Observation | Held]:
        """A model that is hosted elsewhere is there at once, and the answer names it."""
        if str(member(seen.sent, "function_name")).lower() == "remote" and seen.operation == "register_model":
            yield Observation(
                "osml.relation.task",
                isinstance(member(seen.body, "model_id"), str),
                "the registration of a remote model names the model",
                seen.exchange,
            )

    def _created(self, kind: str, seen: Seen) -> None:
        if kind == "models":
            # A new version is counted by its group.
            for group in self._things.of_kind("model_groups"):
                group.alone = False
        name = member(seen.body, ID_OF[kind])
        if not isinstance(name, str):
            return
        operation = seen.operation or ""
        kept = AFTER_CHUNKS if operation == "register_model_meta" else None
        thing = self._things.made(kind, name, seen.sent, operation, kept)
        if seen.racing or "deploy=true" in seen.exchange.request.path or member(seen.sent, "deploy"):
            thing.alone = False

    def _task(self, seen: Seen) -> None:
        name = member(seen.body, "task_id")
        if isinstance(name, str) and seen.operation not in READS:
            self._things.made("tasks", name, None, seen.operation or "")
            thing = self._things.get("tasks", name)
            model = member(seen.body, "model_id")
            if seen.operation == "deploy_model":
                model = seen.path[-2]
            if seen.operation == "register_model" and model is None and not seen.racing:
                self._coming[name] = seen.sent
            if thing is not None and isinstance(model, str):
                thing.sent["model_id"] = model

    def _come(self, seen: Seen) -> None:
        """The task of a registration has ended, and names the model that it made."""
        name, task = member(seen.body, "model_id"), seen.path[-1]
        if member(seen.body, "state") != "COMPLETED" or task not in self._coming:
            return
        sent = self._coming.pop(task)
        if isinstance(name, str) and self._things.get("models", name) is None:
            thing = self._things.made("models", name, sent, "get_task", FROM_URL)
            # Known only now, and deployed meanwhile where that was asked for.
            thing.there, thing.version, thing.alone = None, None, False

    def _updated(self, kind: str, seen: Seen) -> None:
        thing = self._things.get(kind, seen.path[-1])
        if thing is None and kind == "models":
            # It is being made; what its registration sent says no longer how it reads.
            thing = self._things.made(kind, seen.path[-1], None, "")
            thing.there, thing.version, thing.alone = None, None, False
        if thing is None or not isinstance(seen.sent, dict):
            return
        if seen.racing:
            thing.sent, thing.read, thing.alone = {}, {}, False
            return
        for name in AS_SENT[kind]:
            if name in seen.sent:
                value = seen.sent[name]
                before = thing.sent.get(name) if kind == "controllers" else None
                thing.sent[name] = {**before, **value} if isinstance(before, dict) else value
        for name in _MOVED_BY.keys() & seen.sent.keys():
            thing.read.pop(_MOVED_BY[name], None)
        thing.whole = {}
        model = self._things.get("models", seen.path[-1])
        if kind == "controllers" and model is not None:
            model.whole, model.alone = {}, False
        if kind == "model_groups":
            thing.version = None if thing.version is None else thing.version + 1

    def _deleted(self, kind: str, seen: Seen) -> Iterator[Observation | Held]:
        thing = self._things.get(kind, seen.path[-1])
        result = member(seen.body, "result")
        gone = thing is not None and thing.there is False
        there = thing is not None and thing.there is True
        yield held("osml.relation.done")
        if not seen.racing and ((gone and result == "deleted") or (there and result != "deleted")):
            yield Observation(
                "osml.relation.done",
                False,
                "a delete that is answered with success deletes, and once",
                f"{'again ' if gone else ''}{seen.exchange.summary}",
            )
        if kind == "models":
            # A group may go with the last of its models.
            for group in self._things.of_kind("model_groups"):
                group.there, group.alone = (None if group.there else group.there), False
            if (kept := self._things.get("controllers", seen.path[-1])) is not None:
                kept.there = None
        elif kind == "controllers" and (model := self._things.get("models", seen.path[-1])) is not None:
            model.sent.pop("is_controller_enabled", None)
            model.whole = {}
        if thing is None:
            thing = self._things.made(kind, seen.path[-1], None, "")
        thing.there = False if result == "deleted" else None

    def _forget(self, seen: Seen) -> None:
        """A write that was answered with a fault may have been done or not."""
        for kind in ID_OF:
            thing = self._things.get(kind, seen.path[-1])
            if thing is not None:
                thing.there, thing.sent, thing.alone = None, {}, False

    def _limited(self, seen: Seen) -> None:
        """A controller was made, or all of its limits were replaced."""
        name = seen.path[-1]
        thing = self._things.get("controllers", name)
        if thing is None or member(seen.body, "status") == "CREATED":
            # What is made again under an id that was deleted goes on counting.
            before = thing.version if thing is not None else 0
            thing = self._things.made("controllers", name, None, seen.operation or "")
            thing.version = None if before is None else before + 1
        elif thing.version is not None:
            thing.version += 1
        limits = member(seen.sent, "user_rate_limiter")
        thing.sent = {"user_rate_limiter": limits} if isinstance(limits, dict) and not seen.racing else {}
        thing.alone = not seen.racing
        if (model := self._things.get("models", name)) is not None and not seen.racing:
            model.sent["is_controller_enabled"] = True

    def _not_found(self, seen: Seen) -> Iterator[Observation | Held]:
        """A request that concerns what was made and not deleted is not answered as if it was not there."""
        concerned = seen.path[-2:] if seen.operation not in WRITES else seen.path[-1:]
        for kind in ("connectors", "model_groups", "models", "agents"):
            for name in concerned:
                thing = self._things.get(kind, name)
                # An update of a model may name a group that is not there.
                named = kind != "models" or name in seen.exchange.text
                named = named and "controllers" not in seen.path
                if thing is not None and thing.there and named:
                    yield Observation(
                        "osml.relation.done",
                        False,
                        f"{kind} that were made and not deleted are found",
                        seen.exchange,
                    )

    def _not_alone(self, seen: Seen) -> None:
        """The models that this request concerns are changed by more than their updates from now on."""
        listed = member(seen.sent, "model_ids")
        for name in (*seen.path, *(listed if isinstance(listed, list) else ())):
            if (thing := self._things.get("models", str(name))) is not None:
                thing.alone, thing.whole = False, {}
                thing.sent.pop("deploy_to_all_nodes", None)
