"""Deliberate faults and the requirements that each of them breaks."""

from __future__ import annotations

import pytest

from mlconform.conformance.contract import store
from mlconform.conformance.errors import UsageError
from mlconform.conformance.mutants.faults import BROKEN, Result, broken_by, run_mutants, table
from mlconform.mock_server import MUTANTS


def test_every_mutant_of_the_mock_breaks_a_requirement() -> None:
    known = {name for profile in ("opensearch-ml", "nugen") for name in store.load(profile).requirements}
    assert MUTANTS.keys() == BROKEN.keys()
    assert {requirement for name in BROKEN for requirement in broken_by(name)} <= known


def test_a_fault_is_noticed_at_each_requirement_that_it_breaks() -> None:
    found = run_mutants(["nugen-undeploy-changes-nothing"])
    assert [(each.requirement, each.killed) for each in found] == [
        ("nugen.undeploy.reaches-undeployed", True),
        ("nugen.undeploy.aligned", True),
    ]


def test_a_mutant_that_survives_at_one_requirement_is_not_killed() -> None:
    results = [Result("m", "a.b", "fail", ("c",)), Result("m", "a.c", "pass", ())]
    assert table(results, matrix=False).endswith("0 of 1 mutants killed")


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UsageError, match="no-such-fault"):
        run_mutants(["no-such-fault"])
