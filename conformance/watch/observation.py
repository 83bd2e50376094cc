"""What a rule of the watch says of an exchange."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, Protocol

from mlconform.conformance.targets.exchange import Exchange

_LONGEST = 300


class Observation(NamedTuple):
    """Whether a requirement holds of an exchange; the texts are what a reader of the report compares.

    `expected` has no ids, names or numbers of the run: it is part of the finding's signature. `came` is a
    text, or what the text is made of where it does not hold, which is seldom: an exchange or another value.
    `by` is the request that did it, where that is another than the one whose answer shows it.
    """

    requirement: str
    holds: bool
    expected: str = ""
    came: object = ""
    by: Exchange | None = None

    def told(self) -> str:
        """What came, as a text."""
        if isinstance(self.came, Exchange):
            return self.came.summary
        return self.came if isinstance(self.came, str) else repr(self.came)[:_LONGEST]


class Held:
    """Requirements that hold of an exchange. Made once for many exchanges, for nearly all answers are right:
    who saw it knows what it says."""

    __slots__ = ("requirements",)

    def __init__(self, *requirements: str) -> None:
        self.requirements = requirements


@cache
def held(*requirements: str) -> Held:
    """The one that says it of these."""
    return Held(*requirements)


@dataclass(frozen=True, slots=True)
class Seen:
    """An exchange as it passes: the operation it is of (None: none of the contract's), and its JSON.

    `racing` says that other requests were under way, so that nothing follows from the order of answers.
    """

    exchange: Exchange
    status: int
    operation: str | None
    path: tuple[str, ...]
    sent: object
    body: object
    racing: bool

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300


class Rule(Protocol):
    """Looks at one exchange after the other and says what it owes."""

    def __call__(self, seen: Seen) -> Iterable[Observation | Held]: ...
