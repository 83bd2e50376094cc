"""What a run was asked to judge: globs over the ids of requirements and the names of checks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mlconform.conformance.contract.model import Requirement


@dataclass(frozen=True, slots=True)
class Selection:
    """A comma-separated list of globs; an empty one selects everything.

    A pattern that matches a requirement selects it, one that matches a check selects all that this check
    decides, and one that begins with `!` leaves out what it matches. A pattern without a wildcard is the
    whole id of a requirement, or a part of the name of a check.
    """

    expression: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The patterns."""
        return tuple(part for part in (each.strip() for each in self.expression.split(",")) if part)

    def through(self, check: str, requirement: str) -> bool:
        """Whether this check is asked to decide this requirement."""
        if any(_matches(part[1:], check, requirement) for part in self.parts if part.startswith("!")):
            return False
        wanted = [part for part in self.parts if not part.startswith("!")]
        return not wanted or any(_matches(part, check, requirement) for part in wanted)

    def has(self, requirement: Requirement) -> bool:
        """Whether the requirement is selected, by its id or through one of its checks."""
        return any(self.through(check, requirement.id) for check in requirement.checks or ("",))

    def spared(self, requirements: Iterable[Requirement]) -> frozenset[str]:
        """The files whose checks decide some of these requirements and none that they are asked to decide.

        A file that no requirement names is not among them: nobody knows what is in it.
        """
        asked = [
            (check.partition("::")[0], self.through(check, each.id))
            for each in requirements
            for check in each.checks
        ]
        return frozenset(file for file, _ in asked) - {file for file, wanted in asked if wanted}

    def unmatched(self, requirements: Iterable[Requirement]) -> list[str]:
        """The patterns that match none of these requirements and none of their checks."""
        pairs = [(check, each.id) for each in requirements for check in each.checks or ("",)]
        return [
            part
            for part in self.parts
            if not any(_matches(part.removeprefix("!"), check, name) for check, name in pairs)
        ]


def _matches(pattern: str, check: str, requirement: str) -> bool:
    if any(mark in pattern for mark in "*?["):
        return fnmatchcase(check, pattern) or fnmatchcase(requirement, pattern)
    return pattern in check or pattern == requirement
