"""The fixture that every check of ML Commons begins with."""

from __future__ import annotations

import contextlib

import pytest

from conformance.outcomes import Untestable
from conformance.running.judging import Judging
from conformance.suites.opensearch_ml.api import MlCommons
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


@pytest.fixture
def ml(cluster: MlCommons, session: Session) -> MlCommons:
    """The target, for one check: what is made through it is removed after the check."""
    assert cluster.session is session
    return cluster
