"""What a run would meet and do on a target, learned without a request that writes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import pytest

from mlconform.conformance.contract.model import Remedy
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.report.remedies import TAKES
from mlconform.conformance.running.checks import bound_requirements, check_name, is_exclusive, needed
from mlconform.conformance.running.judging import Judging
from mlconform.conformance.running.options import RunOptions
from mlconform.conformance.running.run import run_pytest
from mlconform.conformance.running.waiting import plan, waits
from mlconform.conformance.targets import opensearch_preparation, opensearch_settings
from mlconform.conformance.targets.connect import new_run_id
from mlconform.conformance.targets.opensearch_abilities import Ability, Deed, abilities, plugins
from mlconform.conformance.targets.opensearch_users import who_is
from mlconform.conformance.targets.profiles import profiles
from mlconform.conformance.targets.session import Facts, Session, remedy_of
from mlconform.conformance.targets.turns import alive_prefixes
from mlconform.conformance.targets.users import Part, User, cast

T = TypeVar("T")
PROFILE = "opensearch-ml"
# The fixture of checks that act as several users.
_USERS = "users"


@dataclass(frozen=True, slots=True)
class Gain:
    """How many requirements more a run would decide, at most, with what `remedy` stands for."""

    remedy: Remedy
    requirements: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a run of any profile would go through. `models` are those that a run may use of an API that makes
    none; None where it makes its own, or all of the target's serve it.

    `judged` counts the requirements that have a check and apply, `plan` says what is waited for. `chosen` are
    the node ids of the checks that would go to their end; `left_out` are those of the selected that would
    not, by the reason, and `dropped` counts the others of the suite.

    `account` is who the run is, None where the target knows no users, and `others` are the runs at work.
    `settings` says whether the run would change settings, as far as it is known before; `for_endpoint` are
    those that connectors lack to reach the run's endpoint, with their values (None where the account may not
    see it).
    """

    profile: str
    facts: Facts
    documentation: str
    models: tuple[str, ...] | None
    checks: int
    judged: int
    plan: str
    chosen: tuple[str, ...]
    left_out: Mapping[str, tuple[str, ...]]
    dropped: int
    account: User | None
    others: tuple[str, ...]
    settings: bool | None
    for_endpoint: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Preview(Outlook):
    """What was found of OpenSearch ML besides. `parts` are those that somebody plays, `abilities` are what
    the account may do, and `gains` are what would let a run decide more.
    """

    plugins: tuple[str, ...]
    parts: tuple[Part, ...]
    model_access: bool | None
    connector_access: bool | None
    abilities: tuple[Ability, ...]
    gains: tuple[Gain, ...]


def preview(options: RunOptions) -> Preview:
    """Look at a target as a run would, and write nothing to it. Raises what `connect` raises."""
    with _looking(options) as judging:
        target = judging.target(PROFILE)
        collected = _collected(judging)
        session, items = target.session, collected.items
        account = who_is(session)
        users = [who_is(session.acting_as(each)) for each in session.options.users]
        parts = cast([user for user in (account, *users) if user is not None])
        may = abilities(session, account)
        settings = _changes_settings(session, may)
        lacks = _Lacking(session, frozenset(parts), settings)
        return Preview(
            **_seen(judging, PROFILE, collected, lacks),
            account=account,
            others=tuple(str(mark) for mark in alive_prefixes(session).values()),
            settings=settings,
            for_endpoint=_known(lambda: opensearch_preparation.lacking_for_endpoint(session)),
            plugins=plugins(session),
            parts=tuple(parts),
            model_access=_is_on(session, opensearch_settings.MODEL_ACCESS_CONTROL),
            connector_access=_is_on(session, opensearch_settings.CONNECTOR_ACCESS_CONTROL),
            abilities=may,
            gains=tuple(_gains(judging, items, lacks)),
        )


def outlook(options: RunOptions, profile: str) -> Outlook:
    """Look at a target as a run of this profile would, and send nothing but what discovers it.

    Raises what `connect` raises.
    """
    with _looking(options) as judging:
        session = judging.target(profile).session
        # Users, turns and settings are of the profile of OpenSearch ML alone.
        lacks = _Lacking(session, frozenset(), None)
        seen = _seen(judging, profile, _collected(judging), lacks)
        return Outlook(**seen, account=None, others=(), settings=False, for_endpoint={})


@contextmanager
def _looking(options: RunOptions) -> Iterator[Judging]:
    """A judging that makes no target ready."""
    target = replace(options.target, run_id=new_run_id())
    judging = Judging(replace(options, target=target), make_ready=lambda *_: None)
    try:
        yield judging
    finally:
        judging.close()


def _collected(judging: Judging) -> _Collected:
    collected = _Collected()
    run_pytest(judging, [collected], ["--collect-only"])
    return collected


def _seen(judging: Judging, profile: str, collected: _Collected, lacks: _Lacking) -> dict[str, Any]:
    """What every profile has of an `Outlook`."""
    target = judging.target(profile)
    session, items = target.session, collected.items
    why = {item.nodeid: lacks.why(item) for item in items}
    makes = profiles()[profile].sweep is not None
    given = session.options.model_ids
    return {
        "profile": profile,
        "facts": session.facts,
        "documentation": target.contract.version,
        "models": None if makes or (session.clock.movable and not given) else tuple(given),
        "checks": len(items),
        "judged": sum(
            bool(each.checks) and judging.judges(each.id) for each in target.contract.requirements.values()
        ),
        "plan": _planned(items, session),
        "chosen": tuple(name for name, reason in why.items() if reason is None),
        "left_out": _by_reason(items, why),
        "dropped": collected.dropped,
    }


class _Collected:
    """Keeps what pytest collects, and counts what was not selected or does not apply."""

    def __init__(self) -> None:
        self.items: list[pytest.Item] = []
        self.dropped = 0

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self.dropped += len(items)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.items = list(session.items)


def _by_reason(items: Iterable[pytest.Item], why: Mapping[str, str | None]) -> Mapping[str, tuple[str, ...]]:
    """The names of the checks that have a reason, by it; one of several parameters comes several times."""
    found = defaultdict(list)
    for item in items:
        reason = why[item.nodeid]
        if reason is not None:
            found[reason].append(check_name(item))
    return {reason: tuple(names) for reason, names in found.items()}


def _planned(items: Sequence[pytest.Item], session: Session) -> str:
    told = None if session.clock.movable else plan(items, session.options.max_wait)
    return told or "waits for nothing"


def _is_on(session: Session, name: str) -> bool | None:
    """Whether a flag is set in effect; None where the account may not see it."""
    return _known(lambda: str(opensearch_settings.read_settings(session, defaults=True).get(name)) == "true")


def _known(ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except Untestable:
        return None


def _changes_settings(session: Session, may: Iterable[Ability]) -> bool | None:
    if not session.options.may_change_settings:
        return False
    return next(ability.may for ability in may if ability.deed is Deed.SETTINGS)


def _gains(
    judging: Judging, items: Sequence[pytest.Item], lacks: Callable[[pytest.Item], Remedy | None]
) -> Iterator[Gain]:
    """What the user could give for requirements of which all checks lack it, and for those without a check
    of which the contract says so; the most first."""
    lacking: dict[str, Remedy | None] = {}
    for item in items:
        for name in bound_requirements(item):
            found = lacks(item)
            lacking[name] = found if lacking.get(name, found) is found else None
    for requirement in judging.target(PROFILE).contract.requirements.values():
        if requirement.unchecked is not None:
            lacking[requirement.id] = requirement.remedy
    counted = Counter(remedy for name, remedy in lacking.items() if remedy and judging.judges(name))
    yield from (Gain(remedy, count) for remedy, count in counted.most_common())


@dataclass(frozen=True, slots=True)
class _Lacking:
    """Tells what a check lacks here that a user could give."""

    session: Session
    parts: frozenset[Part]
    settings: bool | None

    def __call__(self, item: pytest.Item) -> Remedy | None:
        options = self.session.options
        if _USERS in getattr(item, "fixturenames", ()):
            return None if self.parts >= set(Part) or options.create_users else Remedy.USERS
        if waits(item):
            too_long = not self.session.clock.movable and waits(item) > options.max_wait
            return Remedy.WAITING if too_long else None
        if is_exclusive(item) and self.settings is False:
            return Remedy.PERMISSION if options.may_change_settings else Remedy.SETTINGS
        return next((found for name in self.missing(item) if (found := remedy_of(name)) is not None), None)

    def missing(self, item: pytest.Item) -> list[str]:
        """The capabilities that the check declares and the target does not have."""
        return [name for name in needed(item) if not self.session.capabilities.get(name, False)]

    def why(self, item: pytest.Item) -> str | None:
        """Why the check would decide nothing here, as far as it declares what it needs; else None."""
        remedy, missing = self(item), self.missing(item)
        if remedy is not None:
            return f"needs {TAKES[remedy][0].lower()}{TAKES[remedy][1:].rstrip('.')}"
        return f"the target lacks {missing[0]}" if missing else None
