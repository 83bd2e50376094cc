"""The documented examples, replayed: each request is accepted, and its answer has the documented form.

Ids that the pages made up are replaced by those of things that exist.
"""

from __future__ import annotations

import json
from typing import Any

from mlconform.conformance.contract.model import Contract
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.generated import schema_problem
from mlconform.conformance.suites.marks import exclusive, requirement
from mlconform.conformance.suites.opensearch_ml.api import MlCommons
from mlconform.conformance.targets.exchange import Exchange


class Examples:
    """Judges the answer to one documented request."""

    def __init__(self, contract: Contract, expect: Expect) -> None:
        self._contract = contract
        self._expect = expect

    def accepted(self, name: str, operation_id: str, answered: Exchange) -> None:
        self._expect.accepted(name, answered)
        problem = schema_problem(self._contract, operation_id, answered)
        self._expect.that(
            name,
            problem is None,
            expected=f"an answer of {operation_id} in the documented form",
            came=f"{problem}: {answered.summary}",
        )


def _stop_words(kind: str) -> dict[str, Any]:
    return {
        "stop_words": [{"index_name": f"updated_stop_words_{kind}", "source_fields": ["updated_title"]}],
        "regex": ["updated_regex1", "updated_regex2"],
    }


class TestDeploy:
    @requirement("osml.deploy.example.all-nodes")
    def test_all_nodes(self, ml: MlCommons, contract: Contract, expect: Expect) -> None:
        answered = ml.deploy(ml.model())
        Examples(contract, expect).accepted("osml.deploy.example.all-nodes", "deploy_model", answered)

    @exclusive
    @requirement("osml.deploy.example.specific-node")
    def test_specific_node(self, ml: MlCommons, contract: Contract, expect: Expect) -> None:
        ml.set(CUSTOM_PLAN=True)
        answered = ml.deploy(ml.model(), {"node_ids": [ml.session.facts.nodes[0]]})
        Examples(contract, expect).accepted("osml.deploy.example.specific-node", "deploy_model", answered)

    @requirement("osml.deploy.example.task-status")
    def test_task_status(self, ml: MlCommons, contract: Contract, expect: Expect) -> None:
        deployed = ml.deploy(ml.model())
        ml.await_task(deployed)
        task = ml.get_task(str(deployed.member("task_id")))
        Examples(contract, expect).accepted("osml.deploy.example.task-status", "get_task", task)


class TestUndeploy:
    @requirement("osml.undeploy.example.all-nodes")
    def test_all_nodes(self, ml: MlCommons, contract: Contract, expect: Expect) -> None:
        answered = ml.undeploy(ml.deployed_model())
        Examples(contract, expect).accepted("osml.undeploy.example.all-nodes", "undeploy_model", answered)

    @exclusive
    @requirement("osml.undeploy.example.specific-nodes")
    def test_specific_nodes(self, ml: MlCommons, contract: Contract, expect: Expect) -> None:
        ml.set(CUSTOM_PLAN=True)
        body = {"node_ids": [ml.session.facts.nodes[0]], "model_ids": [ml.deployed_model()]}
        answered = ml.undeploy_many(body)
        Examples(contract, expect).accepted(
            "osml.undeploy.example.specific-nodes", "undeploy_models", answered
        )

    @requirement("osml.undeploy.example.specific-models")
    def test_specific_models(self, ml: MlCommons, contract: Contract, expect: Expect) -> None:
        answered = ml.undeploy_many({"model_ids": [ml.deployed_model()]})
        Examples(contract, expect).accepted(
            "osml.undeploy.example.specific-models", "undeploy_models", answered
        )

    @requirement("osml.register.example.ttl")
    def test_register_with_a_ttl(self, ml: MlCommons, contract: Contract, expect: Expect) -> None:
        body = ml.remote_body(deploy_setting={"model_ttl_minutes": 100})
        answered = ml.register(body)
        Examples(contract, expect).accepted("osml.register.example.ttl", "register_model", answered)

    @requirement("osml.update.example.ttl")
    def test_update_of_a_ttl_while_undeployed(
        self, ml: MlCommons, contract: Contract, expect: Expect
    ) -> None:
        model = ml.deployed_model()
        ml.take_down(model)
        answered = ml.update(model, {"deploy_setting": {"model_ttl_minutes": 100}})
        Examples(contract, expect).accepted("osml.update.example.ttl", "update_model", answered)


@requirement("osml.delete.example")
def test_delete(ml: MlCommons, contract: Contract, expect: Expect) -> None:
    answered = ml.delete(ml.model())
    Examples(contract, expect).accepted("osml.delete.example", "delete_model", answered)


class TestUpdate:
    @requirement("osml.update.example.disable")
    def test_disable(self, ml: MlCommons, contract: Contract, expect: Expect) -> None:
        answered = ml.update(ml.model(), {"is_enabled": False})
        Examples(contract, expect).accepted("osml.update.example.disable", "update_model", answered)

    @requirement("osml.update.example.rate-limit")
    def test_rate_limit(self, ml: MlCommons, contract: Contract, expect: Expect) -> None:
        answered = ml.update(ml.model(), {"rate_limiter": {"limit": "4", "unit": "MINUTES"}})
        Examples(contract, expect).accepted("osml.update.example.rate-limit", "update_model", answered)

    @requirement("osml.update.example.guardrails-regex")
    def test_guardrails_by_regex(self, ml: MlCommons, contract: Contract, expect: Expect) -> None:
        guardrails = {
            "type": "local_regex",
            "input_guardrail": _stop_words("input"),
            "output_guardrail": _stop_words("output"),
        }
        answered = ml.update(ml.model(), {"guardrails": guardrails})
        Examples(contract, expect).accepted("osml.update.example.guardrails-regex", "update_model", answered)

    @requirement("osml.update.example.guardrails-model")
    def test_guardrails_by_a_model(self, ml: MlCommons, contract: Contract, expect: Expect) -> None:
        guard = {"model_id": ml.model(), "response_validation_regex": r"^\s*[Aa]ccept\s*$"}
        guardrails = {"type": "model", "input_guardrail": guard, "output_guardrail": guard}
        answered = ml.update(ml.model(), {"guardrails": guardrails})
        Examples(contract, expect).accepted("osml.update.example.guardrails-model", "update_model", answered)

    @requirement("osml.update.example.interface")
    def test_interface(self, ml: MlCommons, contract: Contract, expect: Expect) -> None:
        # The members of the documented schema that a validator looks at, without its deepest branches.
        results = {"type": "array", "items": {"type": "object", "properties": {"output": {"type": "array"}}}}
        output = {"type": "object", "properties": {"inference_results": results}}
        answered = ml.update(ml.model(), {"interface": {"output": json.dumps(output)}})
        Examples(contract, expect).accepted("osml.update.example.interface", "update_model", answered)

    @requirement("osml.update.example.interface-remove")
    def test_interface_removal(self, ml: MlCommons, contract: Contract, expect: Expect) -> None:
        model = ml.model(interface={"input": {"type": "object"}})
        answered = ml.update(model, {"interface": {"input": None, "output": None}})
        Examples(contract, expect).accepted("osml.update.example.interface-remove", "update_model", answered)
