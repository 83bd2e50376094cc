"""One of each operation, for what the watch over every exchange says of the answers.

The watch decides the same in every other check; here each answer is met on purpose, twice where an answer
owes something to another, so that a run says of all these requirements whether they hold.
"""

from __future__ import annotations

from typing import Any

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, requirement
from mlconform.conformance.suites.opensearch_ml.api import MlCommons, first_hit, model_path
from mlconform.conformance.suites.opensearch_ml.local_models import NOBODY, LocalModels
from mlconform.conformance.targets import opensearch_settings
from mlconform.conformance.targets.opensearch_ml import ML
from mlconform.conformance.targets.opensearch_settings import SETTINGS


def _read_and_found(ml: MlCommons, kind: str, path: str, name: str, **fields: Any) -> None:
    """Read a thing and find it by both kinds of search, which tell the same of it."""
    ml.session.request("GET", path + name)
    ml.await_found(kind, name, **fields)
    ml.session.request("GET", path + "_search", {"query": {"ids": {"values": [name]}}})


@requirement(
    "osml.relation.write-counts",
    "osml.relation.shards",
    "osml.relation.done",
    "osml.group.get.answer.200",
    "osml.group.register.answer.200",
    "osml.group.search.answer.200",
    "osml.group.search.answer.200.2",
    "osml.group.search.answer.200.3",
    "osml.group.delete.answer.200",
)
def test_a_group(ml: MlCommons) -> None:
    group = ml.group()
    path = f"{ML}/model_groups/"
    ml.session.request("PUT", path + group, {"description": "changed"})
    _read_and_found(ml, "model group", path, group, description="changed")
    ml.session.request("DELETE", path + group)
    ml.get_group(group)
    second = ml.group()
    ml.session.request("DELETE", path + second)


@requirement(
    "osml.relation.as-sent",
    "osml.relation.same-everywhere",
    "osml.relation.root-cause",
    "osml.wire.no-leak",
    "osml.connector.create.answer.200",
    "osml.connector.get.answer.200",
    "osml.connector.search.answer.200",
    "osml.connector.update.answer.200",
    "osml.connector.delete.answer.200",
)
def test_a_connector(ml: MlCommons) -> None:
    connector = ml.connector()
    path = f"{ML}/connectors/"
    for text in ("changed", "changed again"):
        ml.session.request("PUT", path + connector, {"description": text})
        _read_and_found(ml, "connector", path, connector, description=text)
    ml.session.request("DELETE", path + connector)
    ml.session.request("DELETE", path + connector)
    ml.session.request("GET", path + connector)
    second = ml.connector()
    ml.session.request("DELETE", path + second)
    ml.session.request("DELETE", path + ml.connector())


@requirement(
    "osml.relation.id",
    "osml.relation.times",
    "osml.relation.hits",
    "osml.relation.predicted",
    "osml.relation.task",
    "osml.wire.recorded-answer",
)
def test_a_model(ml: MlCommons) -> None:
    path = f"{ML}/models/"
    model = ml.model()
    for text in ("changed", "changed again"):
        ml.update(model, {"description": text})
        _read_and_found(ml, "model", path, model, description=text)
    deployed = ml.bring_up(model)
    ml.get(model)
    task = deployed.member("task_id")
    ml.predict(model)
    ml.take_down(model)
    ml.get(model)
    ml.delete(model)
    ml.delete(model)
    ml.get(model)
    ml.update(model, {"description": "gone"})
    for name in (ml.model(), ml.model()):
        ml.update(name, {"description": "before its end"})
        ml.delete(name)
    _tasks(ml, task)


def _tasks(ml: MlCommons, task: object) -> None:
    """Find and delete the task of a deploy, and one of a registration, one after the other."""
    registered = ml.register(ml.remote_body())
    for name in (task, registered.member("task_id")):
        if isinstance(name, str):
            ml.get_task(name)
            _await_task_found(ml, name, "COMPLETED")
            ml.session.request("DELETE", f"{ML}/tasks/{name}")
            ml.get_task(name)
            ml.session.request("DELETE", f"{ML}/tasks/{name}")


def _await_task_found(ml: MlCommons, name: str, state: str) -> None:
    body = {"query": {"ids": {"values": [name]}}}
    ml.session.settle(
        lambda: ml.session.request("GET", f"{ML}/tasks/_search", body),
        lambda searched: (first_hit(searched) or {}).get("state") == state,
        budget=5.0,
    )


@requirement(
    "osml.agent.get.answer.200",
    "osml.agent.delete.answer.200",
    "osml.agent.search.answer.200",
)
def test_an_agent(ml: MlCommons) -> None:
    model = ml.model()
    path = f"{ML}/agents/"
    first, second = (ml.user_of("agent", model) for _ in range(2))
    for name in (first, second):
        _read_and_found(ml, "agent", path, name)
    for method in ("GET", "POST"):
        ml.session.request(method, path + "_search", {"query": {"ids": {"values": [first, second]}}})
    for name in (first, second):
        ml.session.request("DELETE", path + name)
    ml.session.request("GET", path + first)


def _await_controlled(ml: MlCommons, expect: Expect, model: str) -> None:
    """A node writes into the model that it has a controller only after it answered."""
    settled = ml.session.settle(
        lambda: ml.get(model), lambda read: read.member("is_controller_enabled") is True, budget=5.0
    )
    expect.see(
        "osml.relation.as-sent",
        bool(settled),
        expected="a model that has a controller reads with `is_controller_enabled`",
        came=settled.value.summary,
        exchange=settled.value,
    )


@requirement("osml.controller.get.answer.200", "osml.controller.delete.answer.200", "osml.relation.as-sent")
def test_a_controller(ml: MlCommons, expect: Expect) -> None:
    model, second = ml.model(), ml.model()
    limits = {"user_rate_limiter": {"user1": {"limit": 4, "unit": "MINUTES"}}}
    for name in (model, second):
        path = f"{ML}/controllers/{name}"
        ml.session.request("POST", path, limits)
        ml.session.request("GET", path)
        _await_controlled(ml, expect, name)
        ml.session.request("PUT", path, {"user_rate_limiter": {"user1": {"limit": 5, "unit": "MINUTES"}}})
        ml.session.request("DELETE", path)
        ml.session.request("GET", path)
        ml.session.request("DELETE", path)


@exclusive
@requirement(
    "osml.relation.as-sent", "osml.relation.same-everywhere", "osml.relation.id", "osml.relation.settings"
)
def test_a_local_model_of_chunks(local: LocalModels) -> None:
    _local_read_and_found(local, local.uploaded(chunks=2))
    # With what local models take, which was set for them.
    local.session.request("GET", SETTINGS)


@exclusive
@requirement("osml.relation.as-sent", "osml.relation.same-everywhere")
def test_a_local_model_by_url(local: LocalModels) -> None:
    _local_read_and_found(local, local.model())


def _local_read_and_found(local: LocalModels, model: str) -> None:
    """As any thing, and its chunks, which are found among the models."""
    chunks = {
        "query": {"bool": {"filter": [{"term": {"model_id": model}}]}},
        "sort": [{"chunk_number": {"order": "asc"}}],
    }
    local.session.settle(
        lambda: local.session.request("POST", f"{ML}/models/_search", chunks),
        lambda answered: bool(answered.member("hits", "hits")),
        budget=5.0,
    )
    _read_and_found(local.ml, "model", f"{ML}/models/", model, model_state="REGISTERED")
    local.session.request("GET", f"{ML}/models/_search", chunks)


@exclusive
@requirement("osml.relation.task", "osml.relation.same-everywhere")
def test_a_task_that_failed(local: LocalModels) -> None:
    local.let_in()
    registered = local.register(local.url_body(url=NOBODY))
    local.ended(registered)
    _await_task_found(local.ml, str(registered.member("task_id")), "FAILED")


@requirement("osml.relation.profile")
def test_profiles(ml: MlCommons) -> None:
    model = ml.deployed_model()
    ml.predict(model)
    ml.get(model)
    for name in (f"models/{model}", "models", "tasks", ""):
        ml.session.request("GET", f"{ML}/profile/{name}".rstrip("/"))
    ml.session.request("GET", model_path(model))


@exclusive
@requirement("osml.relation.settings")
def test_settings(ml: MlCommons) -> None:
    for value in (False, True):
        ml.set(AUTO_DEPLOY=value)
        ml.session.request("GET", SETTINGS)
    for trusted in (["^https://example[.]invalid/.*$"], None):
        ml.try_setting(opensearch_settings.TRUSTED_ENDPOINTS, trusted)
        opensearch_settings.read_settings(ml.session, defaults=True)


@requirement("osml.relation.statistics")
def test_statistics(ml: MlCommons) -> None:
    ml.predict(ml.deployed_model())
    node = ml.session.facts.nodes[0]
    for path in (
        "stats",
        f"{node}/stats",
        "stats/ml_executing_task_count",
        f"{node}/stats/ml_executing_task_count",
    ):
        ml.session.request("GET", f"{ML}/{path}")
