"""What the answers of ML Commons owe to each other: what was made, written and deleted reads so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from conformance.targets.endpoint import ANSWER
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
# What an update may send, and what else that changes: a model counts anew in another group.
_MOVED_BY: Final = {
    "model_group_id": "model_version",
    "access_mode": "access",
    "backend_roles": "access",
    "add_all_backend_roles": "access",
}
# The statistic that the page shows.
_STATISTIC: Final = "ml_executing_task_count"
_TOLERANCE_MS = 3_600_000
_UPDATED: Final = ("last_updated_time", "last_update_time")
# What a read adds to what is kept.
_READ_ALONE: Final = frozenset({"model_id"})
_OF_DEPLOYMENT: Final = (
    "planning_worker_node_count",
    "current_worker_node_count",
    "last_deployed_time",
)


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
        self._indices: dict[str, str] = {}
        self._offset: float | None = None

    def __call__(self, seen: Seen) -> Iterator[Observation]:
        operation = seen.operation or ""
        if operation in READS:
            yield from self._read(READS[operation], seen)
        elif seen.exchange.status == 404 and not seen.racing:
            yield from self._not_found(seen)
        if operation in _CHANGES_MODEL:
            # A predict that is refused may have deployed the model first.
            self._not_alone(seen)
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
        if operation == "create_controller":
            self._limited(seen)
        if operation == "deploy_model" and not seen.sent and not seen.racing:
            thing = self._things.get("models", seen.path[-2])
            if thing is not None:
                thing.sent["deploy_to_all_nodes"] = True
        if operation in ("predict_model", "predict_algorithm"):
            yield from self._predicted(seen)
        if operation.startswith("undeploy_model"):
            yield from self._undeployed(seen)
        if operation.startswith("profile"):
            yield from self._profiled(seen)
        if operation in ("stats", "stat", "node_stats", "node_stat"):
            yield from self._counted_by_node(seen)

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

    def _deleted(self, kind: str, seen: Seen) -> Iterator[Observation]:
        thing = self._things.get(kind, seen.path[-1])
        result = member(seen.body, "result")
        gone = thing is not None and thing.there is False
        there = thing is not None and thing.there is True
        yield Observation(
            "osml.relation.done",
            seen.racing or not ((gone and result == "deleted") or (there and result != "deleted")),
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

    def _not_found(self, seen: Seen) -> Iterator[Observation]:
        """A request that concerns what was made and not deleted is not answered as if it was not there."""
        concerned = seen.path[-2:] if seen.operation not in _WRITES else seen.path[-1:]
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
                        seen.exchange.summary,
                    )

    def _predicted(self, seen: Seen) -> Iterator[Observation]:
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

    def _not_alone(self, seen: Seen) -> None:
        """The models that this request concerns are changed by more than their updates from now on."""
        listed = member(seen.sent, "model_ids")
        for name in (*seen.path, *(listed if isinstance(listed, list) else ())):
            if (thing := self._things.get("models", str(name))) is not None:
                thing.alone, thing.whole = False, {}
                thing.sent.pop("deploy_to_all_nodes", None)

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
        # What changes nothing is not written, and counts nowhere.
        if seen.racing or body.get("result") == "noop":
            self._counts.pop(str(body["_index"]), None)
            return
        yield from self._counted(body, seen)

    def _counted(self, body: dict[str, Any], seen: Seen) -> Iterator[Observation]:
        index, number, term = str(body["_index"]), body.get("_seq_no"), body.get("_primary_term")
        if seen.operation in _WRITES:
            self._indices.setdefault(_WRITES[seen.operation], index)
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
        if type(version) is not int:
            return
        # A server forgets after a while what it counted for an id that is not there.
        absent = member(seen.body, "result") == "not_found"
        if thing is None or thing.version is None or absent:
            yield Observation(
                "osml.relation.write-counts", version >= 1, "a `_version` that begins at 1", repr(version)
            )
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
        number = member(seen.body, "_seq_no")
        thing.number = number if type(number) is int else None

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
        yield from self._told(kind, name, seen.body, seen)

    def _found(self, kind: str, seen: Seen) -> Iterator[Observation]:
        listed = member(seen.body, "hits", "hits")
        for hit in listed if isinstance(listed, list) else ():
            source, name = member(hit, "_source"), member(hit, "_id")
            if not isinstance(source, dict) or not isinstance(name, str):
                continue
            yield from self._told(kind, name, source, seen, searched=True)
            thing = self._things.get(kind, name)
            if thing is not None and not seen.racing:
                yield from self._hit(thing, hit, source)
                yield from self._like_read(kind, thing, source)

    def _hit(self, thing: Thing, hit: Any, source: dict[str, Any]) -> Iterator[Observation]:
        """The counts of a hit are those of the last write that it shows."""
        index, version, number = str(member(hit, "_index")), member(hit, "_version"), member(hit, "_seq_no")
        before = self._counts.get(index)
        known = self._indices.setdefault(thing.kind, index)
        yield Observation(
            "osml.relation.hits", index == known, "hits of one kind in one index", f"{index}, before {known}"
        )
        if type(version) is int and thing.version is not None:
            current = bool(thing.whole) and _updated(source) == _updated(thing.whole) and thing.alone
            yield Observation(
                "osml.relation.write-counts",
                version == thing.version if current else version >= 1,
                f"a hit with the `_version` {'of the last write' if current else 'of a write'}",
                f"{version}, the last write had {thing.version}",
            )
        if type(number) is int and before is not None:
            term = member(hit, "_primary_term")
            last = thing.number if version == thing.version and thing.number is not None else number
            yield Observation(
                "osml.relation.write-counts",
                number == last and number >= 0 and term == before[1],
                "a hit with the `_seq_no` and the `_primary_term` of the write that it shows",
                f"{number}, {term}; the write had {last}, the last to the index {before}",
            )

    def _like_read(self, kind: str, thing: Thing, source: dict[str, Any]) -> Iterator[Observation]:
        """What a search shows of the state that was read last is what was read."""
        if not thing.whole:
            return
        lacking = [name for name in (*LASTING, *_UPDATED) if name in thing.whole and name not in source]
        yield Observation(
            "osml.relation.same-everywhere",
            not lacking,
            f"a search shows of {kind} what a read shows: {', '.join(lacking)}",
            repr(source)[:300],
        )
        if _updated(source) != _updated(thing.whole):
            return
        for name, value in thing.whole.items():
            if name not in _READ_ALONE:
                yield Observation(
                    "osml.relation.same-everywhere",
                    source.get(name) == value,
                    f"`{name}` of {kind} by a search as by a read",
                    f"{source.get(name)!r}, read {value!r}",
                )

    def _told(
        self, kind: str, name: str, told: dict[str, Any], seen: Seen, *, searched: bool = False
    ) -> Iterator[Observation]:
        """What a read or a search tells of one thing."""
        own = told.get("model_id") if kind in ("models", "controllers") else None
        if own is not None:
            yield Observation(
                "osml.relation.id", own == name, "`model_id` is the thing's own", f"{own!r} for {name}"
            )
        yield from self._times(told, known=self._things.get(kind, name))
        yield from self._workers(told)
        thing = self._things.get(kind, name)
        if thing is None or seen.racing:
            return
        if kind == "tasks":
            yield from self._task_read(thing, told)
        # A search may show what was before the last write.
        if not searched:
            deployed = told.get("model_state") == "DEPLOYED"
            for each, value in thing.sent.items():
                named = each in AS_SENT.get(kind, ()) or (deployed and each == "deploy_to_all_nodes")
                if named and plain(value):
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
        if not searched:
            thing.whole = dict(told)
            yield from self._deployed(kind, told)

    def _deployed(self, kind: str, told: dict[str, Any]) -> Iterator[Observation]:
        """A model that is deployed reads with what its deployment planned."""
        if kind != "models" or told.get("model_state") != "DEPLOYED":
            return
        lacking = [name for name in _OF_DEPLOYMENT if name not in told]
        yield Observation(
            "osml.relation.profile",
            not lacking,
            f"a deployed model reads with {', '.join(lacking)}",
            repr(told)[:300],
        )

    def _task_read(self, thing: Thing, told: dict[str, Any]) -> Iterator[Observation]:
        failed = told.get("state") == "FAILED"
        yield Observation(
            "osml.relation.task",
            not failed or bool(told.get("error")),
            "a task that failed tells its error",
            repr(told)[:300],
        )
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

    def _counted_by_node(self, seen: Seen) -> Iterator[Observation]:
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


def _updated(told: dict[str, Any]) -> Any:
    """When it was last updated, as a thing reads."""
    return next((told[name] for name in _UPDATED if name in told), None)
