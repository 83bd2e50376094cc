"""Profiles, statistics and agents as far as they concern models: their pages."""

from __future__ import annotations

from typing import Any

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, requirement
from mlconform.conformance.suites.opensearch_ml.api import MlCommons
from mlconform.conformance.targets import opensearch_ml, opensearch_settings
from mlconform.conformance.targets.opensearch_ml import ML

MONITORED = "plugins.ml_commons.monitoring_request_count"


@requirement("osml.profile.example")
def test_the_profile_of_a_deployed_model(ml: MlCommons, expect: Expect) -> None:
    model = ml.deployed_model()
    path = f"{ML}/profile/models/{model}"
    answered = ml.session.settle(
        lambda: ml.session.request("GET", path), lambda read: bool(read.member("nodes"))
    ).value
    nodes = answered.member("nodes")
    expect.that(
        "osml.profile.example",
        isinstance(nodes, dict) and bool(nodes),
        expected="nodes, an object with a node in it",
        came=answered.summary,
        exchange=answered,
    )
    for node in nodes.values():
        found: Any = node.get("models", {}).get(model)
        kinds = {"worker_nodes": list, "model_state": str}
        expect.members("osml.profile.example", found, kinds, "the model in a node's profile")


@requirement(
    "osml.profile.example.node",
    "osml.profile.field.node_ids",
    "osml.profile.field.return_all_tasks",
    "osml.profile.field.return_all_models",
)
def test_the_profile_of_a_node(ml: MlCommons, expect: Expect) -> None:
    body = {"node_ids": [ml.session.facts.nodes[0]], "return_all_tasks": True, "return_all_models": True}
    answered = ml.session.request("GET", f"{ML}/profile", body)
    shown = ("example.node", "field.node_ids", "field.return_all_tasks", "field.return_all_models")
    expect.all_accepted([f"osml.profile.{name}" for name in shown], answered)


@exclusive
@requirement("osml.profile.monitoring-count")
def test_how_many_requests_are_monitored(ml: MlCommons, expect: Expect) -> None:
    opensearch_settings.remember_settings(ml.session, [MONITORED])
    expect.accepted("osml.profile.monitoring-count", ml.put_settings({MONITORED: 1_000_000}))


@requirement("osml.stats.example.node")
def test_statistics_of_a_node(ml: MlCommons, expect: Expect) -> None:
    answered = ml.session.request("GET", f"{ML}/{ml.session.facts.nodes[0]}/stats/")
    expect.accepted("osml.stats.example.node", answered)


@requirement(
    "osml.agent.register.answer.id",
    "osml.agent.register.field.name",
    "osml.agent.register.field.type",
    "osml.agent.register.field.description",
    "osml.agent.register.field.tools",
    "osml.agent.register.field.tools[].type",
    "osml.agent.register.field.tools[].name",
)
def test_an_agent_that_uses_a_model(ml: MlCommons, expect: Expect) -> None:
    tool = {"type": "MLModelTool", "name": "t", "parameters": {"model_id": ml.model(), "prompt": "x"}}
    body = {"name": ml.session.new_name("agent"), "type": "flow", "description": "told", "tools": [tool]}
    registered = ml.register_agent(body)
    fields = ("name", "type", "description", "tools", "tools[].type", "tools[].name")
    named = [f"osml.agent.register.field.{name}" for name in fields]
    expect.all_accepted(["osml.agent.register.answer.id", *named], registered)
    read = ml.session.request("GET", f"{ML}/agents/{registered.member('agent_id')}")
    expect.accepted("osml.agent.register.answer.id", read)
    for name in ("name", "type", "description"):
        expect.equal(f"osml.agent.register.field.{name}", read.member(name), body[name], name)
    expect.members("osml.agent.register.field.tools", read.json, {"tools": list}, "the agent")
    (kept,) = read.member("tools")
    for name in ("type", "name"):
        expect.equal(f"osml.agent.register.field.tools[].{name}", kept.get(name), tool[name], name)


@requirement("osml.processor.example.remote", "osml.processor.field.processors[].ml_inference.model_id")
def test_a_pipeline_with_a_model(ml: MlCommons, expect: Expect) -> None:
    model = ml.model()
    name = ml.user_of("ingest pipeline", model)
    read = ml.session.request("GET", f"/_ingest/pipeline/{name}")
    expect.accepted("osml.processor.example.remote", read)
    processors = read.member(name, "processors") or [{}]
    found = processors[0].get("ml_inference", {}).get("model_id")
    expect.equal("osml.processor.field.processors[].ml_inference.model_id", found, model, "model_id")


@requirement("osml.processor.model-id-required")
def test_a_processor_without_a_model(ml: MlCommons, expect: Expect) -> None:
    inference = {"function_name": "remote", "input_map": [{"q": "text"}], "output_map": [{"out": "x"}]}
    name = ml.session.new_name("pipeline")
    body = {"processors": [{"ml_inference": inference}]}
    answered = ml.session.request("PUT", f"/_ingest/pipeline/{name}", body)
    if answered.status == 200:
        opensearch_ml.track(ml.session, "ingest pipeline", name)
    expect.client_error("osml.processor.model-id-required", answered)
