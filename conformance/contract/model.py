"""The contract as values: requirements, their sources, and the OpenAPI document they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """How firmly a requirement stands; the order of the members is from strongest to weakest."""

    DOCUMENTED = "documented"
    EXAMPLE = "example"
    OBSERVED = "observed"
    UNSPECIFIED = "unspecified"

    @property
    def rank(self) -> int:
        """0 for the strongest level; a run at level L fails on requirements whose rank is <= L's."""
        return list(Level).index(self)


class Remedy(StrEnum):
    """What a user could give so that an untestable requirement is decided by the next run."""

    SETTINGS = "settings"
    USERS = "users"
    NODES = "nodes"
    RESTART = "restart"
    NODE_COMMANDS = "node commands"
    WAITING = "waiting"
    FRESH_CLUSTER = "fresh cluster"
    ENGINE = "engine"
    VENDOR = "vendor"
    PERMISSION = "permission"
    ENDPOINT = "endpoint"
    MODEL = "model"


class Condition(StrEnum):
    """What a page ties a requirement to: where it does not hold, the requirement is inapplicable."""

    ACCESS_CONTROL_OFF = "model access control is off"


class Impact(StrEnum):
    """What a difference from a requirement means to a user; the order of the members is from gravest."""

    LETS_IN = "lets somebody in"
    LOSES = "loses data"
    STATE = "wrong state"
    ANSWER = "wrong answer"
    FORM = "wrong form"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fact comes from: lines of a page, an exchange of a recording, or a standard.

    Exactly one of `page`, `recording` and `reference` is set. `lines` is first and last line,
    counted from 1; `sha256` covers those lines as they stand in the page, newline-joined.
    """

    page: str | None = None
    lines: tuple[int, int] | None = None
    sha256: str | None = None
    version: str | None = None
    recording: str | None = None
    exchange: int | None = None
    reference: str | None = None

    def __str__(self) -> str:
        if self.page is not None and self.lines is not None:
            first, last = self.lines
            where = f"{first}" if first == last else f"{first}-{last}"
            return f"{self.page}:{where} ({self.version})"
        if self.recording is not None:
            return f"recording {self.version}/{self.recording}#{self.exchange}"
        return self.reference or "unknown"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that can be true or false of a target.

    `checks` are the node ids of the checks that decide it (relative to conformance/suites);
    where there is none, `unchecked` says why nothing can, and `remedy` what would let one. `recorded`
    lists the versions whose recordings show an observed requirement: it is judged on those alone
    (empty: on any).
    `since` is the first version that has it, `until` the last documentation version that does.
    `impact` is what a difference means to a user, `when` the condition under which it applies.
    """

    id: str
    profile: str
    level: Level
    statement: str
    sources: tuple[Source, ...]
    operation: str | None = None
    since: str | None = None
    recorded: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    unchecked: str | None = None
    until: str | None = None
    remedy: Remedy | None = None
    impact: Impact = Impact.ANSWER
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """A unit of a page accounted for: by the requirements that cite it, or by the reason it was excluded.

    With neither it is unaccounted, and the coverage says so.
    """

    key: str
    kind: str
    source: Source
    requirements: tuple[str, ...] = ()
    excluded: str | None = None


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Where the documentation contradicts itself or the standards: what was found, and how it was settled.

    `settled` is None for a finding of the rules that nobody has settled yet.
    """

    id: str
    finding: str
    settled: str | None
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Deviation:
    """Where a recorded version does not do what a requirement asks, and the exchanges that show it.

    `answers` are the places of recorded answers that do not fit the contract's schemas, each as
    operation/status/member. `signature` is that of the finding (None: whatever the requirement's finding).
    `chance` says that a run may miss it, so that its absence says nothing.
    """

    requirement: str
    version: str
    finding: str
    sources: tuple[Source, ...]
    answers: tuple[str, ...] = ()
    signature: str | None = None
    chance: bool = False


@dataclass(frozen=True, slots=True)
class PageRecord:
    """A page of the contract; `own` says that it is accounted for sentence by sentence.

    `published` is the address where people read it, `repository` that of its text, line by line. `anchors`
    are the lines at which its sections begin, with the names that the published page has for them.
    """

    id: str
    file: str
    own: bool
    published: str | None = None
    repository: str | None = None
    anchors: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Contract:
    """What one profile's documentation of one version promises.

    `units` are all units of its pages, `contradictions` what the pages say against each other, `deviations`
    what the recorded version that is nearest to it does otherwise. `recorded` are the forms of the answers
    that recordings show, JSON Schemas by recorded version, operation and status.
    """

    profile: str
    version: str
    requirements: Mapping[str, Requirement]
    openapi: Mapping[str, Any]
    units: tuple[UnitRecord, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    pages: tuple[PageRecord, ...] = ()
    recorded: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
