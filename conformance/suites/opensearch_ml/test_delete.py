"""Deleting a model: page delete-model."""

from __future__ import annotations

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import requirement
from mlconform.conformance.suites.opensearch_ml.api import UNKNOWN_ID, WRITE_ANSWER, MlCommons


@requirement("osml.delete.endpoint", "osml.delete.gone")
def test_a_deleted_model_is_gone(ml: MlCommons, expect: Expect) -> None:
    model = ml.model()
    expect.accepted("osml.delete.endpoint", ml.delete(model))
    expect.client_error("osml.delete.gone", ml.get(model))


@requirement("osml.delete.group")
def test_the_group_goes_with_its_last_version(ml: MlCommons, expect: Expect) -> None:
    group = ml.group()
    first, last = ml.model(model_group_id=group), ml.model(model_group_id=group)
    ml.delete(first)
    expect.status("osml.delete.group", ml.get_group(group), 200)
    ml.delete(last)
    gone = ml.session.settle(lambda: ml.get_group(group), lambda read: read.status == 404, budget=3.0)
    expect.client_error("osml.delete.group", gone.value)


@requirement("osml.delete.answer")
def test_the_members_of_the_answer(ml: MlCommons, expect: Expect) -> None:
    answered = ml.delete(ml.model())
    expect.accepted("osml.delete.answer", answered)
    expect.members("osml.delete.answer", answered.json, WRITE_ANSWER, "the answer")
    shards = {"total": int, "successful": int, "failed": int}
    expect.members("osml.delete.answer", answered.member("_shards"), shards, "_shards")


@requirement("osml.delete.answer.result")
def test_the_answer_says_what_was_deleted(ml: MlCommons, expect: Expect) -> None:
    model = ml.model()
    answered = ml.delete(model)
    expect.equal("osml.delete.answer.result", answered.member("result"), "deleted", "result")
    expect.equal("osml.delete.answer.result", answered.member("_id"), model, "_id")


@requirement("osml.delete.deployed")
def test_a_deployed_model_is_not_deleted(ml: MlCommons, expect: Expect) -> None:
    model = ml.deployed_model()
    expect.error("osml.delete.deployed", ml.delete(model), 400, "Try undeploy model first")
    expect.equal("osml.delete.deployed", ml.state(model), "DEPLOYED", "model_state after the refused delete")
    ml.take_down(model)
    expect.status("osml.delete.deployed", ml.delete(model), 200)


@requirement("osml.delete.unknown")
def test_an_unknown_model(ml: MlCommons, expect: Expect) -> None:
    expect.error("osml.delete.unknown", ml.delete(UNKNOWN_ID), 404, "Failed to find model")


@requirement("osml.delete.twice")
def test_a_second_delete_finds_nothing(ml: MlCommons, expect: Expect) -> None:
    model = ml.model()
    expect.status("osml.delete.twice", ml.delete(model), 200)
    expect.error("osml.delete.twice", ml.delete(model), 404, "Failed to find model")
