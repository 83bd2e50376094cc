"""The fixture that every check of ML Commons begins with."""

from __future__ import annotations

import contextlib
from functools import partial

import pytest

from conformance.outcomes import Untestable
from conformance.running.checks import in_worker
from conformance.running.judging import Judging, Target
from conformance.running.waiting import Waiting, WaitingRoom, waits
from conformance.suites.conftest import expecting
from conformance.suites.opensearch_ml.api import WAITING_INTERVAL_SECONDS, MlCommons
from conformance.targets.session import Session


@pytest.fixture(scope="session")
def cluster(judging: Judging) -> MlCommons:
    """The target for the whole run; its connector is made before the first check, and removed last."""
    session = judging.target("opensearch-ml").session
    api = MlCommons(session)
    # Where it can't be made, each check that needs one says so; the others still run.
    with contextlib.suppress(Untestable):
        api.share_connector()
    return api


@pytest.fixture(autouse=True)
def _begin_to_wait(
    cluster: MlCommons, judging: Judging, target: Target, request: pytest.FixtureRequest
) -> None:
    """Begin all checks of time when the first one's turn comes, where time is real and nobody is beside."""
    if not waits(request.node) or cluster.session.clock.movable or in_worker():
        return
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


@pytest.fixture
def ml(cluster: MlCommons, session: Session) -> MlCommons:
    """The target, for one check: what is made through it is removed after the check."""
    return cluster.on(session)
