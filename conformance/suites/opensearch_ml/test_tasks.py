"""Tasks: pages get-task, delete-task and search-task."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mlconform.conformance.contract.model import Contract
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.generated import schema_problem
from mlconform.conformance.suites.marks import deciding, requirement
from mlconform.conformance.suites.opensearch_ml.api import UNKNOWN_ID, MlCommons
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.opensearch_ml import ML

STATES = (
    "CREATED",
    "RUNNING",
    "COMPLETED",
    "FAILED",
    "CANCELLED",
    "COMPLETED_WITH_ERROR",
    "CANCELLING",
    "EXPIRED",
    "UNREACHABLE",
)


def _finished(ml: MlCommons) -> tuple[str, Exchange]:
    """The id of a finished deploy task, and how it reads."""
    deployed = ml.deploy(ml.model())
    task_id, task = deployed.member("task_id"), ml.await_task(deployed)
    if not isinstance(task_id, str) or task is None:
        raise Untestable("a deploy was answered without task_id, which osml.deploy.answer decides")
    return task_id, task


@pytest.fixture(scope="module")
def finished(shared: MlCommons) -> Iterator[str]:
    """The id of a finished deploy task for checks that only read it."""
    session = shared.session
    begin = len(session.journal)
    task_id, _ = _finished(shared)
    session.shared[task_id] = tuple(session.journal[begin:])
    yield task_id
    session.shared.pop(task_id)


@pytest.mark.parametrize(
    ("name", "member", "kind"),
    [
        deciding("osml.task.field.model_id", "model_id", str),
        deciding("osml.task.field.task_type", "task_type", str),
        deciding("osml.task.field.function_name", "function_name", str),
        deciding("osml.task.field.state", "state", str),
        deciding("osml.task.field.worker_node", "worker_node", list),
        deciding("osml.task.field.create_time", "create_time", int),
        deciding("osml.task.field.last_update_time", "last_update_time", int),
        deciding("osml.task.field.is_async", "is_async", bool),
    ],
)
def test_a_member_of_a_task(
    ml: MlCommons, expect: Expect, finished: str, name: str, member: str, kind: type
) -> None:
    task = ml.get_task(finished)
    expect.members(name, task.json, {member: kind}, "the task")
    if member == "state":
        expect.one_of(name, task.member("state"), STATES, "state of the task")


@requirement("osml.task.completed-model", "osml.task.example.deployed")
def test_a_finished_deploy(ml: MlCommons, contract: Contract, expect: Expect) -> None:
    _, task = _finished(ml)
    expect.equal("osml.task.example.deployed", task.member("state"), "COMPLETED", "state")
    expect.members("osml.task.completed-model", task.json, {"model_id": str}, "the task")
    problem = schema_problem(contract, "get_task", task)
    expect.equal("osml.task.example.deployed", problem, None, "what does not fit the schema")


@requirement("osml.task.delete.any-state", "osml.task.delete.example")
def test_a_task_is_deleted(ml: MlCommons, expect: Expect) -> None:
    task_id, _ = _finished(ml)
    deleted = ml.session.request("DELETE", f"{ML}/tasks/{task_id}")
    expect.accepted("osml.task.delete.any-state", deleted)
    expect.equal("osml.task.delete.example", deleted.member("result"), "deleted", "result")
    expect.equal("osml.task.delete.example", deleted.member("_id"), task_id, "_id")
    expect.client_error("osml.task.delete.any-state", ml.get_task(task_id))


@requirement("osml.task.delete.not-found")
def test_a_task_that_is_not_there(ml: MlCommons, expect: Expect) -> None:
    answered = ml.session.request("DELETE", f"{ML}/tasks/{UNKNOWN_ID}")
    expect.error("osml.task.delete.not-found", answered, 404, "Failed to find task")
    expect.equal("osml.task.delete.not-found", answered.member("error", "type"), "status_exception", "type")


@requirement("osml.task.search.example", "osml.task.search.answer")
def test_tasks_of_a_function(ml: MlCommons, expect: Expect) -> None:
    ml.model()
    body = {"query": {"bool": {"filter": [{"term": {"function_name": "KMEANS"}}]}}}
    answered = ml.session.request("GET", f"{ML}/tasks/_search", body)
    expect.accepted("osml.task.search.example", answered)
    for hit in answered.member("hits", "hits") or []:
        found = hit.get("_source", {}).get("function_name")
        expect.equal("osml.task.search.example", found, "KMEANS", "function_name of a task that was found")
    every = ml.session.request("GET", f"{ML}/tasks/_search", {"query": {"match_all": {}}, "size": 5})
    kinds = {"took": int, "timed_out": bool, "_shards": dict, "hits": dict}
    expect.members("osml.task.search.answer", every.json, kinds, "the answer")
    total = every.member("hits", "total")
    expect.members("osml.task.search.answer", total, {"value": int, "relation": str}, "hits.total")
    for hit in every.member("hits", "hits") or []:
        kinds = {"_index": str, "_id": str, "_source": dict}
        expect.members("osml.task.search.answer", hit, kinds, "a task that was found")
