"""How a check ends when it does not simply pass: one exception a kind of ending.

A check that meets a difference raises `Nonconformance`. A check that cannot decide raises
`Untestable`, and says why. What was sent is broken on the wire raises `BrokenAnswer`, which is a
`Nonconformance` too: an answer that does not end is the target's failure, not ours.
"""

from __future__ import annotations

import unittest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlconform.conformance.contract.model import Remedy


class Nonconformance(AssertionError):  # noqa: N818 - it is a verdict on the target, not our error
    """The target differs from `requirement`: `expected` and `came` are what a reader compares.

    `signature` tells this finding apart from others of the requirement. `timing` says that only a
    budget of time decided it.
    """

    def __init__(
        self, requirement: str, *, expected: str, came: str, signature: str = "", timing: bool = False
    ) -> None:
        super().__init__(f"{requirement}\n  expected: {expected}\n  came:     {came}")
        self.requirement = requirement
        self.expected = expected
        self.came = came
        self.signature = signature
        self.timing = timing


class BrokenAnswer(Nonconformance):
    """An answer that is cut off, cannot be decompressed, or is not the JSON it claims to be."""


class Untestable(unittest.SkipTest):
    """The environment, the budget or a prerequisite did not allow a decision.

    `remedy` is what would allow it, where something can. It is a SkipTest so that hypothesis lets it
    through at once instead of looking for a smaller case.
    """

    def __init__(self, reason: str, remedy: Remedy | None = None) -> None:
        super().__init__(reason)
        self.remedy = remedy


class InTheWay(Untestable):
    """A difference from a requirement that the run was not asked to judge kept a check from deciding."""

    def __init__(self, difference: Nonconformance) -> None:
        super().__init__(f"a difference from {difference.requirement}, which is not selected, was in the way")
