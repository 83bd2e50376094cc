"""Tasks of local models while they go on, and states of models meanwhile: pages get-task and get-model."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, requirement
from mlconform.conformance.suites.opensearch_ml.local_models import LocalModels, goes_on
from mlconform.conformance.targets.endpoint import FileName
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.registrations import ENDED

T = TypeVar("T")

pytestmark = exclusive

_DEPLOYS = 3

GOING_ON = {
    "task_type": str,
    "function_name": str,
    "state": str,
    "worker_node": list,
    "create_time": int,
    "last_update_time": int,
    "is_async": bool,
}


class TestRegistration:
    @requirement("osml.task.in-progress")
    def test_its_task_names_no_model_yet(self, local: LocalModels, expect: Expect) -> None:
        registered, _ = local.going_on()
        task = local.ml.get_task(str(registered.member("task_id")))
        local.still_going_on(task)
        expect.members("osml.task.in-progress", task.json, GOING_ON, "the task")
        expect.equal("osml.task.in-progress", task.member("model_id"), None, "model_id of the task")
        ended = local.ended(registered)
        expect.members("osml.task.in-progress", ended.json, {"model_id": str}, "the task at its end")

    @requirement("osml.get.state.registering")
    def test_the_model_is_registering(self, local: LocalModels, expect: Expect) -> None:
        registered, name = local.going_on()
        state = local.ml.state(local.found(name))
        local.still_going_on(local.ml.get_task(str(registered.member("task_id"))))
        expect.equal("osml.get.state.registering", state, "REGISTERING", "model_state meanwhile")

    @requirement("osml.task.example.registered", "osml.register.task", "osml.task.completed-model")
    def test_its_task_tells_the_model_at_last(self, local: LocalModels, expect: Expect) -> None:
        local.let_in()
        task = local.ended(local.register(local.url_body()))
        if task.member("state") == "FAILED":
            raise Untestable(f"a local model could not be registered by URL: {task.summary}")
        expect.equal("osml.task.example.registered", task.member("task_type"), "REGISTER_MODEL", "task_type")
        expect.equal("osml.task.example.registered", task.member("state"), "COMPLETED", "state")
        expect.members("osml.task.completed-model", task.json, {"model_id": str}, "the task")
        read = local.ml.get(str(task.member("model_id")))
        expect.accepted("osml.register.task", read)

    @requirement("osml.delete.gone")
    def test_the_model_is_deleted_meanwhile(self, local: LocalModels, expect: Expect) -> None:
        registered, name = local.going_on()
        model = local.found(name)
        deleted = local.ml.delete(model)
        local.still_going_on(local.ml.get_task(str(registered.member("task_id"))))
        expect.accepted("osml.delete.gone", deleted)
        local.ended(registered)
        expect.equal("osml.delete.gone", local.ml.state(model), "absent", "the model after its registration")

    @requirement("osml.update.local")
    def test_the_model_is_not_updated_meanwhile(self, local: LocalModels, expect: Expect) -> None:
        registered, name = local.going_on()
        model = local.found(name)
        updated = local.ml.update(model, {"description": "changed"})
        local.still_going_on(local.ml.get_task(str(registered.member("task_id"))))
        expect.status("osml.update.local", updated, 403)
        ended = local.ended(registered)
        expect.equal("osml.update.local", ended.member("state"), "COMPLETED", "state of the task")
        description = local.ml.get(model).member("description")
        expect.equal("osml.update.local", description, "made by a conformance run", "description afterwards")

    @requirement("osml.task.delete.any-state")
    def test_its_task_is_deleted_meanwhile(self, local: LocalModels, expect: Expect) -> None:
        registered, name = local.going_on()
        task_id, model = str(registered.member("task_id")), local.found(name)
        task, deleted = local.ml.get_task(task_id), local.delete_task(task_id)
        local.still_going_on(task)
        expect.accepted("osml.task.delete.any-state", deleted)
        expect.status("osml.task.delete.any-state", local.ml.get_task(task_id), 404)
        # Its end is waited for, so that the model can be removed.
        local.ml.settle_state(model, "REGISTERED", "absent")


class TestDeploy:
    """A large model takes a while to deploy. What is read while its task goes on was true meanwhile."""

    @requirement("osml.get.state.deploying", "osml.task.example.in-progress", "osml.task.in-progress")
    def test_meanwhile(self, local: LocalModels, expect: Expect) -> None:
        *_, (states, tasks) = _deploying(local, _seen)
        allowed = {"REGISTERED", "DEPLOYING", "DEPLOYED"}
        if len(local.nodes) > 1:
            # Some nodes have it, and others don't yet: page get-model, "Valid model states".
            allowed.add("PARTIALLY_DEPLOYED")
        expect.that(
            "osml.get.state.deploying",
            "DEPLOYING" in states and set(states) <= allowed,
            expected="model_state = 'DEPLOYING' while the task of a deploy goes on",
            came=", ".join(states),
        )
        for task in tasks:
            expect.members("osml.task.example.in-progress", task.json, GOING_ON, "the task")
            expect.equal(
                "osml.task.example.in-progress", task.member("task_type"), "DEPLOY_MODEL", "task_type"
            )
            expect.see(
                "osml.task.in-progress",
                task.member("model_id") is None,
                expected="a task that goes on and has no model_id",
                came=task.summary,
                exchange=task,
            )
        expect.one_of(
            "osml.task.example.in-progress", tasks[0].member("state"), ("CREATED", "RUNNING"), "state"
        )

    @requirement("osml.delete.deploying", "osml.update.local")
    def test_it_is_neither_deleted_nor_updated_meanwhile(self, local: LocalModels, expect: Expect) -> None:
        model, answered, (deleted, updated) = _deploying(local, _refused)
        expect.status("osml.delete.deploying", deleted, 400)
        expect.error("osml.update.local", updated, 409, "Model is deploying")
        ended = local.ended(answered)
        expect.equal("osml.delete.deploying", ended.member("state"), "COMPLETED", "state of the task")
        expect.accepted("osml.delete.deploying", local.predict(model))
        description = local.ml.get(model).member("description")
        expect.equal("osml.update.local", description, "made by a conformance run", "description afterwards")


def _deploying(
    local: LocalModels, look: Callable[[LocalModels, str, str], T | None]
) -> tuple[str, Exchange, T]:
    """A large model, the answer to its deploy, and what a look at the model and its task saw while that went
    on. On a busy machine it may be over before; the look then gives None, and another is deployed."""
    for _ in range(_DEPLOYS):
        model = local.model(FileName.LARGE)
        answered = local.ml.deploy(model)
        seen = look(local, model, str(answered.member("task_id")))
        if seen is not None:
            return model, answered, seen
    raise Untestable(f"{_DEPLOYS} deploys had ended before they could be looked at")


def _refused(local: LocalModels, model: str, task_id: str) -> tuple[Exchange, Exchange] | None:
    """The answers to a delete and an update."""
    local.ml.settle_state(model, "DEPLOYING", "DEPLOYED", "DEPLOY_FAILED")
    deleted = local.ml.delete(model)
    updated = local.ml.update(model, {"description": "changed"})
    return (deleted, updated) if goes_on(local.ml.get_task(task_id)) else None


def _seen(local: LocalModels, model: str, task_id: str) -> tuple[list[str], list[Exchange]] | None:
    """The states that the model had while its task went on, and the task meanwhile."""
    states: list[str] = []
    tasks: list[Exchange] = []

    def look() -> Exchange:
        state, task = local.ml.state(model), local.ml.get_task(task_id)
        if goes_on(task):
            states.append(state)
            tasks.append(task)
        return task

    local.session.settle(look, lambda task: task.member("state") in ENDED)
    return (states, tasks) if states else None
