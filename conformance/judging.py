"""From the ending of a check to the event that reports it, and which checks apply to a target."""

from __future__ import annotations

import re
import traceback
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis.errors import Flaky

from conformance.contract import store
from conformance.contract.model import Contract, Requirement
from conformance.options import DEFAULT_OUT, RunOptions, parse_level, selects
from conformance.outcomes import (
    BrokenAnswer,
    Nonconformance,
    PrerequisiteMissing,
    TargetUnreachable,
    Untestable,
    UsageError,
)
from conformance.report.codec import encode
from conformance.report.events import (
    CheckFinished,
    Decision,
    ExchangeRecord,
    Outcome,
    Problem,
    RequirementListed,
    TargetDiscovered,
    Waiver,
)
from conformance.suites.expect import Expect
from conformance.suites.marks import EXCLUSIVE, REQUIREMENT
from conformance.target.connect import TargetOptions, connect
from conformance.target.session import Session

EVENT_PROPERTY: Final = "mlconform.event"
PROFILE_OF_FOLDER: Final[Mapping[str, str]] = {"opensearch_ml": "opensearch-ml", "nugen": "nugen"}
EXPECT_KEY: Final = pytest.StashKey[Expect]()
SESSION_KEY: Final = pytest.StashKey[Session]()
# A cut-off keeps the stream readable; the report cuts further.
_LONGEST_EVIDENCE = 60


class FlakyDifference(Exception):  # noqa: N818 - an ending of a check, not an error
    """A check met a difference that did not come again when the check was repeated."""

    def __init__(self, first: Nonconformance) -> None:
        super().__init__(f"met once and not again: {first}")
        self.first = first


@dataclass(frozen=True, slots=True)
class Target:
    """A profile that was found on the target, and the contract it is judged by."""

    session: Session
    contract: Contract


class Judging:
    """Everything a run holds while its checks run: sessions, contracts, and what applies."""

    def __init__(self, options: RunOptions, waivers: Iterable[Waiver] = ()) -> None:
        self.options = options
        self._targets: dict[str, Target] = {}
        self._problems: dict[str, Exception] = {}
        self._waived = {waiver.requirement for waiver in waivers}
        self.complaints: list[str] = []

    @classmethod
    def from_config(cls, config: pytest.Config) -> Judging:
        """The judging that the `--ml-*` options ask for; ends pytest with exit code 2 on bad ones."""
        try:
            return cls(options_from(config))
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None

    # targets

    def target(self, profile: str) -> Target:
        """The profile's session and contract, connected at the first use.

        Raises what `connect` raises, and again each time it is asked for.
        """
        if profile in self._problems:
            raise self._problems[profile]
        if profile not in self._targets:
            try:
                session = connect(profile, self.options.target)
            except (TargetUnreachable, PrerequisiteMissing, BrokenAnswer) as error:
                self._problems[profile] = error
                raise
            version = self._docs_version(profile, session.facts.version)
            self._targets[profile] = Target(session, store.load(profile, version))
        return self._targets[profile]

    def _docs_version(self, profile: str, target_version: str) -> str | None:
        """The version asked for, else the target's; a profile with one page has one version."""
        if len(store.versions(profile)) == 1:
            return None
        return self.options.docs_version or ".".join(str(n) for n in _numbers(target_version))

    def found(self) -> Mapping[str, Target]:
        """The profiles that were connected."""
        return self._targets

    def any_session(self) -> Session:
        """The session of the first profile asked for."""
        return self.target(self.options.profiles[0]).session

    def close(self) -> None:
        """Remove what is left of the run, put settings back, and hang up; see `complaints`."""
        for target in self._targets.values():
            self.complaints += target.session.clean()
            target.session.close()
        self._targets.clear()

    def discovered(self, profile: str) -> TargetDiscovered:
        facts = self.target(profile).session.facts
        return TargetDiscovered(
            profile=profile,
            product=facts.product,
            version=facts.version,
            nodes=facts.nodes,
            capabilities=self.target(profile).session.capabilities,
            notes=facts.notes,
        )

    # requirements

    def listed(self, profile: str) -> list[RequirementListed]:
        """The requirements of the profile's contract, as events."""
        contract = self.target(profile).contract
        return [
            RequirementListed(
                id=requirement.id,
                profile=profile,
                level=requirement.level,
                statement=requirement.statement,
                sources=tuple(str(source) for source in requirement.sources),
                checks=requirement.checks,
                unchecked=requirement.unchecked,
                inapplicable=self.inapplicable(requirement),
            )
            for requirement in contract.requirements.values()
        ]

    def inapplicable(self, requirement: Requirement) -> str | None:
        """Why this requirement does not apply to the target's version, or None where it does."""
        version = self.target(requirement.profile).session.facts.version
        if requirement.since and _numbers(version) < _numbers(requirement.since):
            return f"since {requirement.since}; the target is {version}"
        if requirement.recorded and version not in requirement.recorded:
            return f"recorded on {', '.join(requirement.recorded)} alone; the target is {version}"
        return None

    def in_force(self, requirement_id: str) -> bool:
        """Whether the contract has it and it applies to the target."""
        for target in self._targets.values():
            requirement = target.contract.requirements.get(requirement_id)
            if requirement is not None:
                return self.inapplicable(requirement) is None
        return False

    def binding(self, requirement_id: str) -> bool:
        """Whether a difference fails the run: strong enough, and not waived."""
        for target in self._targets.values():
            requirement = target.contract.requirements.get(requirement_id)
            if requirement is not None:
                strong = requirement.level.rank <= self.options.level.rank
                return strong and requirement_id not in self._waived
        return True

    # checks

    def select(self, items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
        """(kept, dropped): what is no check of the suite is kept."""
        kept: list[pytest.Item] = []
        dropped: list[pytest.Item] = []
        for item in items:
            (kept if self._wanted(item) else dropped).append(item)
        return kept, dropped

    def _wanted(self, item: pytest.Item) -> bool:
        bound = bound_requirements(item)
        profile = profile_of(item)
        if not bound or profile is None:
            return True
        if profile not in self.options.profiles:
            return False
        if not selects(self.options.select, check_name(item), bound):
            return False
        try:
            self.target(profile)
        except (TargetUnreachable, PrerequisiteMissing, BrokenAnswer) as error:
            if self.options.profile == profile or len(self._problems) == len(self.options.profiles):
                pytest.exit(f"mlconform: {error}", returncode=3)
            return False
        return any(self.in_force(requirement) for requirement in bound)

    def call_and_repeat(self, item: pytest.Item) -> Generator[None, object, object]:
        """Run a check; repeat it once where it met a difference, unless hypothesis did so already."""
        try:
            return (yield)
        except Nonconformance as first:
            if isinstance(first, BrokenAnswer) or getattr(first, "__notes__", None):
                raise
            session = item.stash.get(SESSION_KEY, None)
            if session is not None:
                session.begin_sequence()
            try:
                item.runtest()
            except Nonconformance:
                raise
            except Untestable:
                raise first from None
            raise FlakyDifference(first) from None

    def conclude(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Attach the event of this phase to the report, and let pytest's outcome follow the verdict."""
        error = call.excinfo.value if call.excinfo is not None else None
        if call.when == "teardown" or (call.when == "setup" and error is None):
            return
        decisions = self._decisions(item, error)
        session = item.stash.get(SESSION_KEY, None)
        told = session is not None and any(d.outcome is not Outcome.PASS for d in decisions)
        event = CheckFinished(
            check=check_name(item),
            profile=profile_of(item) or "",
            duration=round(call.duration, 4),
            decisions=decisions,
            exchanges=_evidence(session) if told and session is not None else (),
            log=_log(error),
        )
        report.user_properties.append((EVENT_PROPERTY, encode(event)))
        if isinstance(error, TargetUnreachable):
            report.user_properties.append((EVENT_PROPERTY, encode(Problem("unreachable", str(error)))))
        _shape_outcome(report, decisions, self.binding)

    def _decisions(self, item: pytest.Item, error: BaseException | None) -> tuple[Decision, ...]:
        bound = [name for name in bound_requirements(item) if self.in_force(name)]
        expect = item.stash.get(EXPECT_KEY, None)
        decided = expect.decided if expect is not None else set()
        if error is None:
            # Exploration need not meet every case; a check that does not explore must.
            explores = "explore" in getattr(item, "fixturenames", ())
            return tuple(_passed_or_forgotten(n, n in decided) for n in bound if n in decided or not explores)
        if isinstance(error, Flaky | FlakyDifference):
            first = _first_difference(error)
            names = [first.requirement] if first is not None else bound
            return tuple(_flaky(name, error, first) for name in names)
        difference = _first_difference(error)
        if difference is not None:
            failed = Decision(
                difference.requirement,
                Outcome.FAIL,
                expected=difference.expected,
                came=difference.came,
            )
            return (failed,)
        if isinstance(error, Untestable | TargetUnreachable | PrerequisiteMissing | pytest.skip.Exception):
            return tuple(Decision(name, Outcome.UNTESTABLE, reason=str(error)) for name in bound)
        told = f"{type(error).__name__}: {error}"
        return tuple(Decision(name, Outcome.ERROR, reason=told) for name in bound)


def _numbers(version: str) -> tuple[int, ...]:
    """2.19.0-SNAPSHOT as (2, 19, 0); what is no version is older than every one."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def options_from(config: pytest.Config) -> RunOptions:
    """The `--ml-*` options as a value; raises `UsageError`."""
    get = config.getoption
    target = TargetOptions(
        target=get("--ml-target"),
        max_wait=get("--ml-max-wait"),
        allow_settings=get("--ml-allow-settings"),
        endpoint_host=get("--ml-endpoint-host"),
        model_ids=tuple(get("--ml-model-id")),
        insecure=get("--ml-insecure"),
        docs_version=get("--ml-docs-version"),
        mutant=get("--ml-mutant"),
        run_id=get("--ml-run-id"),
    )
    waivers, out = get("--ml-waivers"), get("--ml-out")
    return RunOptions(
        target=target,
        profile=get("--ml-profile"),
        docs_version=get("--ml-docs-version"),
        level=parse_level(get("--ml-level")),
        select=get("--ml-select"),
        seed=get("--ml-seed"),
        known=get("--ml-known"),
        waivers=Path(waivers) if waivers else None,
        require_decided=get("--ml-require-decided"),
        out=Path(out or DEFAULT_OUT),
    )


def bound_requirements(item: pytest.Item) -> tuple[str, ...]:
    """The ids of all `requirement` marks of a check."""
    return tuple(dict.fromkeys(name for mark in item.iter_markers(REQUIREMENT) for name in mark.args))


def is_exclusive(item: pytest.Item) -> bool:
    return item.get_closest_marker(EXCLUSIVE) is not None


def profile_of(item: pytest.Item) -> str | None:
    """The profile whose folder holds the check; None for tests that are not the suite's."""
    if item.path.parent.parent.name != "suites":
        return None
    return PROFILE_OF_FOLDER.get(item.path.parent.name)


def check_name(item: pytest.Item) -> str:
    """Folder, file and function, without the parameters: the name that the contract uses."""
    tail = item.nodeid.partition("::")[2]
    return re.sub(r"\[.*\]$", "", f"{item.path.parent.name}/{item.path.name}::{tail}")


def _first_difference(error: BaseException) -> Nonconformance | None:
    if isinstance(error, Nonconformance):
        return error
    if isinstance(error, FlakyDifference):
        return error.first
    if isinstance(error, BaseExceptionGroup):
        found = [_first_difference(inner) for inner in error.exceptions]
        return next((inner for inner in found if inner is not None), None)
    return None


def _passed_or_forgotten(name: str, decided: bool) -> Decision:
    if decided:
        return Decision(name, Outcome.PASS)
    return Decision(name, Outcome.ERROR, reason="the check ended without evaluating it")


def _flaky(name: str, error: BaseException, first: Nonconformance | None) -> Decision:
    return Decision(
        name,
        Outcome.FLAKY,
        reason=f"it changed on repetition: {str(error).splitlines()[0]}",
        expected=first.expected if first is not None else "",
        came=first.came if first is not None else "",
    )


def _evidence(session: Session) -> tuple[ExchangeRecord, ...]:
    return tuple(exchange.record() for exchange in session.journal[-_LONGEST_EVIDENCE:])


def _log(error: BaseException | None) -> str:
    if error is None or isinstance(error, Nonconformance | Untestable | FlakyDifference):
        notes = getattr(error, "__notes__", [])
        return "\n".join(notes)
    return "".join(traceback.format_exception(error))[-4000:]


def _shape_outcome(report: pytest.TestReport, decisions: tuple[Decision, ...], binding: Any) -> None:
    """A difference that does not bind is shown by pytest as an expected failure, not as a failure."""
    if report.outcome != "failed":
        return
    soft = {Outcome.FAIL, Outcome.FLAKY, Outcome.UNTESTABLE}
    if all(
        d.outcome in soft and (d.outcome is not Outcome.FAIL or not binding(d.requirement)) for d in decisions
    ):
        report.outcome = "skipped"
        report.wasxfail = f"does not fail the run: {', '.join(d.requirement for d in decisions)}"


key: Final = pytest.StashKey[Judging]()
