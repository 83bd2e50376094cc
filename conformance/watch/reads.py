"""What a thing that was made and written owes to those who read or search it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from mlconform.conformance.watch.counts import WriteCounts
from mlconform.conformance.watch.envelopes import member
from mlconform.conformance.watch.observation import Held, Observation, Seen, held
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
_TIMES: Final = "osml.relation.times"
_SENT_AS: Final = "osml.relation.as-sent"
_DONE: Final = "osml.relation.done"
_ID: Final = "osml.relation.id"
_PROFILE: Final = "osml.relation.profile"
_IN_ORDER: Final = (
    ("created_time", "last_updated_time"),
    ("created_time", "last_deployed_time"),
    ("create_time", "last_update_time"),
)
# What a read adds to what is kept: to models whose file came in chunks a flag that the last one leaves out.
_READ_ALONE: Final = frozenset({"model_id"})
_READ_ALONE_AFTER_CHUNKS: Final = frozenset({"model_id", "is_hidden"})
_SENT: Final = {**AS_SENT, "models": frozenset({*FROM_URL, *AFTER_CHUNKS})}
_WORKERS: Final = (
    ("worker_node", "osml.relation.task"),
    ("planning_worker_nodes", _PROFILE),
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

    def read(self, kind: str, seen: Seen) -> Iterator[Observation | Held]:
        name = seen.path[-1]
        thing = self._things.get(kind, name)
        if thing is not None and thing.there is not None and seen.status in (200, 404):
            if thing.there == (seen.status == 200) or seen.racing:
                yield held(_DONE)
            else:
                yield Observation(
                    _DONE,
                    False,
                    f"{kind} that were made and not deleted can be read, and no others",
                    f"{'there' if thing.there else 'deleted'}, but {seen.exchange.summary}",
                )
        if not seen.succeeded or not isinstance(seen.body, dict):
            return
        yield from self._told(kind, name, seen.body, seen)

    def found(self, kind: str, seen: Seen) -> Iterator[Observation | Held]:
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

    def _like_read(self, kind: str, thing: Thing, source: dict[str, Any]) -> Iterator[Observation | Held]:
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
    ) -> Iterator[Observation | Held]:
        """What a read or a search tells of one thing."""
        # A chunk of a model's file is found among models, and names its model.
        is_chunk = "chunk_number" in told
        own = told.get("model_id") if kind in ("models", "controllers") and not is_chunk else None
        if kind == "models" and is_chunk:
            yield Observation(
                _ID,
                name == f"{told.get('model_id')}_{told['chunk_number']}"
                and type(told["chunk_number"]) is int,
                "the id of a chunk is made of `model_id` and `chunk_number`",
                f"{told.get('model_id')!r} and {told['chunk_number']!r} in {name}",
            )
        if own is not None:
            yield held(_ID)
            if own != name:
                yield Observation(_ID, False, "`model_id` is the thing's own", f"{own!r} for {name}")
        thing = self._things.get(kind, name)
        yield from self._times(told, thing)
        yield from self._workers(told)
        if thing is None or seen.racing:
            return
        if kind == "tasks":
            yield from self._task_read(thing, told)
        elif thing.maker == "get_task" and not searched:
            yield Observation(
                _TIMES,
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

    def _deployed(self, kind: str, told: dict[str, Any]) -> Iterator[Observation | Held]:
        """A model that is deployed reads with what its deployment planned."""
        if kind != "models" or told.get("model_state") != "DEPLOYED":
            return
        lacking = [name for name in _OF_DEPLOYMENT if name not in told]
        yield Observation(
            _PROFILE,
            not lacking,
            f"a deployed model reads with {', '.join(lacking)}",
            told,
        )

    def _task_read(self, thing: Thing, told: dict[str, Any]) -> Iterator[Observation | Held]:
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

    def _workers(self, told: dict[str, Any]) -> Iterator[Observation | Held]:
        for name, rule in _WORKERS:
            found = told.get(name)
            if isinstance(found, list) and self._nodes:
                if self._nodes.issuperset(map(str, found)):
                    yield held(rule)
                else:
                    came = f"{found}, not among {sorted(self._nodes)}"
                    yield Observation(rule, False, f"`{name}` are nodes of the cluster", came)
        planned = told.get("planning_worker_nodes")
        if isinstance(planned, list):
            yield from _counted(told, len(planned))

    def _times(self, told: dict[str, Any], known: Thing | None) -> Iterator[Observation | Held]:
        times = [name for name in told if name.endswith("_time")]
        named = {name: told[name] for name in times if type(told[name]) is int}
        yield held(_TIMES)
        if len(named) < len(times):
            odd = ", ".join(name for name in times if name not in named)
            yield Observation(_TIMES, False, f"{odd} as whole numbers", told)
        now = self._now() * 1000
        if self._offset is None and known is not None and named:
            away = min(named.values()) - now
            self._offset = away if abs(away) > _TOLERANCE_MS else 0.0
        made = known is not None and known.maker != ""
        for name, value in named.items():
            late = value - now - (self._offset or 0.0)
            if late > _TOLERANCE_MS or (made and late <= -_TOLERANCE_MS * 24):
                yield Observation(
                    _TIMES,
                    False,
                    f"`{name}` in milliseconds, not in the future and not from before the run",
                    f"{value}, which is {late / 1000:.0f} s from now",
                )
        for first, last in _IN_ORDER:
            if first in named and last in named and named[first] > named[last]:
                yield Observation(
                    _TIMES,
                    False,
                    f"`{first}` not after `{last}`",
                    f"{named[first]} and {named[last]}",
                )


def _counted(told: dict[str, Any], planned: int) -> Iterator[Observation | Held]:
    """The counts of worker nodes, of which so many are planned."""
    for name, least, how in (
        ("planning_worker_node_count", planned, "as many"),
        ("current_worker_node_count", 0, "no more"),
    ):
        count = told.get(name)
        if type(count) is int:
            yield held(_PROFILE)
            if not least <= count <= planned:
                expected = f"`{name}` {how} than `planning_worker_nodes`"
                yield Observation(_PROFILE, False, expected, f"{count} with {planned} planned")


def _added(thing: Thing) -> frozenset[str]:
    return _READ_ALONE_AFTER_CHUNKS if thing.maker == "register_model_meta" else _READ_ALONE


def _as_sent(kind: str, sent: dict[str, Any], told: dict[str, Any]) -> Iterator[Observation | Held]:
    """Each member that differs, and once that there were some to look at."""
    deployed = told.get("model_state") == "DEPLOYED"
    known = _SENT.get(kind, ())
    looked = False
    for each, value in sent.items():
        named = each in known or (deployed and each == "deploy_to_all_nodes")
        if not named or not plain(value) or (each not in told and each in LATER):
            continue
        looked = True
        # Most are texts that read as they were sent.
        if type(value) is str and told.get(each) == value:
            continue
        alike = same(value, told.get(each), as_text=each not in _OF_NUMBERS)
        if not alike or (each.startswith("is_") and told[each] is not value):
            yield Observation(
                _SENT_AS,
                False,
                f"`{each}` of {kind} as it was sent",
                f"{told.get(each)!r}, sent {value!r}",
            )
    if looked:
        yield held(_SENT_AS)


def _as_before(kind: str, before: dict[str, Any], told: dict[str, Any]) -> Iterator[Observation | Held]:
    """What never changes is told as it was told before."""
    rule = "osml.relation.same-everywhere"
    if told and told == before:
        yield held(rule)
        return
    for each, value in told.items():
        if each in before:
            expected = f"`{each}` of {kind} as it read before"
            yield Observation(rule, before[each] == value, expected, f"{value!r}, before {before[each]!r}")
