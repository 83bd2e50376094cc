"""What the answers of ML Commons owe to each other: what was made, written and deleted reads so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from conformance.watch.envelopes import member
from conformance.watch.observation import Observation, Seen
from conformance.watch.things import (
    AS_SENT,
    CREATIONS,
    DELETES,
    ID_OF,
    LASTING,
    READS,
    SEARCHES,
    UPDATES,
    Thing,
    Things,
    plain,
    same,
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
_WRITES: Final = UPDATES | DELETES
_TOLERANCE_MS = 3_600_000


class Relations:
    """Remembers what answers told, and holds later ones to it.

    `nodes` are the ids of the cluster's nodes; `now` is the target's time in seconds.
    """

    def __init__(self, nodes: Iterable[str], now: Callable[[], float] = time.time) -> None:
        self._nodes = frozenset(nodes)
        self._now = now
        self._things = Things()
        self._counts: dict[str, tuple[int, int]] = {}
        self._totals: dict[str, int] = {}
        self._offset: float | None = None

    def __call__(self, seen: Seen) -> Iterator[Observation]:
        operation = seen.operation or ""
        if operation in READS:
            yield from self._read(READS[operation], seen)
        if not seen.succeeded:
            if operation in _WRITES and seen.exchange.status >= 500:
                self._forget(seen)
            return
        yield from self._written(seen)
        self._task(seen)
        if operation in CREATIONS:
            self._created(CREATIONS[operation], seen)
        elif operation in UPDATES:
            self._updated(UPDATES[operation], seen)
        elif operation in DELETES:
            yield from self._deleted(DELETES[operation], seen)
        elif operation in SEARCHES:
            yield from self._found(SEARCHES[operation], seen)
        else:
            yield from self._acted(operation, seen)

    def _acted(self, operation: str, seen: Seen) -> Iterator[Observation]:
        if operation in _CHANGES_MODEL:
            self._not_alone(seen)
        if operation in ("undeploy_model", "undeploy_models"):
            yield from self._undeployed(seen)
        if operation.startswith("profile"):
            yield from self._profiled(seen)

    # writes

    def _created(self, kind: str, seen: Seen) -> None:
        name = member(seen.body, ID_OF[kind])
        if not isinstance(name, str):
            return
        thing = self._things.made(kind, name, seen.sent, seen.operation or "")
        if seen.racing or "deploy=true" in seen.exchange.request.path or member(seen.sent, "deploy"):
            thing.alone = False
        if kind == "models":
            for group in self._things.of_kind("model_groups"):
                group.alone = False

    def _task(self, seen: Seen) -> None:
        name = member(seen.body, "task_id")
        if isinstance(name, str) and seen.operation not in READS:
            self._things.made("tasks", name, None, seen.operation or "")
            thing = self._things.get("tasks", name)
            model = member(seen.body, "model_id")
            if seen.operation == "deploy_model":
                model = seen.path[-2]
            if thing is not None and isinstance(model, str):
                thing.sent["model_id"] = model

    def _updated(self, kind: str, seen: Seen) -> None:
        thing = self._things.get(kind, seen.path[-1])
        if thing is None or not isinstance(seen.sent, dict):
            return
        if seen.racing:
            thing.sent, thing.read, thing.alone = {}, {}, False
            return
        for name in AS_SENT[kind]:
            if name in seen.sent:
                thing.sent[name] = seen.sent[name]
                thing.read.pop(name, None)
        # A connector within a model is the model's own.
        thing.read.pop("connector", None)
        if kind == "model_groups":
            thing.version = None if thing.version is None else thing.version + 1

    def _deleted(self, kind: str, seen: Seen) -> Iterator[Observation]:
        thing = self._things.get(kind, seen.path[-1])
        result = member(seen.body, "result")
        yield Observation(
            "osml.relation.done",
            result != "deleted" or thing is None or thing.there is not False or seen.racing,
            "a delete that is answered with success once",
            f"again {seen.exchange.summary}",
        )
        if kind == "models":
            # A group may go with the last of its models.
            for group in self._things.of_kind("model_groups"):
                group.there, group.alone = (None if group.there else group.there), False
            if (kept := self._things.get("controllers", seen.path[-1])) is not None:
                kept.there = None
        if thing is None:
            thing = self._things.made(kind, seen.path[-1], None, "")
        thing.there = False if result == "deleted" else None

    def _forget(self, seen: Seen) -> None:
        """A write that was answered with a fault may have been done or not."""
        for kind in ID_OF:
            thing = self._things.get(kind, seen.path[-1])
            if thing is not None:
                thing.there, thing.sent, thing.alone = None, {}, False

    def _not_alone(self, seen: Seen) -> None:
        """The models that this request concerns are changed by more than their updates from now on."""
        listed = member(seen.sent, "model_ids")
        for name in (*seen.path, *(listed if isinstance(listed, list) else ())):
            if (thing := self._things.get("models", str(name))) is not None:
                thing.alone = False

    def _written(self, seen: Seen) -> Iterator[Observation]:
        """The answer of a write names what was written, and counts on."""
        body = seen.body
        if not isinstance(body, dict) or "_index" not in body or "_id" not in body:
            return
        name = seen.path[-1]
        yield Observation(
            "osml.relation.id",
            body["_id"] == name,
            "`_id` is the one in the path",
            f"{body['_id']!r} to {seen.exchange.request.path}",
        )
        if seen.racing:
            self._counts.pop(str(body["_index"]), None)
            return
        yield from self._counted(body, seen)

    def _counted(self, body: dict[str, Any], seen: Seen) -> Iterator[Observation]:
        index, number, term = str(body["_index"]), body.get("_seq_no"), body.get("_primary_term")
        if type(number) is int and type(term) is int:
            before = self._counts.get(index, (-1, 1))
            yield Observation(
                "osml.relation.write-counts",
                number > before[0] and term >= before[1] >= 1,
                "a greater `_seq_no` than the write before to the same index, and no smaller `_primary_term`",
                f"{(number, term)} after {before}",
            )
            self._counts[index] = (number, term)
        total = member(body, "_shards", "total")
        if type(total) is int:
            known = self._totals.setdefault(index, total)
            yield Observation(
                "osml.relation.shards",
                total == known,
                "the same `_shards.total` in each write to an index",
                f"{total} after {known}",
            )
            self._totals[index] = total
        yield from self._version(body.get("_version"), seen)

    def _version(self, version: Any, seen: Seen) -> Iterator[Observation]:
        kind = _WRITES.get(seen.operation or "")
        thing = self._things.get(kind, seen.path[-1]) if kind else None
        if thing is None or thing.version is None or type(version) is not int:
            return
        exact = thing.alone
        holds = version == thing.version + 1 if exact else version > thing.version
        yield Observation(
            "osml.relation.write-counts",
            holds,
            f"a `_version` {'one' if exact else 'some'} greater than before",
            f"{version} after {thing.version}",
        )
        thing.version = version

    # reads

    def _read(self, kind: str, seen: Seen) -> Iterator[Observation]:
        name = seen.path[-1]
        thing = self._things.get(kind, name)
        if thing is not None and thing.there is not None and seen.exchange.status in (200, 404):
            yield Observation(
                "osml.relation.done",
                thing.there == (seen.exchange.status == 200) or seen.racing,
                f"{kind} that were made and not deleted can be read, and no others",
                f"{'there' if thing.there else 'deleted'}, but {seen.exchange.summary}",
            )
        if not seen.succeeded or not isinstance(seen.body, dict):
            return
        own = seen.body.get("model_id") if kind in ("models", "controllers") else None
        if own is not None:
            yield Observation(
                "osml.relation.id", own == name, "`model_id` is the one in the path", f"{own!r} for {name}"
            )
        yield from self._told(kind, name, seen.body, seen)

    def _found(self, kind: str, seen: Seen) -> Iterator[Observation]:
        listed = member(seen.body, "hits", "hits")
        for hit in listed if isinstance(listed, list) else ():
            source, name = member(hit, "_source"), member(hit, "_id")
            if isinstance(source, dict) and isinstance(name, str):
                yield from self._told(kind, name, source, seen, searched=True)

    def _told(
        self, kind: str, name: str, told: dict[str, Any], seen: Seen, *, searched: bool = False
    ) -> Iterator[Observation]:
        """What a read or a search tells of one thing."""
        yield from self._times(told, known=self._things.get(kind, name))
        yield from self._workers(told)
        thing = self._things.get(kind, name)
        if thing is None or seen.racing:
            return
        if kind == "tasks":
            yield from self._task_read(thing, told)
        # A search may show what was before the last write.
        if not searched:
            for each, value in thing.sent.items():
                if each in AS_SENT.get(kind, ()) and plain(value):
                    yield Observation(
                        "osml.relation.as-sent",
                        same(value, told.get(each)),
                        f"`{each}` of {kind} as it was sent",
                        f"{told.get(each)!r}, sent {value!r}",
                    )
        for each in LASTING:
            if each in thing.read and each in told:
                yield Observation(
                    "osml.relation.same-everywhere",
                    thing.read[each] == told[each],
                    f"`{each}` of {kind} as it read before",
                    f"{told[each]!r}, before {thing.read[each]!r}",
                )
        thing.read |= {each: told[each] for each in LASTING if each in told}

    def _task_read(self, thing: Thing, told: dict[str, Any]) -> Iterator[Observation]:
        kinds = {"register_model": "REGISTER_MODEL", "deploy_model": "DEPLOY_MODEL"}
        if thing.maker in kinds:
            yield Observation(
                "osml.relation.task",
                told.get("task_type") == kinds[thing.maker],
                f"`task_type` {kinds[thing.maker]} of a task that {thing.maker} made",
                repr(told.get("task_type")),
            )
        if "model_id" in thing.sent and "model_id" in told:
            yield Observation(
                "osml.relation.task",
                told["model_id"] == thing.sent["model_id"],
                "`model_id` of a task is that of its model",
                f"{told['model_id']!r}, not {thing.sent['model_id']!r}",
            )
        model = self._things.get("models", str(thing.sent.get("model_id", "")))
        algorithm = None if model is None else model.read.get("algorithm")
        if algorithm is not None:
            yield Observation(
                "osml.relation.task",
                told.get("function_name") == algorithm,
                "`function_name` of a task is the algorithm of its model",
                f"{told.get('function_name')!r}, not {algorithm!r}",
            )

    def _workers(self, told: dict[str, Any]) -> Iterator[Observation]:
        for name, rule in (("worker_node", "task"), ("planning_worker_nodes", "profile")):
            found = told.get(name)
            if isinstance(found, list) and self._nodes:
                yield Observation(
                    f"osml.relation.{rule}",
                    set(map(str, found)) <= self._nodes,
                    f"`{name}` are nodes of the cluster",
                    f"{found}, not among {sorted(self._nodes)}",
                )
        planned = told.get("planning_worker_nodes")
        for name in ("planning_worker_node_count", "current_worker_node_count"):
            if isinstance(planned, list) and type(told.get(name)) is int:
                count = told[name]
                exact = name.startswith("planning")
                yield Observation(
                    "osml.relation.profile",
                    count == len(planned) if exact else 0 <= count <= len(planned),
                    f"`{name}` {'as many' if exact else 'no more'} than `planning_worker_nodes`",
                    f"{count} with {planned}",
                )

    def _times(self, told: dict[str, Any], known: Thing | None) -> Iterator[Observation]:
        named = {name: told[name] for name in told if name.endswith("_time") and type(told[name]) is int}
        now = self._now() * 1000
        if self._offset is None and known is not None and named:
            away = min(named.values()) - now
            self._offset = away if abs(away) > _TOLERANCE_MS else 0.0
        for name, value in named.items():
            late = value - now - (self._offset or 0.0)
            made = known is not None and known.maker != ""
            yield Observation(
                "osml.relation.times",
                late <= _TOLERANCE_MS and (not made or late > -_TOLERANCE_MS * 24),
                f"`{name}` in milliseconds, not in the future and not from before the run",
                f"{value}, which is {late / 1000:.0f} s from now",
            )
        for first, last in (
            ("created_time", "last_updated_time"),
            ("created_time", "last_deployed_time"),
            ("create_time", "last_update_time"),
        ):
            if first in named and last in named:
                yield Observation(
                    "osml.relation.times",
                    named[first] <= named[last],
                    f"`{first}` not after `{last}`",
                    f"{named[first]} and {named[last]}",
                )

    # nodes

    def _undeployed(self, seen: Seen) -> Iterator[Observation]:
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

    def _profiled(self, seen: Seen) -> Iterator[Observation]:
        nodes = member(seen.body, "nodes")
        for node, found in (nodes if isinstance(nodes, dict) else {}).items():
            models = member(found, "models")
            workers = [
                worker
                for model in (models if isinstance(models, dict) else {}).values()
                for name in ("worker_nodes", "target_worker_nodes")
                for worker in (member(model, name) or ())
                if isinstance(model, dict) and isinstance(member(model, name), list)
            ]
            yield Observation(
                "osml.relation.profile",
                not self._nodes or {node, *map(str, workers)} <= self._nodes,
                "a profile tells of nodes of the cluster",
                f"{node}, {workers}",
            )
