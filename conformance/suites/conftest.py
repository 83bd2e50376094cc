"""Fixtures that every check of the suite stands on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from conformance.contract.model import Contract
from conformance.outcomes import Untestable
from conformance.plugin import judging_of
from conformance.report.waivers import Difference
from conformance.running.checks import bound_requirements, check_name, in_worker, is_exclusive, profile_of
from conformance.running.endings import EXPECT_KEY, SESSION_KEY
from conformance.running.judging import Judging, Target
from conformance.suites.expect import Expect
from conformance.suites.explore import Explore
from conformance.targets.session import Session


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
    session = target.session
    request.node.stash[SESSION_KEY] = session
    if is_exclusive(request.node) and in_worker() and not judging.options.target.in_process:
        raise Untestable("it must run alone; leave out -n, or use mlconform run --workers")
    # A process without workers beside it runs one check at a time, exclusive or not.
    session.exclusive = is_exclusive(request.node) or not in_worker()
    session.begin_sequence()
    mark = session.tracker.mark()
    yield session
    judging.complaints += session.clean(mark)


@pytest.fixture
def expect(judging: Judging, target: Target, request: pytest.FixtureRequest) -> Expect:
    expect = Expect(
        bound_requirements(request.node),
        judging.in_force,
        target.routes,
        evidence=lambda: target.session.journal,
        known=lambda met: judging.accepted(
            Difference(met.requirement, check_name(request.node), met.signature)
        ),
    )
    request.node.stash[EXPECT_KEY] = expect
    return expect


@pytest.fixture
def explore(session: Session, judging: Judging) -> Explore:
    """Property-based exploration with the run's seed and a number of examples that fits the target."""
    return Explore(session, seed=judging.options.seed)


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Exclusive checks run last, so that a run with several workers can leave them for one."""
    items.sort(key=lambda item: item.get_closest_marker("exclusive") is not None)
