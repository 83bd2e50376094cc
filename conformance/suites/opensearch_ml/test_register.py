"""Registering, reading and finding models: what the recordings show, and the page examples that need it."""

from __future__ import annotations

from functools import partial

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import requirement
from mlconform.conformance.suites.opensearch_ml.api import UNKNOWN_ID, MlCommons
from mlconform.conformance.targets.opensearch_ml import ML


@requirement("osml.register.answer")
def test_the_answer_names_task_and_model(ml: MlCommons, expect: Expect) -> None:
    answered = ml.register(ml.remote_body())
    expect.status("osml.register.answer", answered, 200)
    kinds = {"task_id": str, "status": str, "model_id": str}
    expect.members("osml.register.answer", answered.json, kinds, "the answer")
    expect.equal("osml.register.answer", answered.member("status"), "CREATED", "status")


@requirement("osml.register.deploy-true")
def test_deploy_true_ends_in_memory(ml: MlCommons, expect: Expect) -> None:
    answered = ml.register(ml.remote_body(), "?deploy=true")
    expect.status("osml.register.deploy-true", answered, 200)
    settled = ml.settle_state(str(answered.member("model_id")), "DEPLOYED")
    expect.settles("osml.register.deploy-true", settled, "DEPLOYED", "model_state")


@requirement("osml.register.bad-deploy-flag")
def test_a_deploy_flag_that_is_none(ml: MlCommons, expect: Expect) -> None:
    answered = ml.register(ml.remote_body(), "?deploy=maybe")
    expect.error("osml.register.bad-deploy-flag", answered, 400, "only [true] or [false] are allowed")


@requirement("osml.register.rejects")
def test_what_is_missing_is_said(ml: MlCommons, expect: Expect) -> None:
    name = ml.session.new_name("model")
    for body, reason in (
        ({}, "model name is null"),
        ({"function_name": "remote"}, "model name is null"),
        ({"name": name, "function_name": "remote"}, "You must provide connector content"),
    ):
        expect.error("osml.register.rejects", ml.register(body), 400, reason)


@requirement("osml.register.unknown-connector")
def test_an_unknown_connector(ml: MlCommons, expect: Expect) -> None:
    answered = ml.register(ml.remote_body(connector_id=UNKNOWN_ID))
    expect.error("osml.register.unknown-connector", answered, 404, "Failed to find connector")


@requirement("osml.get.answer")
def test_a_model_as_it_reads(ml: MlCommons, expect: Expect) -> None:
    body = ml.remote_body()
    model = str(ml.register(body).member("model_id"))
    read = ml.get(model)
    kinds = {
        "name": str,
        "model_group_id": str,
        "algorithm": str,
        "model_version": str,
        "model_state": str,
        "created_time": int,
        "last_updated_time": int,
    }
    expect.status("osml.get.answer", read, 200)
    expect.members("osml.get.answer", read.json, kinds, "the model")
    for name in ("name", "description", "connector_id"):
        expect.equal("osml.get.answer", read.member(name), body[name], name)


@requirement("osml.get.unknown")
def test_an_unknown_model(ml: MlCommons, expect: Expect) -> None:
    expect.error("osml.get.unknown", ml.get(UNKNOWN_ID), 404, "Failed to find model")


@requirement("osml.search.by-name")
def test_a_model_is_found_by_its_name(ml: MlCommons, expect: Expect) -> None:
    name = ml.session.new_name("model")
    model = ml.model(name=name)
    query = {"query": {"term": {"name.keyword": {"value": name}}}}
    for method in ("POST", "GET"):
        found = ml.session.settle(
            partial(ml.session.request, method, f"{ML}/models/_search", query),
            lambda answered: answered.status != 200 or bool(answered.member("hits", "hits")),
            budget=5.0,
        ).value
        expect.status("osml.search.by-name", found, 200)
        ids = [hit.get("_id") for hit in found.member("hits", "hits") or []]
        expect.equal("osml.search.by-name", ids, [model], f"ids of the models found by {method}")


@requirement("osml.search.unknown-query")
def test_an_unknown_query_clause(ml: MlCommons, expect: Expect) -> None:
    answered = ml.session.request("POST", f"{ML}/models/_search", {"query": {"bogus": {}}})
    expect.error("osml.search.unknown-query", answered, 400, "unknown query [bogus]")
