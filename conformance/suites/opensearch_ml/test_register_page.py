"""Registering a model: page register-model, sentence by sentence."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from mlconform.conformance.contract.model import Contract
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.generated import schema_problem
from mlconform.conformance.suites.marks import deciding, requirement
from mlconform.conformance.suites.opensearch_ml.api import MlCommons
from mlconform.conformance.targets.exchange import Exchange

CONFIG = {"model_type": "bert", "embedding_dimension": 384, "framework_type": "sentence_transformers"}
STOP_WORDS = {"stop_words": [{"index_name": "mlconform-no-such-index", "source_fields": ["title"]}]}
INPUT_SCHEMA: dict[str, Any] = {"type": "object", "properties": {"parameters": {"type": "object"}}}


def _regex(**fields: Any) -> Mapping[str, Any]:
    return {"type": "local_regex", **fields}


@dataclass(frozen=True, slots=True)
class Together:
    """A registration with all fields that this run asks for, which a node writes as often as one with one of
    them, and a read of the model."""

    body: Mapping[str, Any]
    registered: Exchange
    read: Exchange

    def shows(self, members: Collection[str]) -> bool:
        """Whether it was accepted and these members read as they were sent."""
        accepted = self.registered.status == self.read.status == 200
        return accepted and all(self.read.member(name) == self.body[name] for name in members)


@pytest.fixture(scope="module")
def together(shared: MlCommons, request: pytest.FixtureRequest) -> Together:
    body: Mapping[str, Any] = shared.remote_body(model_group_id=shared.group_id)
    for item in request.session.items:
        if isinstance(item, pytest.Function) and item.function is test_a_field_is_accepted:
            fields: Any = item.callspec.params["fields"]
            body = _merged(body, fields)
    registered = shared.register(body)
    return Together(body, registered, shared.get(str(registered.member("model_id"))))


def _merged(body: Mapping[str, Any], more: Mapping[str, Any]) -> Mapping[str, Any]:
    """The members of both, those of objects within them too."""
    inner = {
        name: _merged(body[name], value)
        for name, value in more.items()
        if isinstance(value, dict) and isinstance(body.get(name), dict)
    }
    return {**body, **more, **inner}


@pytest.mark.parametrize(
    ("name", "fields", "reads"),
    [
        deciding("osml.register.field.name", {}, ("name",)),
        deciding("osml.register.field.version", {"version": "1.0.0"}, ()),
        deciding("osml.register.field.model_format", {"model_format": "TORCH_SCRIPT"}, ()),
        deciding("osml.register.field.description", {"description": "told"}, ("description",)),
        deciding("osml.register.field.function_name", {"function_name": "remote"}, ()),
        deciding(
            "osml.register.field.model_content_hash_value",
            {"model_content_hash_value": "c15f0d2e62d872be5b5bc6c84d2e0f4921541e29fefbef51d59cc10a8ae30e0f"},
            (),
        ),
        deciding("osml.register.field.is_enabled", {"is_enabled": False}, ("is_enabled",)),
        deciding("osml.register.field.rate_limiter", {"rate_limiter": {"limit": 4, "unit": "MINUTES"}}, ()),
        deciding(
            "osml.register.field.interface",
            {"interface": {"input": INPUT_SCHEMA, "output": {"type": "object"}}},
            (),
        ),
        deciding("osml.register.field.interface.input", {"interface": {"input": INPUT_SCHEMA}}, ()),
        deciding("osml.register.field.interface.output", {"interface": {"output": {"type": "object"}}}, ()),
        deciding(
            "osml.register.field.guardrails",
            {"guardrails": _regex(input_guardrail={"regex": [".*kill.*"]})},
            (),
        ),
        deciding("osml.register.field.guardrails.type", {"guardrails": _regex()}, ()),
        deciding(
            "osml.register.field.guardrails.input_guardrail",
            {"guardrails": _regex(input_guardrail={"regex": [".*kill.*"]})},
            (),
        ),
        deciding(
            "osml.register.field.guardrails.output_guardrail",
            {"guardrails": _regex(output_guardrail={"regex": [".*kill.*"]})},
            (),
        ),
        deciding(
            "osml.register.field.guardrails.input_guardrail.stop_words",
            {"guardrails": _regex(input_guardrail=STOP_WORDS)},
            (),
        ),
        deciding(
            "osml.register.field.guardrails.input_guardrail.stop_words[].index_name",
            {"guardrails": _regex(input_guardrail=STOP_WORDS)},
            (),
        ),
        deciding(
            "osml.register.field.guardrails.input_guardrail.stop_words[].source_fields",
            {"guardrails": _regex(input_guardrail=STOP_WORDS)},
            (),
        ),
        deciding(
            "osml.register.field.guardrails.input_guardrail.regex",
            {"guardrails": _regex(input_guardrail={"regex": ["a", "b"]})},
            (),
        ),
        deciding("osml.register.field.model_config", {"model_config": CONFIG}, ()),
        deciding("osml.register.field.model_config.model_type", {"model_config": CONFIG}, ()),
        deciding("osml.register.field.model_config.embedding_dimension", {"model_config": CONFIG}, ()),
        deciding("osml.register.field.model_config.framework_type", {"model_config": CONFIG}, ()),
        deciding(
            "osml.register.field.model_config.all_config",
            {"model_config": {**CONFIG, "all_config": '{"model_type": "bert"}'}},
            (),
        ),
        deciding(
            "osml.register.field.model_config.additional_config",
            {"model_config": {**CONFIG, "additional_config": {"space_type": "l2"}}},
            (),
        ),
        deciding(
            "osml.register.field.model_config.pooling_mode",
            {"model_config": {**CONFIG, "pooling_mode": "MEAN"}},
            (),
        ),
        deciding(
            "osml.register.field.model_config.normalize_result",
            {"model_config": {**CONFIG, "normalize_result": True}},
            (),
        ),
        deciding("osml.register.field.provisioned_by", {"provisioned_by": "mlconform"}, ()),
    ],
)
def test_a_field_is_accepted(
    ml: MlCommons,
    expect: Expect,
    together: Together,
    name: str,
    fields: Mapping[str, Any],
    reads: tuple[str, ...],
) -> None:
    """Among all others; where it is not taken so or does not read so, alone, which decides."""
    if together.shows(reads):
        expect.accepted(name, together.registered)
        return
    body = ml.remote_body(model_group_id=ml.group_id, **fields)
    answered = ml.register(body)
    expect.accepted(name, answered)
    read = ml.get(str(answered.member("model_id")))
    expect.accepted(name, read)
    for member in reads:
        expect.equal(name, read.member(member), body[member], f"{member} of the model")


@requirement("osml.register.field.connector_id", "osml.register.connector")
def test_a_standalone_connector(ml: MlCommons, expect: Expect) -> None:
    standalone = ml.register(ml.remote_body())
    expect.all_accepted(["osml.register.field.connector_id", "osml.register.connector"], standalone)


@requirement("osml.register.connector", "osml.register.field.connector")
def test_a_connector_within_the_model(ml: MlCommons, expect: Expect) -> None:
    own = ml.register(_with_own_connector(ml))
    expect.all_accepted(["osml.register.connector", "osml.register.field.connector"], own)


def _with_own_connector(ml: MlCommons) -> dict[str, Any]:
    body = ml.remote_body(connector=ml.connector_body())
    del body["connector_id"]
    return body


@requirement("osml.register.connector-needed")
def test_neither_kind_of_connector(ml: MlCommons, expect: Expect) -> None:
    body = ml.remote_body()
    del body["connector_id"]
    expect.client_error("osml.register.connector-needed", ml.register(body))


@requirement("osml.register.name-needed")
def test_no_name(ml: MlCommons, expect: Expect) -> None:
    body = ml.remote_body()
    del body["name"]
    expect.client_error("osml.register.name-needed", ml.register(body))


@requirement("osml.register.remote")
def test_a_model_that_lives_elsewhere(ml: MlCommons, expect: Expect) -> None:
    model = ml.model()
    expect.equal(
        "osml.register.remote", str(ml.get(model).member("algorithm")).lower(), "remote", "algorithm"
    )


@requirement("osml.register.answer.members", "osml.register.no-query")
def test_the_answer(ml: MlCommons, expect: Expect) -> None:
    answered = ml.register(ml.remote_body())
    expect.all_accepted(["osml.register.no-query", "osml.register.answer.members"], answered)
    kinds = {"task_id": str, "status": str, "model_id": str}
    expect.members("osml.register.answer.members", answered.json, kinds, "the answer")


@requirement("osml.register.deploy-default")
def test_a_registration_deploys_nothing_by_itself(ml: MlCommons, expect: Expect) -> None:
    state = ml.state(ml.model())
    expect.equal("osml.register.deploy-default", state, "REGISTERED", "model_state without deploy")


@requirement("osml.register.field.deploy")
def test_a_registration_that_deploys(ml: MlCommons, expect: Expect) -> None:
    deployed = ml.register(ml.remote_body(), "?deploy=true")
    expect.accepted("osml.register.field.deploy", deployed)
    settled = ml.settle_state(str(deployed.member("model_id")), "DEPLOYED")
    expect.settles("osml.register.field.deploy", settled, "DEPLOYED", "model_state with deploy=true")


class TestGroups:
    @requirement(
        "osml.register.new-group",
        "osml.register.versions",
        "osml.register.first-version",
        "osml.register.group-public",
    )
    def test_a_model_without_a_group_makes_one(self, ml: MlCommons, expect: Expect) -> None:
        name = ml.session.new_name("model")
        read = ml.get(ml.model(name=name, model_group_id=None))
        expect.members("osml.register.versions", read.json, {"model_group_id": str}, "the model")
        group = ml.get_group(str(read.member("model_group_id")))
        expect.accepted("osml.register.new-group", group)
        expect.equal("osml.register.new-group", group.member("name"), name, "name of the group")
        expect.equal("osml.register.first-version", group.member("latest_version"), 1, "latest_version")
        expect.equal("osml.register.group-public", group.member("access"), "public", "access of the group")

    @requirement("osml.register.next-version", "osml.register.field.model_group_id")
    def test_a_group_gets_another_version(self, ml: MlCommons, expect: Expect) -> None:
        group = ml.group()
        name = ml.session.new_name("model")
        for count in (1, 2):
            read = ml.get(ml.model(name=name, model_group_id=group))
            expect.equal(
                "osml.register.field.model_group_id", read.member("model_group_id"), group, "model_group_id"
            )
            latest = ml.get_group(group).member("latest_version")
            expect.equal("osml.register.next-version", latest, count, "latest_version of the group")


class TestTask:
    @requirement("osml.register.task", "osml.register.example.task-status", "osml.task.example.registered")
    def test_the_task_tells_the_model(self, ml: MlCommons, contract: Contract, expect: Expect) -> None:
        registered = ml.register(ml.remote_body())
        ml.await_task(registered)
        task = ml.get_task(str(registered.member("task_id")))
        shown = ("osml.register.task", "osml.register.example.task-status", "osml.task.example.registered")
        expect.all_accepted(shown, task)
        expect.equal("osml.register.task", task.member("model_id"), registered.member("model_id"), "model_id")
        problem = schema_problem(contract, "get_task", task)
        expect.equal("osml.register.example.task-status", problem, None, "what does not fit the schema")
        expect.equal("osml.task.example.registered", task.member("task_type"), "REGISTER_MODEL", "task_type")
        expect.equal("osml.task.example.registered", task.member("state"), "COMPLETED", "state")


class TestExamples:
    def accepted(self, contract: Contract, expect: Expect, answered: Exchange, *names: str) -> None:
        expect.all_accepted(names, answered)
        problem = schema_problem(contract, "register_model", answered)
        for name in names:
            expect.equal(name, problem, None, "what does not fit the schema")

    @requirement("osml.register.example.connector")
    def test_a_standalone_connector(self, ml: MlCommons, contract: Contract, expect: Expect) -> None:
        body = ml.remote_body(model_group_id=ml.group(), description="test model")
        self.accepted(contract, expect, ml.register(body), "osml.register.example.connector")

    @requirement("osml.register.example.internal-connector")
    def test_a_connector_of_its_own(self, ml: MlCommons, contract: Contract, expect: Expect) -> None:
        body = _with_own_connector(ml) | {"model_group_id": ml.group()}
        self.accepted(contract, expect, ml.register(body), "osml.register.example.internal-connector")

    @requirement("osml.register.example.guardrails-regex", "osml.guardrails.register")
    def test_guardrails_by_regex(self, ml: MlCommons, contract: Contract, expect: Expect) -> None:
        side = STOP_WORDS | {"regex": ["regex1", "regex2"]}
        answered = ml.register(ml.remote_body(guardrails=_regex(input_guardrail=side, output_guardrail=side)))
        names = ("osml.register.example.guardrails-regex", "osml.guardrails.register")
        self.accepted(contract, expect, answered, *names)

    @requirement(
        "osml.register.example.guardrails-model",
        "osml.register.field.guardrails.input_guardrail.model_id",
        "osml.register.field.guardrails.input_guardrail.response_filter",
        "osml.register.field.guardrails.input_guardrail.response_validation_regex",
        "osml.guardrails.field.guardrails.type",
    )
    def test_guardrails_by_a_model(self, ml: MlCommons, contract: Contract, expect: Expect) -> None:
        side = {
            "model_id": ml.model(),
            "response_filter": "$.choices[0].message.content",
            "response_validation_regex": r"^\s*[Aa]ccept\s*$",
        }
        guardrails = {"type": "model", "input_guardrail": side, "output_guardrail": side}
        answered = ml.register(ml.remote_body(guardrails=guardrails))
        names = (
            "osml.register.example.guardrails-model",
            "osml.register.field.guardrails.input_guardrail.model_id",
            "osml.register.field.guardrails.input_guardrail.response_filter",
            "osml.register.field.guardrails.input_guardrail.response_validation_regex",
            "osml.guardrails.field.guardrails.type",
        )
        self.accepted(contract, expect, answered, *names)
        by_regex = ml.register(ml.remote_body(guardrails=_regex()))
        self.accepted(contract, expect, by_regex, "osml.guardrails.field.guardrails.type")

    @requirement("osml.register.example.interface")
    def test_an_interface(self, ml: MlCommons, contract: Contract, expect: Expect) -> None:
        interface = {"input": INPUT_SCHEMA, "output": json.loads('{"properties": {"inference_results": {}}}')}
        answered = ml.register(ml.remote_body(interface=interface))
        self.accepted(contract, expect, answered, "osml.register.example.interface")


@requirement("osml.interface.one-side")
def test_an_interface_of_one_side(ml: MlCommons, expect: Expect) -> None:
    for interface in ({"input": INPUT_SCHEMA}, {"output": {"type": "object"}}):
        expect.accepted("osml.interface.one-side", ml.register(ml.remote_body(interface=interface)))


@requirement("osml.guardrails.all-optional")
def test_guardrails_without_any_of_their_fields(ml: MlCommons, expect: Expect) -> None:
    for guardrails in (
        _regex(),
        _regex(input_guardrail={"regex": ["a"]}),
        _regex(output_guardrail={"regex": ["a"]}),
        _regex(input_guardrail={}),
    ):
        expect.accepted("osml.guardrails.all-optional", ml.register(ml.remote_body(guardrails=guardrails)))
