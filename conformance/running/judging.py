"""The targets of a run, and which requirements of their contracts and which checks it goes through."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata

import pytest

from mlconform.conformance.contract.addresses import Address, address
from mlconform.conformance.contract.broken import broken_by
from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.contract.model import Contract, Requirement
from mlconform.conformance.contract.requests import Requests
from mlconform.conformance.contract.routes import Routes
from mlconform.conformance.errors import PrerequisiteMissing, TargetUnreachable, UsageError
from mlconform.conformance.outcomes import BrokenAnswer, Nonconformance
from mlconform.conformance.report.events import (
    KnownDeviation,
    Link,
    RequirementListed,
    RunStarted,
    TargetDiscovered,
    Waiver,
)
from mlconform.conformance.report.exit_code import ReportError
from mlconform.conformance.report.notes import is_of
from mlconform.conformance.report.waivers import Difference, covering, holding
from mlconform.conformance.running.applying import check_docs_version, contract_of, inapplicable
from mlconform.conformance.running.checks import bound_requirements, check_name, in_worker, profile_of
from mlconform.conformance.running.known import all_waivers, known_sets, known_waivers
from mlconform.conformance.running.options import HANDED, Handed, RunOptions, options_from
from mlconform.conformance.running.selection import Selection
from mlconform.conformance.running.waiting import WaitingRoom
from mlconform.conformance.suites.marks import FIRST
from mlconform.conformance.targets.addresses import without_credentials
from mlconform.conformance.targets.connect import connect, join, prepare, sweep_run
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.session import Session
from mlconform.conformance.targets.turns import Tell
from mlconform.conformance.watch.watch import Watch

MakeReady = Callable[[Session, Tell], None]


@dataclass(frozen=True, slots=True)
class Target:
    """A profile that was found on the target, its contract, and the watch over its answers.

    `requests` are what the contract says of those that we send.
    """

    session: Session
    contract: Contract
    routes: Routes
    requests: Requests
    watch: Watch

    def forbidden(self, exchange: Exchange) -> str | None:
        """What the contract does not allow of the request that was sent, or None."""
        request = exchange.request
        return self.requests.problem(self.routes.operation(request.method, request.path), request.body)


class Judging:
    """Everything a run holds while its checks run: sessions, contracts, and what applies."""

    def __init__(self, options: RunOptions, make_ready: MakeReady = prepare) -> None:
        """`make_ready` prepares a target that is new.

        Raises `UsageError`, `ReportError` or `ContractError` where the options name what is not there.
        """
        self.options = options
        self.selection = Selection(options.select)
        self._prepare = make_ready
        self.waivers: tuple[Waiver, ...] = all_waivers(options.known, options.waivers)
        self.complaints: list[str] = []
        self.waiting = WaitingRoom()
        self.tell: Tell = lambda _: None
        self._targets: dict[str, Target] = {}
        self._problems: dict[str, Exception] = {}
        self._waived = holding(self.waivers, datetime.now(UTC).date())
        check_docs_version(options)

    @classmethod
    def from_config(cls, config: pytest.Config) -> Judging:
        """The judging that the `--ml-*` options ask for; ends pytest with exit code 4 on bad ones."""
        try:
            return cls(options_from(config, getattr(config, "workerinput", {}).get(HANDED)))
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
            contract = contract_of(self.options, profile, session.facts.version)
            watch = self._watch(contract, session)
            session.watch = watch
            self._make_ready(session)
        except BaseException:
            self._hang_up(session)
            raise
        openapi = contract.openapi
        return Target(session, contract, Routes.of(openapi), Requests.of(openapi), watch)

    def _watch(self, contract: Contract, session: Session) -> Watch:
        """The watch over a session's target; what does not apply to its version is not decided."""
        held = contract.requirements

        def in_force(name: str) -> bool:
            return inapplicable(held[name], session.facts) is None

        def selected(name: str) -> bool:
            return self.selection.has(held[name])

        return Watch(contract, session.facts, in_force, lambda: time.time() + session.clock.moved, selected)

    def _make_ready(self, session: Session) -> None:
        target = self.options.target
        if target.prepared_endpoint is None:
            self._prepare(session, self.tell)
        else:
            join(session, target.run_id.rpartition("-")[0])

    def go_apart(self) -> None:
        """Go on in a fork of the process that connected the mock: it is this one's own by now, and reaches a
        model of its own, for what answered in the other process does not go on here.

        Raises as `connect` does.
        """
        for target in self._targets.values():
            target.session.begin_endpoint()
            self._make_ready(target.session)

    def connect_all(self) -> str:
        """Connect every profile that was asked for and is there; why those that are not are not."""
        for profile in self.options.profiles:
            with suppress(TargetUnreachable, PrerequisiteMissing, BrokenAnswer):
                self.target(profile)
        return self._told()

    def _told(self) -> str:
        return "; ".join(dict.fromkeys(str(problem) for problem in self._problems.values()))

    def handed(self) -> Handed:
        """What the workers of this run use of what is prepared here."""
        endpoints = [found.session.endpoint.url for found in self._targets.values()]
        return self.options.target.run_id, endpoints[0] if endpoints else None

    def found(self) -> Mapping[str, Target]:
        """The profiles that were connected."""
        return self._targets

    def any_session(self) -> Session:
        """The session of the first profile asked for."""
        return self.target(self.options.profiles[0]).session

    def close(self, *, interrupted_at: float | None = None) -> None:
        """Remove what is left of the run, put settings back, and hang up; see `complaints`.

        A run that was interrupted, at this `time.monotonic`, may have made more than it remembers. What a
        check could not remove may have been in the way of another, which is gone by now: a node takes a
        connector for one that a model still uses where their ids have a part in common.
        """
        for target in self._targets.values():
            if interrupted_at is not None or (self.complaints and not in_worker()):
                since = time.monotonic() if interrupted_at is None else interrupted_at
                removed, left = sweep_run(target.session, since)
                stayed = [told for told in self.complaints if not any(thing in told for thing in removed)]
                self.complaints = list(dict.fromkeys([*stayed, *left]))
            self._hang_up(target.session)
        self._targets.clear()

    def _hang_up(self, session: Session) -> None:
        try:
            self.complaints += session.clean()
        finally:
            session.close()

    def header(self) -> RunStarted:
        """What the run is: whom it judges, by what, and how it is repeated."""
        options = self.options
        return RunStarted(
            run_id=options.target.run_id,
            started_at=now(),
            tool_version=metadata.version("mlconform"),
            target=without_credentials(options.target.target),
            profiles=options.profiles,
            docs_versions={profile: found.contract.version for profile, found in self._targets.items()},
            level=options.level,
            seed=options.seed,
            max_wait_seconds=options.target.max_wait,
            selection=options.select,
            require_decided=options.require_decided,
            options=options.repeated,
            max_rate=options.target.max_rate,
        )

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

    def known_here(self, profile: str) -> list[KnownDeviation]:
        """What the known set of the target's own version would accept, where the run was not given one."""
        version = self.target(profile).session.facts.version
        if self.options.known is not None:
            return []
        return [
            KnownDeviation(waiver.requirement, name, waiver.signature)
            for name in known_sets()
            if is_of(version, name.rpartition("-")[2])
            for waiver in known_waivers(name)
        ]

    # requirements

    def listed(self, profile: str) -> list[RequirementListed]:
        """The requirements of the profile's contract, as events.

        Where the target was not connected, no version says which contract and which of it applies:
        the one asked for or the newest, and all of it.
        """
        contract = self._contract(profile)
        return [
            RequirementListed(
                id=requirement.id,
                profile=profile,
                level=requirement.level,
                statement=requirement.statement,
                sources=tuple(str(source) for source in requirement.sources),
                checks=requirement.checks,
                unchecked=requirement.unchecked,
                remedy=requirement.remedy,
                impact=requirement.impact,
                links=_links(contract, requirement),
                broken_by=broken_by().get(requirement.id),
                inapplicable=self.inapplicable(requirement) if profile in self._targets else None,
                selected=self.selection.has(requirement),
            )
            for requirement in contract.requirements.values()
        ]

    def _contract(self, profile: str) -> Contract:
        found = self._targets.get(profile)
        return found.contract if found else contract_of(self.options, profile)

    def inapplicable(self, requirement: Requirement) -> str | None:
        """Why this requirement does not apply to the target's version, or None where it does."""
        return inapplicable(requirement, self.target(requirement.profile).session.facts)

    def in_force(self, requirement_id: str) -> bool:
        """Whether the contract has it, and it applies to the target."""
        requirement = self._requirement(requirement_id)
        return requirement is not None and self.inapplicable(requirement) is None

    def selected(self, requirement_id: str) -> bool:
        """Whether the run was asked to judge it; what no contract has is selected by its id alone."""
        requirement = self._requirement(requirement_id)
        if requirement is None:
            return self.selection.through("", requirement_id)
        return self.selection.has(requirement)

    def judges(self, requirement_id: str) -> bool:
        """Whether it is in force and selected: about all else the run says nothing."""
        return self.in_force(requirement_id) and self.selected(requirement_id)

    def _requirement(self, requirement_id: str) -> Requirement | None:
        found = (target.contract.requirements.get(requirement_id) for target in self._targets.values())
        return next((each for each in found if each is not None), None)

    def accepted(self, difference: Difference) -> bool:
        """Whether a waiver or the known set of the run accepts it."""
        return covering(self._waived, difference) is not None

    def known(self, met: Nonconformance, check: str) -> bool:
        """As `accepted`, of what this check met."""
        return self.accepted(Difference(met.requirement, check, met.signature))

    def binding(self, difference: Difference) -> bool:
        """Whether a difference fails the run: strong enough, and not waived."""
        if self.accepted(difference):
            return False
        requirement = self._requirement(difference.requirement)
        return requirement is None or requirement.level.rank <= self.options.level.rank

    # checks

    def unselected(self) -> str | None:
        """Which parts of the selection match no requirement and no check of the contracts, or None."""
        contracts = [self._contract(profile) for profile in self.options.profiles]
        listed = [each for contract in contracts for each in contract.requirements.values()]
        parts = self.selection.unmatched(listed)
        if not parts:
            return None
        versions = " or ".join(f"{contract.profile} {contract.version}" for contract in contracts)
        return (
            f"{', '.join(map(repr, parts))} in --select matches no requirement and no check of {versions}; "
            "`mlconform requirements list` has them"
        )

    def select(self, items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
        """(kept, dropped): what is no check of the suite is kept, those that come first before all others.

        Ends pytest with exit code 3 where the target left nothing to run.
        """
        kept: list[pytest.Item] = []
        dropped: list[pytest.Item] = []
        for item in items:
            (kept if self._wanted(item) else dropped).append(item)
        if self._problems and not kept:
            pytest.exit(f"mlconform: {self._told()}", returncode=3)
        problem = None if in_worker() else self.unselected()
        if problem:
            raise pytest.UsageError(problem)
        kept.sort(key=lambda item: item.get_closest_marker(FIRST) is None)
        return kept, dropped

    def _wanted(self, item: pytest.Item) -> bool:
        bound = bound_requirements(item)
        profile = profile_of(item)
        if not bound or profile is None:
            return True
        if profile not in self.options.profiles:
            return False
        asked = [name for name in bound if self.selection.through(check_name(item), name)]
        if not asked:
            return False
        try:
            self.target(profile)
        except (TargetUnreachable, PrerequisiteMissing, BrokenAnswer):
            return False
        return any(self.in_force(requirement) for requirement in asked)


def _links(contract: Contract, requirement: Requirement) -> tuple[Link, ...]:
    found = ((source, address(contract, source)) for source in requirement.sources)
    return tuple(
        Link(str(source), where.published, where.repository) for source, where in found if where != Address()
    )


def now() -> str:
    """The time in the form that events have: ISO 8601 in seconds, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
