"""What a thing that was made and written owes to those who read or search it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from mlconform.conformance.watch.counts import WriteCounts
from mlconform.conformance.watch.envelopes import member
from mlconform.conformance.watch.observation import Observation, Seen
from mlconform.conformance.watch.things import (
    AFTER_CHUNKS,
    AS_SENT,
    FROM_URL,
    LASTING,
    LATER,
    UPDATED,
    Thing,
    Things,
    plain,
    same,
    updated,
)

_TOLERANCE_MS = 3_600_000
# What a read adds to what is kept: to models whose file came in chunks a flag that the last one leaves out.
_READ_ALONE: Final = frozenset({"model_id"})
_READ_ALONE_AFTER_CHUNKS: Final = frozenset({"model_id", "is_hidden"})
_SENT: Final = {**AS_SENT, "models": frozenset({*FROM_URL, *AFTER_CHUNKS})}
_WORKERS: Final = (
    ("worker_node", "osml.relation.task"),
    ("planning_worker_nodes", "osml.relation.profile"),
)
# Whose numbers read as numbers.
_OF_NUMBERS: Final = frozenset({"model_config", "model_content_size_in_bytes", "total_chunks"})
_OF_DEPLOYMENT: Final = (
    "planning_worker_node_count",
    "current_worker_node_count",
    "last_deployed_time",
)


class Reads:
    """Holds what is read to what was sent, and to what was read before.

    `nodes` are the ids of the cluster's nodes; `now` is the target's time in seconds.
    """

    def __init__(
        self, things: Things, counts: WriteCounts, nodes: frozenset[str], now: Callable[[], float]
    ) -> None:
        self._things = things
        self._counts = counts
        self._nodes = nodes
        self._now = now
        self._offset: float | None = None

    def read(self, kind: str, seen: Seen) -> Iterator[Observation]:
        name = seen.path[-1]
        thing = self._things.get(kind, name)
        if thing is not None and thing.there is not None and seen.status in (200, 404):
            holds = thing.there == (seen.status == 200) or seen.racing
            yield Observation(
                "osml.relation.done",
                holds,
                f"{kind} that were made and not deleted can be read, and no others",
                "" if holds else f"{'there' if thing.there else 'deleted'}, but {seen.exchange.summary}",
            )
        if not seen.succeeded or not isinstance(seen.body, dict):
            return
        yield from self._told(kind, name, seen.body, seen)

    def found(self, kind: str, seen: Seen) -> Iterator[Observation]:
        listed = member(seen.body, "hits", "hits")
        for hit in listed if isinstance(listed, list) else ():
            source, name = member(hit, "_source"), member(hit, "_id")
            if not isinstance(source, dict) or not isinstance(name, str):
                continue
            yield from self._told(kind, name, source, seen, searched=True)
            thing = self._things.get(kind, name)
            if thing is not None and not seen.racing:
                yield from self._counts.hit(thing, hit)
                shows_last = member(hit, "_version") in (None, thing.version) or not thing.alone
                # Else it shows what was before the last write, or what of it was asked for.
                if shows_last and member(seen.sent, "_source") is None:
                    yield from self._like_read(kind, thing, source)

    def _like_read(self, kind: str, thing: Thing, source: dict[str, Any]) -> Iterator[Observation]:
        """What a search shows of the state that was read last is what was read."""
        if not thing.whole:
            return
        read = {name: thing.whole[name] for name in thing.whole if name not in _added(thing)}
        lacking = [name for name in (*LASTING, *UPDATED) if name in read and name not in source]
        yield Observation(
            "osml.relation.same-everywhere",
            not lacking,
            f"a search shows of {kind} what a read shows: {', '.join(lacking)}",
            source,
        )
        if updated(source) != updated(thing.whole):
            return
        for name, value in read.items():
            # What was looked at is decided by the observation above; here only differences are told.
            if source.get(name) != value:
                yield Observation(
                    "osml.relation.same-everywhere",
                    False,
                    f"`{name}` of {kind} by a search as by a read",
                    f"{source.get(name)!r}, read {value!r}",
                )

    def _told(
        self, kind: str, name: str, told: dict[str, Any], seen: Seen, *, searched: bool = False
    ) -> Iterator[Observation]:
        """What a read or a search tells of one thing."""
        # A chunk of a model's file is found among models, and names its model.
        is_chunk = "chunk_number" in told
        own = told.get("model_id") if kind in ("models", "controllers") and not is_chunk else None
        if kind == "models" and is_chunk:
            yield Observation(
                "osml.relation.id",
                name == f"{told.get('model_id')}_{told['chunk_number']}"
                and type(told["chunk_number"]) is int,
                "the id of a chunk is made of `model_id` and `chunk_number`",
                f"{told.get('model_id')!r} and {told['chunk_number']!r} in {name}",
            )
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
        elif thing.maker == "get_task" and not searched:
            yield Observation(
                "osml.relation.times",
                "last_registered_time" in told,
                "`last_registered_time` of a model whose registration a task ended",
                told,
            )
        # A search may show what was before the last write.
        if not searched:
            yield from _as_sent(kind, thing.sent, told)
        lasting: dict[str, Any] = {each: told[each] for each in LASTING if each in told}
        yield from _as_before(kind, thing.read, lasting)
        thing.read |= lasting
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
            told,
        )

    def _task_read(self, thing: Thing, told: dict[str, Any]) -> Iterator[Observation]:
        failed = told.get("state") == "FAILED"
        yield Observation(
            "osml.relation.task",
            not failed or bool(told.get("error")),
            "a task that failed tells its error",
            told,
        )
        if thing.maker in ("register_model", "deploy_model"):
            yield Observation(
                "osml.relation.task",
                told.get("state") != "COMPLETED" or "model_id" in told,
                "a task that completed names its model",
                told,
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
        for name, rule in _WORKERS:
            found = told.get(name)
            if isinstance(found, list) and self._nodes:
                holds = self._nodes.issuperset(map(str, found))
                came = "" if holds else f"{found}, not among {sorted(self._nodes)}"
                yield Observation(rule, holds, f"`{name}` are nodes of the cluster", came)
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
        odd = [name for name, value in told.items() if name.endswith("_time") and name not in named]
        yield Observation("osml.relation.times", not odd, f"{', '.join(odd)} as whole numbers", told)
        now = self._now() * 1000
        if self._offset is None and known is not None and named:
            away = min(named.values()) - now
            self._offset = away if abs(away) > _TOLERANCE_MS else 0.0
        made = known is not None and known.maker != ""
        for name, value in named.items():
            late = value - now - (self._offset or 0.0)
            if late > _TOLERANCE_MS or (made and late <= -_TOLERANCE_MS * 24):
                yield Observation(
                    "osml.relation.times",
                    False,
                    f"`{name}` in milliseconds, not in the future and not from before the run",
                    f"{value}, which is {late / 1000:.0f} s from now",
                )
        for first, last in (
            ("created_time", "last_updated_time"),
            ("created_time", "last_deployed_time"),
            ("create_time", "last_update_time"),
        ):
            if first in named and last in named and named[first] > named[last]:
                yield Observation(
                    "osml.relation.times",
                    False,
                    f"`{first}` not after `{last}`",
                    f"{named[first]} and {named[last]}",
                )


def _added(thing: Thing) -> frozenset[str]:
    return _READ_ALONE_AFTER_CHUNKS if thing.maker == "register_model_meta" else _READ_ALONE


def _as_sent(kind: str, sent: dict[str, Any], told: dict[str, Any]) -> Iterator[Observation]:
    """Each member that differs, and once that there were some to look at."""
    deployed = told.get("model_state") == "DEPLOYED"
    known = _SENT.get(kind, ())
    looked = False
    for each, value in sent.items():
        named = each in known or (deployed and each == "deploy_to_all_nodes")
        if not named or not plain(value) or (each not in told and each in LATER):
            continue
        looked = True
        alike = same(value, told.get(each), as_text=each not in _OF_NUMBERS)
        if not alike or (each.startswith("is_") and told[each] is not value):
            yield Observation(
                "osml.relation.as-sent",
                False,
                f"`{each}` of {kind} as it was sent",
                f"{told.get(each)!r}, sent {value!r}",
            )
    if looked:
        yield Observation("osml.relation.as-sent", True)


def _as_before(kind: str, before: dict[str, Any], told: dict[str, Any]) -> Iterator[Observation]:
    """What never changes is told as it was told before."""
    rule = "osml.relation.same-everywhere"
    if told and told == before:
        yield Observation(rule, True)
        return
    for each, value in told.items():
        if each in before:
            expected = f"`{each}` of {kind} as it read before"
            yield Observation(rule, before[each] == value, expected, f"{value!r}, before {before[each]!r}")
