"""What the state machine of models draws next depends on no answer of the target."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from mlconform.conformance.oracle.lifecycle import Model
from mlconform.conformance.suites.opensearch_ml.api import UNKNOWN_ID, MlCommons
from mlconform.conformance.suites.opensearch_ml.test_stateful import Lifecycle
from mlconform.conformance.targets.connect import TargetOptions, connect, prepare


@pytest.fixture
def ml() -> Iterator[MlCommons]:
    session = connect("opensearch-ml", TargetOptions())
    prepare(session)
    yield MlCommons(session)
    session.close()


def test_a_model_that_is_gone_has_a_user_that_is_none(ml: MlCommons) -> None:
    class OnThisTarget(Lifecycle):
        pass

    OnThisTarget.ml = ml
    machine = OnThisTarget()
    gone = replace(Model(), exists=False)
    machine.known[UNKNOWN_ID] = gone
    user = machine.use(UNKNOWN_ID, "agent")
    assert user == (UNKNOWN_ID, "agent", None)
    machine.stop_using(user)
    assert machine.known[UNKNOWN_ID] == gone
    assert list(ml.session.journal) == []
