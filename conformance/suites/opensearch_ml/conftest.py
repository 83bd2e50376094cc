"""The fixture that every check of ML Commons begins with."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from functools import partial

import pytest

from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.running.checks import in_worker
from mlconform.conformance.running.judging import Judging, Target
from mlconform.conformance.running.waiting import Waiting, WaitingRoom, waits
from mlconform.conformance.suites.conftest import expecting
from mlconform.conformance.suites.opensearch_ml.api import WAITING_INTERVAL_SECONDS, MlCommons
from mlconform.conformance.suites.opensearch_ml.local_models import LocalModels
from mlconform.conformance.suites.opensearch_ml.users import Users
from mlconform.conformance.targets.opensearch_users import users_of
from mlconform.conformance.targets.session import Session
from mlconform.conformance.targets.users import Part, User


@pytest.fixture(scope="session")
def cluster(judging: Judging) -> MlCommons:
    """The target for the whole run; its connector is made when a check first asks, and removed last."""
    session = judging.target("opensearch-ml").session
    api = MlCommons(session)
    # Where it can't be made, each check that needs one says so; the others still run.
    with contextlib.suppress(Untestable):
        api.share_connector()
    return api


@pytest.fixture(autouse=True)
def _begin_to_wait(judging: Judging, target: Target, request: pytest.FixtureRequest) -> None:
    """Begin all checks of time when the first one's turn comes, where time is real and nobody is beside."""
    if not waits(request.node) or target.session.clock.movable or in_worker():
        return
    cluster: MlCommons = request.getfixturevalue("cluster")
    room: WaitingRoom = request.getfixturevalue("waiting_room")

    def start(item: pytest.Item) -> Waiting:
        session = cluster.session.beside()
        expect = expecting(item, judging, target, session)
        check = item.function  # type: ignore[attr-defined]
        return Waiting(session, expect, partial(check, ml=cluster.on(session), expect=expect))

    if not room.begun:
        with contextlib.suppress(Untestable):
            cluster.set(SYNC_INTERVAL=WAITING_INTERVAL_SECONDS)
    room.begin(request.session.items, start)


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


@pytest.fixture
def ml(cluster: MlCommons, session: Session) -> MlCommons:
    """The target, for one check: what is made through it is removed after the check."""
    return cluster.on(session)


@pytest.fixture
def local(ml: MlCommons) -> LocalModels:
    """Its local models, for a check that runs alone."""
    return LocalModels(ml)
