"""Whether what concurrent calls were told can have happened one after the other.

The search is Wing and Gong's ("Testing and Verifying Concurrent Objects", 1993) with Lowe's memory of the
configurations that were seen ("Testing for Linearizability", 2017).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

S = TypeVar("S", bound=Hashable)


class Linearity(StrEnum):
    """What a search found out about a history."""

    HOLDS = "holds"
    BROKEN = "broken"
    NOT_DECIDED = "not decided"


@dataclass(frozen=True, slots=True)
class Call(Generic[S]):
    """One call of a history: when it was sent and answered, in seconds on one clock.

    `after` gives the state that it leaves, or None where its answer cannot be true of the state before.
    """

    sent: float
    answered: float
    after: Callable[[S], S | None]


def linearity(calls: Sequence[Call[S]], begin: S, *, most: int = 100_000) -> Linearity:
    """Whether some order of the calls, in which none comes before one that was answered before it was sent,
    explains all answers. After `most` configurations the search gives up: not decided."""
    todo: list[tuple[frozenset[int], S]] = [(frozenset(range(len(calls))), begin)]
    seen = set(todo)
    while todo:
        left, state = todo.pop()
        if not left:
            return Linearity.HOLDS
        first_answer = min(calls[each].answered for each in left)
        for each in left:
            if calls[each].sent > first_answer:
                continue
            after = calls[each].after(state)
            follows = (left - {each}, after)
            if after is not None and follows not in seen:
                if len(seen) >= most:
                    return Linearity.NOT_DECIDED
                seen.add((left - {each}, after))
                todo.append((left - {each}, after))
    return Linearity.BROKEN
