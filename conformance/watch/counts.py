"""What writes count, and what the hits of a search must tell of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mlconform.conformance.watch.envelopes import member
from mlconform.conformance.watch.observation import Observation, Seen
from mlconform.conformance.watch.things import DELETES, UPDATES, Thing, Things

WRITES: Final[Mapping[str, str]] = UPDATES | DELETES


class WriteCounts:
    """Remembers of each index what its writes counted, and of which kind its documents are.

    `nodes` is how many the cluster has, as far as it is known.
    """

    def __init__(self, things: Things, nodes: int) -> None:
        self._things = things
        self._nodes = nodes
        self._counts: dict[str, tuple[int, int]] = {}
        self._totals: dict[str, int] = {}
        self._indices: dict[str, str] = {}

    def written(self, seen: Seen) -> Iterator[Observation]:
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
        kind = WRITES.get(seen.operation or "")
        if kind is not None:
            self._indices.setdefault(kind, index)
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
            # While a copy on another node is made it may count or not.
            copied = self._nodes > 1 and total <= self._nodes
            yield Observation(
                "osml.relation.shards",
                total == known or copied,
                "the same `_shards.total` in each write to an index, or no more than there are nodes",
                f"{total} after {known}",
            )
            self._totals[index] = total
        yield from self._version(body.get("_version"), seen)

    def _version(self, version: Any, seen: Seen) -> Iterator[Observation]:
        kind = WRITES.get(seen.operation or "")
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

    def hit(self, thing: Thing, hit: Any) -> Iterator[Observation]:
        """The counts of a hit are those of the last write that it shows."""
        index, version, number = str(member(hit, "_index")), member(hit, "_version"), member(hit, "_seq_no")
        before = self._counts.get(index)
        known = self._indices.setdefault(thing.kind, index)
        yield Observation(
            "osml.relation.hits", index == known, "hits of one kind in one index", f"{index}, before {known}"
        )
        if type(version) is int and thing.version is not None:
            # A search may show what was before the last write.
            yield Observation(
                "osml.relation.write-counts",
                version >= 1 and (version <= thing.version or not thing.alone),
                "a hit with the `_version` of a write",
                f"{version}, the last write had {thing.version}",
            )
        if type(number) is int and type(version) is int:
            yield Observation(
                "osml.relation.write-counts",
                number >= version - 1,
                "a hit whose `_seq_no` has counted each of its writes",
                f"{number} with the version {version}",
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
