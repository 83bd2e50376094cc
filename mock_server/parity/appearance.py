"""Values that no two runs share, replaced by their order of appearance.

An id becomes its number among the ids seen so far, a time how often it has moved at its place (the field of
the resource that was asked for), and what counts over everything a node ever did, what was measured on it,
what a cluster is called and where it keeps its data become fixed words. Lists of nodes are sets. Hits of one
score come in the order of their last write: on a node that is chance, for it depends on which segments were
merged.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct, field

_ID = re.compile(r"(?<![\w-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?:[A-Za-z0-9_-]{20}|[A-Za-z0-9_-]{22})(?![\w-])")
_HASH = re.compile(r"(?<=@)[0-9a-f]{5,8}\b")
_TIMES = frozenset(
    {
        *("create_time", "created_time", "last_update_time", "last_updated_time"),
        *("last_deployed_time", "last_registered_time"),
    }
)
_COUNTERS = frozenset({"_primary_term", "_seq_no", "took"})
_MEASURED = frozenset({"max", "min", "average", "p50", "p90", "p99", "ml_jvm_heap_usage"})
_OWN = frozenset({"cluster_name", "build_hash", "build_date", "remote_address"})
_NODES_TELL = frozenset({"cluster_name", "component"})
_NODES = frozenset({"planning_worker_nodes", "target_worker_nodes", "worker_node", "worker_nodes"})
_DATA_FOLDER = re.compile(r"(?:^|(?<=: ))/\S*(?=/ml_cache/)")
_SCORES = frozenset({"_score", "max_score"})


class Appearances(Struct):
    """What one side of a replay has shown so far."""

    ids: dict[str, str] = field(default_factory=dict)
    _names: list[str] = field(default_factory=list)
    _moves: dict[tuple[str, ...], list[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._names)

    def name(self, token: str) -> str | None:
        """The id that a token such as `#3` stands for."""
        number = int(token[1:])
        return self._names[number] if number < len(self._names) else None

    def meet(self, name: str) -> str:
        """The token of an id, which is new when it was not seen before."""
        if name not in self.ids:
            self.ids[name] = f"#{len(self._names)}"
            self._names.append(name)
        return self.ids[name]

    def text(self, text: str) -> str:
        """A text with its ids and object hashes replaced."""
        return _DATA_FOLDER.sub("/own", _HASH.sub("hash", _ID.sub(lambda match: self.meet(match[0]), text)))

    def plain(self, value: Any, place: tuple[str, ...]) -> Any:
        """A decoded body with everything replaced; `place` says what was asked for."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.plain(item, (*place, str(index))) for index, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        shown = {}
        value = _ordered(value)
        for key in sorted(value, key=self._order):
            name = self.text(key)
            shown[name] = self._member(key, value[key], (*place, name))
        return shown

    def _order(self, key: str) -> tuple[int, int, str]:
        """Names before ids, known ids before new ones: both sides meet new ids in one order."""
        if not _ID.fullmatch(key):
            return 0, 0, key
        return 1, int(self.ids.get(key, f"#{len(self._names)}")[1:]), ""

    def _member(self, key: str, value: Any, place: tuple[str, ...]) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return self._number(key, value, place)
        if key in _NODES and isinstance(value, list):
            return [self.text(name) for name in sorted(value, key=self._order)]
        if key in _OWN and isinstance(value, str):
            return "own"
        return self.plain(value, place)

    def _number(self, key: str, value: float, place: tuple[str, ...]) -> Any:
        if key in _TIMES:
            moves = self._moves.setdefault(place, [])
            if not moves or moves[-1] != value:
                moves.append(value)
            return f"time {len(moves)}"
        kinds = {"counter": _COUNTERS, "score": _SCORES, "measured": _MEASURED}
        return next((kind for kind, names in kinds.items() if key in names), value)


def _ordered(value: dict[str, Any]) -> dict[str, Any]:
    """A body with its hits in an order that both sides have, and without the name of the node that tells."""
    if "name" in value and not _NODES_TELL.isdisjoint(value):
        value = {**value, "name": "own"}
    hits = value.get("hits")
    if isinstance(hits, list) and all(
        isinstance(hit, dict) and "_seq_no" in hit and hit.get("_score") is not None for hit in hits
    ):
        value = {**value, "hits": sorted(hits, key=lambda hit: (-hit["_score"], hit["_seq_no"]))}
    return value


def swap_ids(text: str, swap: Callable[[str], str]) -> str:
    """A text with every id replaced."""
    return _ID.sub(lambda match: swap(match[0]), text)
