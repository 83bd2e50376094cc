"""Requests that nobody wrote: made from the contract, and held to what always holds."""

from __future__ import annotations

from typing import Any

import pytest
from schemathesis import Case

from mlconform.conformance.contract.model import Contract
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.explore import Explore
from mlconform.conformance.suites.generated import cases, schema_problem, send
from mlconform.conformance.suites.marks import exclusive, requirement
from mlconform.conformance.suites.nugen.api import Nugen

# Operations whose generated ids belong to no model; none of them makes or changes anything.
OPERATIONS = ("undeploy_aligned_model", "get_undeploy_status", "get_deploy_status", "deploy_aligned_model")


@exclusive
@pytest.mark.parametrize("operation_id", OPERATIONS)
@requirement("nugen.wire.no-server-error", "nugen.undeploy.validation")
def test_generated_requests(
    nugen: Nugen, contract: Contract, expect: Expect, explore: Explore, operation_id: str
) -> None:
    @explore.every(cases(contract, operation_id, valid=True), requests=1, most=20)
    def holds(case: Case[Any]) -> None:
        answered = send(nugen.session, case)
        expect.that(
            "nugen.wire.no-server-error",
            answered.status < 500,
            expected=f"no 5xx to {operation_id}, whatever the id",
            came=answered.summary,
            exchange=answered,
        )
        if answered.status == 422:
            problem = schema_problem(contract, operation_id, answered)
            expect.that(
                "nugen.undeploy.validation",
                problem is None,
                expected="a 422 with the schema of a validation error",
                came=f"{problem}: {answered.summary}",
            )
