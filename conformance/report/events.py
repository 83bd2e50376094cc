"""The events of a run: one JSON object a line in `run.ndjson`, and nothing else feeds a report.

A run is a header (`run_started`), the requirements it set out to judge, the waivers it was given,
what a known set that it was not given would have accepted, one `check_finished` a check, and a footer
(`run_finished`). A stream without its footer is an incomplete run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

SCHEMA_VERSION = 1


class Outcome(StrEnum):
    """What one check says of one requirement. The order is from worst to best."""

    FAIL = "fail"
    ERROR = "error"
    FLAKY = "flaky"
    UNTESTABLE = "untestable"
    PASS = "pass"
    INAPPLICABLE = "inapplicable"


@dataclass(frozen=True, slots=True)
class ExchangeRecord:
    """One request and its answer as evidence. `at` is seconds since the check began; `user` is the name of
    who sent it, empty for nobody."""

    method: str
    url: str
    at: float
    request_body: str | None
    request_content_type: str | None
    status: int | None
    content_type: str | None
    response_body: str | None
    problem: str | None = None
    curl: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a check decided of one requirement.

    `reason` says why for every outcome but pass; `expected`, `came` and `signature` are set on fail and
    flaky. A difference was `seen` in so many of `tries` repetitions. `remedy` is what would make it testable.
    """

    requirement: str
    outcome: Outcome
    reason: str = ""
    expected: str = ""
    came: str = ""
    signature: str = ""
    seen: int = 1
    tries: int = 1
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The header. `target` is the URL as given (credentials removed) or `mock`.

    `started_at` is an ISO 8601 time; waivers expire by its date. `require_decided` is the percent
    of requirements that must be decided. `options` are further command-line options that a
    repetition of the run needs (say `--known`, `opensearch-3.4`), never credentials. `max_rate` is how many
    requests a second the target was asked at most, None where nobody said.
    """

    run_id: str
    started_at: str
    tool_version: str
    target: str
    profiles: tuple[str, ...]
    docs_versions: dict[str, str]
    level: str
    seed: int
    max_wait_seconds: float
    selection: str = ""
    require_decided: float | None = None
    options: tuple[str, ...] = ()
    max_rate: float | None = None
    event: Literal["run_started"] = "run_started"
    schema_version: int = SCHEMA_VERSION


@dataclass(frozen=True, slots=True)
class TargetDiscovered:
    """What discovery learned of the target, a profile."""

    profile: str
    product: str
    version: str
    nodes: tuple[str, ...]
    capabilities: dict[str, bool]
    notes: tuple[str, ...] = ()
    event: Literal["target_discovered"] = "target_discovered"


@dataclass(frozen=True, slots=True)
class Link:
    """Where one of a requirement's sources is to be read: as published, and line by line; empty is none."""

    source: str
    published: str = ""
    repository: str = ""


@dataclass(frozen=True, slots=True)
class RequirementListed:
    """A requirement in force for this run, so that a report needs no other file.

    `impact` is what a difference means to a user; `links` are those of its sources that have any.
    `broken_by` is the deliberate fault or altered answer that was seen to break it: its checks can fail. Of
    one that is not `selected` the run says nothing.
    """

    id: str
    profile: str
    level: str
    statement: str
    sources: tuple[str, ...]
    checks: tuple[str, ...]
    unchecked: str | None = None
    inapplicable: str | None = None
    remedy: str | None = None
    impact: str = "wrong answer"
    links: tuple[Link, ...] = ()
    broken_by: str | None = None
    selected: bool = True
    event: Literal["requirement"] = "requirement"


@dataclass(frozen=True, slots=True)
class Waiver:
    """A failure of `requirement` that is accepted, and why; of one `check`, or of the finding with one
    `signature` only, where they are named.

    `until` is the last day on which it holds, as an ISO 8601 date. `origin` says where it was
    written: a file's name, or the known set it belongs to. `chance` says that the failure may fail to show.
    """

    requirement: str
    reason: str
    until: str | None = None
    check: str | None = None
    origin: str = ""
    signature: str | None = None
    chance: bool = False
    event: Literal["waiver"] = "waiver"


@dataclass(frozen=True, slots=True)
class KnownDeviation:
    """What the known set `known` of the target's version would accept, had the run been given it.

    Of the finding with one `signature` only, where it has one.
    """

    requirement: str
    known: str
    signature: str | None = None
    event: Literal["known_deviation"] = "known_deviation"


@dataclass(frozen=True, slots=True)
class AccessSeen:
    """What an operation answered to a user: one cell of the table of operations by user.

    `thing` says what it was asked for, `told` what the answer means where its status does not say it, and
    `wrong` that the user should have been let in or refused.
    """

    operation: str
    thing: str
    user: str
    status: int
    wrong: bool
    told: str = ""


@dataclass(frozen=True, slots=True)
class CheckFinished:
    """One check ran to its end, or could not. `duration` is in seconds, `endpoint` the address of the model
    that the run's connectors point at, where there was one. `access` is what users met.
    """

    check: str
    profile: str
    duration: float
    decisions: tuple[Decision, ...]
    exchanges: tuple[ExchangeRecord, ...] = ()
    log: str = ""
    endpoint: str = ""
    access: tuple[AccessSeen, ...] = ()
    event: Literal["check_finished"] = "check_finished"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that touches the run as a whole: target unreachable, cleanup that failed, our own error.

    `kind` is one of `unreachable`, `prerequisite`, `disturbed`, `cleanup`, `internal`, `interrupted`
    and `usage`.
    """

    kind: str
    message: str
    event: Literal["problem"] = "problem"


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The footer. `exit_code` is that of the command."""

    finished_at: str
    duration: float
    exit_code: int
    verdicts: dict[str, int] = field(default_factory=dict)
    event: Literal["run_finished"] = "run_finished"


Event = (
    RunStarted
    | TargetDiscovered
    | RequirementListed
    | Waiver
    | KnownDeviation
    | CheckFinished
    | Problem
    | RunFinished
)
