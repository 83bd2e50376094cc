"""What a run would meet and do on a target, learned without a request that writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import pytest

from conformance.contract.model import Remedy
from conformance.outcomes import Untestable
from conformance.running.checks import bound_requirements, is_exclusive
from conformance.running.judging import Judging
from conformance.running.options import RunOptions
from conformance.running.run import run_pytest
from conformance.running.waiting import plan, waits
from conformance.targets import opensearch_ml
from conformance.targets.connect import new_run_id
from conformance.targets.opensearch_users import who_is
from conformance.targets.session import Facts, Session
from conformance.targets.turns import alive_prefixes
from conformance.targets.users import Part, User, cast

PROFILE = "opensearch-ml"
# The fixture of checks that act as several users.
_USERS = "users"
_TO_ASK = ("GET /_cluster/settings", "GET /_ingest/pipeline")


@dataclass(frozen=True, slots=True)
class Gain:
    """How many requirements more a run would decide, at most, with what `remedy` stands for."""

    remedy: Remedy
    requirements: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What was found. `account` is None where the target knows no users; `parts` are those somebody plays.

    `refused` are the readings that the account may not do, of those that a run does. `others` are the runs at
    work. `settings` says that the run would change settings, `reachable` that connectors may already
    reach the run's endpoint. `judged` counts the requirements that have a check, and `plan` says what is
    waited for.
    """

    facts: Facts
    documentation: str
    account: User | None
    parts: tuple[Part, ...]
    model_access: bool | None
    connector_access: bool | None
    refused: tuple[str, ...]
    others: tuple[str, ...]
    settings: bool
    reachable: bool | None
    checks: int
    judged: int
    plan: str
    gains: tuple[Gain, ...]


def preview(options: RunOptions) -> Preview:
    """Look at a target as a run would, and write nothing to it. Raises what `connect` raises."""
    judging = Judging(
        replace(options, target=replace(options.target, run_id=new_run_id())), make_ready=lambda *_: None
    )
    try:
        target = judging.target(PROFILE)
        collected = _Collected()
        run_pytest(judging, collected, ["--collect-only"])
        session, items = target.session, collected.items
        account = who_is(session)
        users = [who_is(session.acting_as(each)) for each in session.options.users]
        parts = cast([user for user in (account, *users) if user is not None])
        return Preview(
            facts=session.facts,
            documentation=target.contract.version,
            account=account,
            parts=tuple(parts),
            model_access=_is_on(session, opensearch_ml.MODEL_ACCESS_CONTROL),
            connector_access=_is_on(session, opensearch_ml.CONNECTOR_ACCESS_CONTROL),
            refused=tuple(_refused(session)),
            others=tuple(str(mark) for mark in alive_prefixes(session).values()),
            settings=_lacks_for_settings(session, account) is None,
            reachable=_known(lambda: opensearch_ml.is_reachable(session)),
            checks=len(items),
            judged=sum(bool(each.checks) for each in target.contract.requirements.values()),
            plan=_planned(items, session),
            gains=tuple(_gains(items, session, account, set(parts))),
        )
    finally:
        judging.close()


class _Collected:
    """Keeps what pytest collects."""

    def __init__(self) -> None:
        self.items: list[pytest.Item] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.items = list(session.items)


def _planned(items: Sequence[pytest.Item], session: Session) -> str:
    told = None if session.clock.movable else plan(items, session.options.max_wait)
    return told or "waits for nothing"


def _is_on(session: Session, name: str) -> bool | None:
    """Whether a flag is set in effect; None where the account may not see it."""
    return _known(lambda: str(opensearch_ml.read_settings(session, defaults=True).get(name)) == "true")


def _known(ask: Callable[[], bool]) -> bool | None:
    try:
        return ask()
    except Untestable:
        return None


def _refused(session: Session) -> Iterator[str]:
    for request in _TO_ASK:
        method, path = request.split()
        answered = session.aside(method, path)
        if answered.answer is not None and answered.status in (401, 403):
            yield request


def _gains(
    items: Sequence[pytest.Item], session: Session, account: User | None, parts: set[Part]
) -> Iterator[Gain]:
    """For each requirement what all of its checks lack, the first of it that the user could give."""
    lacking: dict[str, Remedy | None] = {}
    for item in items:
        for name in bound_requirements(item):
            lacks = _lacks(item, session, account, parts)
            lacking[name] = lacks if lacking.get(name, lacks) is lacks else None
    counted = Counter(remedy for remedy in lacking.values() if remedy is not None)
    yield from (Gain(remedy, count) for remedy, count in counted.most_common())


def _lacks(item: pytest.Item, session: Session, account: User | None, parts: set[Part]) -> Remedy | None:
    if _USERS in getattr(item, "fixturenames", ()):
        return None if parts >= set(Part) or session.options.create_users else Remedy.USERS
    if waits(item):
        too_long = not session.clock.movable and waits(item) > session.options.max_wait
        return Remedy.WAITING if too_long else None
    return _lacks_for_settings(session, account) if is_exclusive(item) else None


def _lacks_for_settings(session: Session, account: User | None) -> Remedy | None:
    """Why settings cannot be changed; of an account with roles of its own nobody knows before a run."""
    if not session.options.may_change_settings:
        return Remedy.SETTINGS
    ordinary = account is not None and (account.may_all or account.only_reads or account.may_nothing)
    return Remedy.PERMISSION if ordinary else None
