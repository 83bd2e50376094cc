"""From the ending of a check to the event that reports it, and which checks apply to a target."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from hypothesis.errors import Flaky

from conformance.contract import store
from conformance.contract.errors import ContractError
from conformance.contract.model import Contract, Requirement
from conformance.known import all_waivers
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
from conformance.report.stream import ReportError
from conformance.report.waivers import covering
from conformance.suites.expect import Expect
from conformance.suites.marks import EXCLUSIVE, REQUIREMENT
from conformance.target.connect import TargetOptions, connect, prepare, sweep_run
from conformance.target.session import Session

EVENT_PROPERTY: Final = "mlconform.event"
PROFILE_OF_FOLDER: Final[Mapping[str, str]] = {"opensearch_ml": "opensearch-ml", "nugen": "nugen"}
EXPECT_KEY: Final = pytest.StashKey[Expect]()
SESSION_KEY: Final = pytest.StashKey[Session]()
# A cut-off keeps the stream readable; the report cuts further.
_LONGEST_EVIDENCE = 60
_UNDECIDED = (Untestable, TargetUnreachable, PrerequisiteMissing, pytest.skip.Exception)


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

    def __init__(self, options: RunOptions) -> None:
        """Raises `UsageError`, `ReportError` or `ContractError` where the options name what is not there."""
        self.options = options
        self.waivers: tuple[Waiver, ...] = all_waivers(options.known, options.waivers)
        self.complaints: list[str] = []
        self._targets: dict[str, Target] = {}
        self._problems: dict[str, Exception] = {}
        self._waived = covering(self.waivers, datetime.now(UTC).date())
        if options.docs_version is not None:
            self._check_docs_version(options.docs_version)

    @classmethod
    def from_config(cls, config: pytest.Config) -> Judging:
        """The judging that the `--ml-*` options ask for; ends pytest with exit code 4 on bad ones."""
        try:
            return cls(options_from(config))
        except (UsageError, ReportError, ContractError) as error:
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
                self._targets[profile] = self._connected(profile)
            except (TargetUnreachable, PrerequisiteMissing, BrokenAnswer) as error:
                self._problems[profile] = error
                raise
        return self._targets[profile]

    def _connected(self, profile: str) -> Target:
        """A session, prepared only after there is a contract to judge it by."""
        session = connect(profile, self.options.target)
        try:
            contract = self._contract(profile, session.facts.version)
            prepare(session)
        except BaseException:
            self._hang_up(session)
            raise
        return Target(session, contract)

    def _contract(self, profile: str, target_version: str | None) -> Contract:
        """The contract of the version asked for, else of the target's, else the newest.

        With all profiles asked for, a profile whose versions are counted in another way keeps its own.
        """
        asked = self.options.docs_version
        if asked is not None:
            fits = self.options.profile == profile or _fits(profile, asked)
            return store.load(profile, asked if fits else None)
        if target_version is None:
            return store.load(profile)
        try:
            return store.load(profile, ".".join(str(n) for n in _numbers(target_version)))
        except ContractError as error:
            raise PrerequisiteMissing(
                f"no documentation for the target's version {target_version!r}: {error}; "
                "choose one with --docs-version"
            ) from None

    def _check_docs_version(self, asked: str) -> None:
        if not any(_fits(profile, asked) for profile in self.options.profiles):
            store.load(self.options.profiles[0], asked)

    def found(self) -> Mapping[str, Target]:
        """The profiles that were connected."""
        return self._targets

    def any_session(self) -> Session:
        """The session of the first profile asked for."""
        return self.target(self.options.profiles[0]).session

    def close(self, *, interrupted: bool = False) -> None:
        """Remove what is left of the run, put settings back, and hang up; see `complaints`.

        An `interrupted` run may have made more than it remembers.
        """
        for target in self._targets.values():
            if interrupted:
                self.complaints += sweep_run(target.session)
            self._hang_up(target.session)
        self._targets.clear()

    def _hang_up(self, session: Session) -> None:
        try:
            self.complaints += session.clean()
        finally:
            session.close()

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
        """The requirements of the profile's contract, as events.

        Where the target was not connected, no version says which contract and which of it applies:
        the one asked for or the newest, and all of it.
        """
        found = self._targets.get(profile)
        contract = found.contract if found else self._contract(profile, None)
        return [
            RequirementListed(
                id=requirement.id,
                profile=profile,
                level=requirement.level,
                statement=requirement.statement,
                sources=tuple(str(source) for source in requirement.sources),
                checks=requirement.checks,
                unchecked=requirement.unchecked,
                inapplicable=self.inapplicable(requirement) if found else None,
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

    def binding(self, requirement_id: str, check: str) -> bool:
        """Whether a difference that this check met fails the run: strong enough, and not waived."""
        if (requirement_id, None) in self._waived or (requirement_id, check) in self._waived:
            return False
        for target in self._targets.values():
            requirement = target.contract.requirements.get(requirement_id)
            if requirement is not None:
                return requirement.level.rank <= self.options.level.rank
        return True

    # checks

    def select(self, items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
        """(kept, dropped): what is no check of the suite is kept.

        Ends pytest with exit code 3 where the target left nothing to run.
        """
        kept: list[pytest.Item] = []
        dropped: list[pytest.Item] = []
        for item in items:
            (kept if self._wanted(item) else dropped).append(item)
        if self._problems and not kept:
            told = "; ".join(dict.fromkeys(str(problem) for problem in self._problems.values()))
            pytest.exit(f"mlconform: {told}", returncode=3)
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
        except (TargetUnreachable, PrerequisiteMissing, BrokenAnswer):
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
        if call.when == "teardown" and error is not None:
            problem = f"{check_name(item)} could not be ended: {type(error).__name__}: {error}"
            report.user_properties.append((EVENT_PROPERTY, encode(Problem("internal", problem))))
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
            item.session.shouldstop = str(error)
        _shape_outcome(report, decisions, lambda requirement: self.binding(requirement, event.check))

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
        undecided = isinstance(error, _UNDECIDED)
        if difference is None and undecided and expect is not None:
            # A later example found the target in the way of deciding: the difference met before it stands.
            difference = expect.difference
        if difference is not None:
            failed = Decision(
                difference.requirement,
                Outcome.FAIL,
                expected=difference.expected,
                came=difference.came,
            )
            return (failed,)
        if undecided:
            return tuple(Decision(name, Outcome.UNTESTABLE, reason=str(error)) for name in bound)
        told = f"{type(error).__name__}: {error}"
        return tuple(Decision(name, Outcome.ERROR, reason=told) for name in bound)


def _fits(profile: str, version: str) -> bool:
    try:
        store.load(profile, version)
    except ContractError:
        return False
    return True


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
        run_id=_own_run_id(get("--ml-run-id")),
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


def _own_run_id(given: str) -> str:
    """The run's id, and in a worker of pytest-xdist the worker's too: each names what it makes."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    return f"{given}-{worker}" if given and worker else given


def bound_requirements(item: pytest.Item) -> tuple[str, ...]:
    """The ids of all `requirement` marks of a check."""
    return tuple(dict.fromkeys(name for mark in item.iter_markers(REQUIREMENT) for name in mark.args))


def in_worker() -> bool:
    """Whether this process is a worker of pytest-xdist."""
    return "PYTEST_XDIST_WORKER" in os.environ


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


def _shape_outcome(
    report: pytest.TestReport, decisions: tuple[Decision, ...], binding: Callable[[str], bool]
) -> None:
    """A difference that does not bind is shown by pytest as an expected failure, not as a failure.

    So is what could not be tested; a check that forgot a requirement fails.
    """
    if not decisions:
        return
    outcomes = {decision.outcome for decision in decisions}
    if report.outcome == "passed" and Outcome.ERROR in outcomes:
        report.outcome = "failed"
        report.longrepr = "\n".join(
            f"{decision.requirement}: {decision.reason}"
            for decision in decisions
            if decision.outcome is Outcome.ERROR
        )
    if report.outcome != "failed" or Outcome.ERROR in outcomes:
        return
    differing = [d.requirement for d in decisions if d.outcome in {Outcome.FAIL, Outcome.FLAKY}]
    if not any(binding(requirement) for requirement in differing):
        report.outcome = "skipped"
        report.wasxfail = f"does not fail the run: {', '.join(d.requirement for d in decisions)}"
