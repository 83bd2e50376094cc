"""Requests that nobody wrote: made from the contract, valid and not, and held to what always holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from schemathesis import Case

from mlconform.conformance.contract.model import Contract
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.explore import Explore
from mlconform.conformance.suites.generated import cases, schema_problem, send
from mlconform.conformance.suites.marks import requirement
from mlconform.conformance.suites.opensearch_ml.api import UNKNOWN_ID, MlCommons
from mlconform.conformance.targets.exchange import Exchange

# Operations whose every request is harmless: they concern a model of this check, or nothing.
OPERATIONS = ("update_model", "deploy_model", "undeploy_models", "register_model", "predict_model")
# What a node takes for a text: a number and a flag too (recording register_rejects#9).
_READ_AS_TEXT = (str, int, float)


def _harmless(ml: MlCommons, operation_id: str) -> Mapping[str, Any]:
    """Members that a generated body must not choose: names show whose a thing is, and connectors
    decide where a node sends requests to."""
    if operation_id == "register_model":
        fixed = ml.remote_body()
        return {name: fixed[name] for name in ("name", "function_name", "connector_id")}
    if operation_id == "update_model":
        return {"name": ml.session.new_name("model"), "connector_id": ml.connector_id, "connector": {}}
    return {}


def _judge(contract: Contract, expect: Expect, operation_id: str, answered: Exchange) -> None:
    expect.search(
        "osml.wire.no-server-error",
        answered.status < 500,
        expected=f"no 5xx to {operation_id}, whatever the request",
        came=answered.summary,
        exchange=answered,
    )
    problem = schema_problem(contract, operation_id, answered)
    expect.that(
        "osml.wire.documented-schema",
        problem is None,
        expected=f"an answer of {operation_id} that fits the contract's schema",
        came=f"{problem}: {answered.summary}",
    )


@pytest.mark.parametrize("valid", [True, False], ids=["valid", "invalid"])
@pytest.mark.parametrize("operation_id", OPERATIONS)
@requirement("osml.wire.no-server-error", "osml.wire.documented-schema")
def test_generated_requests(
    ml: MlCommons, contract: Contract, expect: Expect, explore: Explore, operation_id: str, valid: bool
) -> None:
    # What deploys a model goes on to do so after its answer, and after the model's deletion.
    deployed = ml.deployed_model() if operation_id in ("predict_model", "deploy_model") else None
    group = ml.group_id if operation_id == "register_model" else None

    def holds(case: Case[Any]) -> None:
        path = {"model_id": deployed or ml.model()} if "{model_id}" in case.path else {}
        body = _present(case, _harmless(ml, operation_id)) | _removable(case, group)
        answered = send(ml.session, case, path=path, body=body)
        if operation_id == "register_model":
            ml.track_model(answered)
        _judge(contract, expect, operation_id, answered)

    generated = explore.every(cases(contract, operation_id, valid=valid), requests=6, most=20)
    explore.search(expect, lambda: generated(holds))


def _removable(case: Case[Any], group: str | None) -> dict[str, Any]:
    """A model whose group has no name is one that its owner cannot read, change or delete any more where
    model access control is on (recording access#407 to #414), and a registration that goes on after its
    answer and fails leaves the group that it made."""
    if not isinstance(case.body, dict):
        return {}
    named = case.body.get("model_group_id", group)
    return {} if named is None else {"model_group_id": UNKNOWN_ID if named == "" else named}


def _present(case: Case[Any], members: Mapping[str, Any]) -> dict[str, Any]:
    """Of these members those that the case has with a value that counts; a wrong kind is the point."""
    if not isinstance(case.body, dict):
        return {}
    return {
        name: value
        for name, value in members.items()
        if isinstance(case.body.get(name), _READ_AS_TEXT if isinstance(value, str) else dict)
    }


@requirement("osml.wire.documented-schema")
def test_every_operation_answers_in_its_documented_form(
    ml: MlCommons, contract: Contract, expect: Expect
) -> None:
    model = ml.model()
    deployed = ml.deploy(model)
    ml.await_task(deployed)
    answers = {
        "deploy_model": deployed,
        "get_task": ml.get_task(str(deployed.member("task_id"))),
        "get_model": ml.get(model),
        "predict_model": ml.predict(model),
        "undeploy_model": ml.undeploy(model),
        "undeploy_models": ml.undeploy_many({"model_ids": [model]}),
        "update_model": ml.update(model, {"description": "changed"}),
        "delete_model": ml.delete(model),
    }
    for operation_id, answered in answers.items():
        problem = schema_problem(contract, operation_id, answered)
        expect.that(
            "osml.wire.documented-schema",
            problem is None,
            expected=f"an answer of {operation_id} that fits the contract's schema",
            came=f"{problem}: {answered.summary}",
        )
