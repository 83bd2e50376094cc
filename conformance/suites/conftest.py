"""Fixtures that every check of the suite stands on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mlconform.conformance.contract.model import Contract
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.plugin import judging_of
from mlconform.conformance.running.checks import (
    bound_requirements,
    check_name,
    in_worker,
    is_exclusive,
    needed,
    profile_of,
)
from mlconform.conformance.running.endings import EXPECT_KEY, SESSION_KEY
from mlconform.conformance.running.judging import Judging, Target
from mlconform.conformance.running.waiting import waits
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.explore import Explore
from mlconform.conformance.targets.session import Session


@pytest.fixture(scope="session")
def judging(pytestconfig: pytest.Config) -> Judging:
    return judging_of(pytestconfig)


@pytest.fixture
def target(judging: Judging, request: pytest.FixtureRequest) -> Target:
    profile = profile_of(request.node)
    assert profile is not None, "a check lives in a profile's folder"
    return judging.target(profile)


@pytest.fixture
def contract(target: Target) -> Contract:
    return target.contract


@pytest.fixture
def session(target: Target, judging: Judging, request: pytest.FixtureRequest) -> Iterator[Session]:
    """The session, with fresh evidence; what the check creates is removed after it."""
    waiting = judging.waiting.of(request.node)
    session = target.session if waiting is None else waiting.session
    request.node.stash[SESSION_KEY] = session
    if waiting is not None:
        yield session
        judging.complaints += session.clean()
        judging.waiting.ended()
        return
    if is_exclusive(request.node) and in_worker() and not judging.options.target.in_process:
        raise Untestable("it must run alone; leave out -n, or use mlconform run --workers")
    # A process without workers beside it runs one check at a time, exclusive or not.
    session.exclusive = is_exclusive(request.node) or not in_worker()
    session.begin_sequence()
    for capability in needed(request.node):
        session.needs(capability)
    mark = session.tracker.mark()
    yield session
    judging.complaints += session.clean(mark)


@pytest.fixture
def expect(judging: Judging, target: Target, request: pytest.FixtureRequest) -> Expect:
    waiting = judging.waiting.of(request.node)
    expect = waiting.expect if waiting else expecting(request.node, judging, target, target.session)
    request.node.stash[EXPECT_KEY] = expect
    return expect


def expecting(item: pytest.Item, judging: Judging, target: Target, session: Session) -> Expect:
    """What decides the requirements of a check, with the evidence of this session."""
    return Expect(
        bound_requirements(item),
        judging.in_force,
        target.routes,
        evidence=lambda: session.journal,
        known=lambda met: judging.known(met, check_name(item)),
        invalid=target.forbidden,
        selected=judging.selected,
    )


@pytest.fixture
def explore(session: Session, judging: Judging) -> Explore:
    """Property-based exploration with the run's seed and a number of examples that fits the target."""
    return Explore(session, seed=judging.options.seed)


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Exclusive checks run last, so that a run with several workers can leave them for one; those that wait
    end before them, for they go on beside all others."""
    items.sort(key=lambda item: (item.get_closest_marker("exclusive") is not None, waits(item) == 0))


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A check that waited beside others ends when its turn comes."""
    waiting = judging_of(pyfuncitem.config).waiting.take(pyfuncitem)
    if waiting is None:
        return None
    waiting.result()
    return True
