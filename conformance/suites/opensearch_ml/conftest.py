"""The fixture that every check of ML Commons begins with."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable, Iterator, Mapping
from functools import partial

import pytest

from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.plugin import judging_of
from mlconform.conformance.running.checks import in_worker, is_exclusive, profile_of
from mlconform.conformance.running.judging import Judging
from mlconform.conformance.running.waiting import Waiting, waits
from mlconform.conformance.suites.conftest import expecting
from mlconform.conformance.suites.marks import FIRST
from mlconform.conformance.suites.opensearch_ml.api import WAITING_INTERVAL_SECONDS, MlCommons
from mlconform.conformance.suites.opensearch_ml.local_models import LocalModels
from mlconform.conformance.suites.opensearch_ml.profile import PROFILE
from mlconform.conformance.suites.opensearch_ml.users import Users
from mlconform.conformance.targets.model_file import FUNCTION
from mlconform.conformance.targets.opensearch_memory import memory_of_deleted
from mlconform.conformance.targets.opensearch_users import users_of
from mlconform.conformance.targets.session import Session
from mlconform.conformance.targets.tracker import complaints
from mlconform.conformance.targets.users import Part, User


@pytest.fixture(scope="session")
def cluster(judging: Judging) -> MlCommons:
    """The target for the whole run; its connector is made when a check first asks, and removed last."""
    return _share(judging)


def _share(judging: Judging) -> MlCommons:
    api = MlCommons(judging.target(PROFILE.name).session)
    # Where it can't be made, each check that needs one says so; the others still run.
    with contextlib.suppress(Untestable):
        api.share_connector()
    return api


@pytest.fixture(autouse=True)
def _begin_beside(judging: Judging, request: pytest.FixtureRequest) -> None:
    """Begin the checks of time with the first check that makes something, or with their own turn."""
    if request.node.get_closest_marker(FIRST) is None and not judging.waiting.begun:
        waiting = _that_wait(judging, request.session.items)
        if waiting and (waits(request.node) or not is_exclusive(request.node)):
            _begin(judging, request.getfixturevalue("cluster"), waiting)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Where a later part of the run ends the checks of time, this one begins them after its own checks."""
    judging = judging_of(session.config)
    waiting: list[pytest.Item] = []
    if judging.waiting.leaves:
        waiting = _that_wait(judging, session.items)
        session.items[:] = [item for item in session.items if not waits(item)]
    ended = yield
    if waiting:
        _begin(judging, _share(judging), waiting)
    return ended


def _that_wait(judging: Judging, items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """Those that wait in real time, where no other process runs checks of its own choice."""
    # Asked for each check until they have begun: most runs are done with the first question.
    target = judging.found().get(PROFILE.name)
    if in_worker() or target is None or target.session.clock.movable:
        return []
    return [item for item in items if waits(item) and profile_of(item) == PROFILE.name]


def _begin(judging: Judging, cluster: MlCommons, items: Iterable[pytest.Item]) -> None:
    """Begin these beside each other; until they end the sync-up job has the interval they reckon with."""
    target = judging.target(PROFILE.name)

    def start(item: pytest.Item) -> Waiting:
        session = cluster.session.beside()
        expect = expecting(item, judging, target, session)
        check = item.function  # type: ignore[attr-defined]
        return Waiting(session, expect, partial(check, ml=cluster.apart(session), expect=expect))

    keeper = cluster.session.beside()
    with contextlib.suppress(Untestable):
        cluster.on(keeper).set(SYNC_INTERVAL=WAITING_INTERVAL_SECONDS)
    with contextlib.suppress(Untestable):
        # The first group of a fresh cluster makes an index that can't be searched at once, which those that
        # register a model beside it would meet.
        cluster.on(keeper).group()

    def close() -> None:
        judging.complaints += keeper.clean()

    judging.waiting.begin(items, start, close)


@pytest.fixture(scope="session")
def users_found(cluster: MlCommons) -> Mapping[Part, User] | Untestable:
    """Who plays which part, or why nobody does; learned when the first check asks."""
    try:
        return users_of(cluster.session)
    except Untestable as error:
        return error


@pytest.fixture
def users(ml: MlCommons, users_found: Mapping[Part, User] | Untestable) -> Users:
    """The target as its users see it, for one check; untestable where it knows none."""
    return Users(ml, users_found)


@pytest.fixture(scope="session")
def group(cluster: MlCommons) -> None:
    """A group for the models that need none of their own."""
    # Where it can't be made, each model has one.
    with contextlib.suppress(Untestable):
        cluster.share_group()


@pytest.fixture(scope="module")
def shared(cluster: MlCommons, group: None, judging: Judging) -> Iterator[MlCommons]:
    """The target, for what all checks of a module read: what is made through it is removed after the last."""
    mark = cluster.session.tracker.mark()
    yield cluster
    judging.complaints += cluster.session.clean(mark)


@pytest.fixture
def ml(cluster: MlCommons, group: None, session: Session) -> MlCommons:
    """The target, for one check: what is made through it is removed after the check."""
    return cluster.on(session)


@pytest.fixture(scope="session")
def memory(cluster: MlCommons) -> None:
    """Room for local models: what the checks before left in memory counts against the most of a node."""
    cluster.session.remove([memory_of_deleted(cluster.session)])


@pytest.fixture(scope="module")
def let_in(cluster: MlCommons, memory: None, judging: Judging) -> Iterator[bool]:
    """Whether local models are let in for all checks of a module.

    Each check could do so by itself, at the price of some changes of the cluster's state; where it can't be
    done, each tries it and says so.
    """
    session = cluster.session
    mark = session.tracker.mark()
    try:
        allowed = LocalModels(cluster).let_in()
    except Untestable:
        yield False
        return
    made = session.tracker.take(mark)
    session.shared[FUNCTION] = allowed
    yield True
    session.shared.pop(FUNCTION, None)
    judging.complaints += complaints(session.remove(made))


@pytest.fixture
def local(ml: MlCommons, let_in: bool) -> LocalModels:
    """Its local models, for a check that runs alone."""
    return LocalModels(ml, let_in=let_in)
