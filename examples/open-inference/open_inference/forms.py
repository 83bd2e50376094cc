"""What several checks ask of an answer: the documented form, or a refusal with its reason."""

from __future__ import annotations

from mlconform.conformance.contract.model import Contract
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.generated import schema_problem
from mlconform.conformance.targets.exchange import Exchange


def fits(expect: Expect, contract: Contract, requirement: str, operation: str, answered: Exchange) -> None:
    """A 200 in the form that the contract has for this operation."""
    expect.status(requirement, answered, 200)
    expect.that(
        requirement,
        bool(answered.text),
        expected=f"an answer of {operation} with a body",
        came=f"status {answered.status} and no body",
        exchange=answered,
    )
    problem = schema_problem(contract, operation, answered)
    expect.that(
        requirement,
        problem is None,
        expected=f"an answer of {operation} in the documented form",
        came=f"{problem}",
    )


def refused(expect: Expect, requirement: str, answered: Exchange) -> None:
    """An error status, and an object with the string `error` (page inference_rest, the error objects)."""
    expect.that(
        requirement,
        answered.status >= 400,
        expected="an error status",
        came=answered.summary,
        exchange=answered,
    )
    body = answered.json if answered.text else None
    expect.that(
        requirement,
        isinstance(body, dict) and isinstance(body.get("error"), str),
        expected="an object with the string `error`",
        came=answered.summary,
        exchange=answered,
    )


def no_server_error(expect: Expect, answered: Exchange) -> None:
    """A client's mistake is not the server's fault."""
    expect.that(
        "v2.wire.no-server-error",
        answered.status < 500,
        expected="no 5xx",
        came=answered.summary,
        exchange=answered,
    )
