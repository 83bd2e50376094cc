"""Deploying a model: page deploy-model."""

from __future__ import annotations

from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, needs, requirement
from mlconform.conformance.suites.opensearch_ml.api import UNKNOWN_ID, MlCommons
from mlconform.conformance.suites.opensearch_ml.test_local_tasks import GOING_ON
from mlconform.conformance.targets.opensearch_ml import ML


@requirement("osml.deploy.endpoint", "osml.deploy.in-memory")
def test_an_accepted_deploy_ends_in_memory(ml: MlCommons, expect: Expect) -> None:
    model = ml.model()
    expect.accepted("osml.deploy.endpoint", ml.deploy(model))
    settled = ml.settle_state(model, "DEPLOYED")
    expect.settles("osml.deploy.in-memory", settled, "DEPLOYED", "model_state after the deploy")


@requirement("osml.deploy.model-id-required")
def test_a_deploy_without_a_model_id_is_refused(ml: MlCommons, expect: Expect) -> None:
    expect.client_error("osml.deploy.model-id-required", ml.session.request("POST", f"{ML}/models/_deploy"))


@requirement("osml.deploy.all-nodes")
def test_a_deploy_without_a_body_uses_every_node(ml: MlCommons, expect: Expect) -> None:
    model = ml.deployed_model()
    planned = ml.get(model).member("planning_worker_nodes") or []
    expect.equal("osml.deploy.all-nodes", sorted(planned), sorted(ml.session.facts.nodes), "worker nodes")


@exclusive
@needs("second node")
@requirement("osml.deploy.node-ids")
def test_node_ids_limit_the_deployment(ml: MlCommons, expect: Expect) -> None:
    ml.set(CUSTOM_PLAN=True)
    wanted = [ml.session.facts.nodes[0]]
    model = ml.model()
    expect.accepted("osml.deploy.node-ids", ml.deploy(model, {"node_ids": wanted}))
    settled = ml.settle_state(model, "DEPLOYED")
    expect.settles("osml.deploy.node-ids", settled, "DEPLOYED", "model_state")
    planned = ml.get(model).member("planning_worker_nodes")
    expect.equal("osml.deploy.node-ids", planned, wanted, "worker nodes")


@requirement("osml.deploy.answer")
def test_the_answer_names_a_task_and_a_status(ml: MlCommons, expect: Expect) -> None:
    answered = ml.deploy(ml.model())
    expect.accepted("osml.deploy.answer", answered)
    expect.members("osml.deploy.answer", answered.json, {"task_id": str, "status": str}, "the answer")


@requirement("osml.remote.example.deploy-answer")
def test_the_answered_status_is_the_documented_one(ml: MlCommons, expect: Expect) -> None:
    answered = ml.deploy(ml.model())
    expect.equal("osml.remote.example.deploy-answer", answered.member("status"), "CREATED", "status")


@requirement("osml.deploy.task-id")
def test_the_answer_names_a_task_that_can_be_followed(ml: MlCommons, expect: Expect) -> None:
    answered = ml.deploy(ml.model())
    expect.members("osml.deploy.task-id", answered.json, {"task_id": str}, "the answer")
    followed = ml.get_task(str(answered.member("task_id")))
    expect.accepted("osml.deploy.task-id", followed)


@requirement("osml.deploy.again")
def test_a_deployed_model_can_be_deployed_again(ml: MlCommons, expect: Expect) -> None:
    model = ml.deployed_model()
    again = ml.when_ready(lambda: ml.deploy(model))
    expect.status("osml.deploy.again", again, 200)
    ml.await_task(again)
    settled = ml.settle_state(model, "DEPLOYED")
    expect.settles("osml.deploy.again", settled, "DEPLOYED", "model_state after the second deploy")


@requirement("osml.deploy.undo")
def test_an_undeployed_model_can_be_deployed_again(ml: MlCommons, expect: Expect) -> None:
    model = ml.deployed_model()
    ml.take_down(model)
    expect.status("osml.deploy.undo", ml.deploy(model), 200)
    settled = ml.settle_state(model, "DEPLOYED")
    expect.settles("osml.deploy.undo", settled, "DEPLOYED", "model_state after the second deploy")


@requirement("osml.deploy.failed")
def test_a_deploy_whose_connector_is_gone_fails(ml: MlCommons, expect: Expect) -> None:
    connector = ml.connector_id
    model = ml.model(connector_id=connector)
    expect.status("osml.deploy.failed", ml.update(model, {"connector_id": UNKNOWN_ID}), 200)
    task = ml.await_task(ml.deploy(model))
    settled = ml.settle_state(model, "DEPLOY_FAILED")
    # Given back before anything is decided: without its connector the model could not be removed.
    ml.change(model, {"connector_id": connector})
    expect.settles("osml.deploy.failed", settled, "DEPLOY_FAILED", "model_state")
    state = task.member("state") if task is not None else "no task"
    expect.equal("osml.deploy.failed", state, "FAILED", "state of the deploy's task")


class TestRefusals:
    @requirement("osml.deploy.unknown-model")
    def test_unknown_model(self, ml: MlCommons, expect: Expect) -> None:
        expect.error("osml.deploy.unknown-model", ml.deploy(UNKNOWN_ID), 404, "Failed to find model")

    @requirement("osml.deploy.node-ids-type")
    def test_node_ids_that_are_no_list(self, ml: MlCommons, expect: Expect) -> None:
        node = ml.session.facts.nodes[0]
        expect.error("osml.deploy.node-ids-type", ml.deploy(ml.model(), {"node_ids": node}), 400)

    @exclusive
    @requirement("osml.deploy.node-ids-setting")
    def test_custom_plan_not_allowed(self, ml: MlCommons, expect: Expect) -> None:
        ml.set(CUSTOM_PLAN=False)
        answered = ml.deploy(ml.model(), {"node_ids": list(ml.session.facts.nodes[:1])})
        expect.error("osml.deploy.node-ids-setting", answered, 400, "Don't allow custom deployment plan")

    @exclusive
    @requirement("osml.deploy.unknown-node")
    def test_unknown_node(self, ml: MlCommons, expect: Expect) -> None:
        ml.set(CUSTOM_PLAN=True)
        answered = ml.deploy(ml.model(), {"node_ids": [UNKNOWN_ID]})
        expect.error("osml.deploy.unknown-node", answered, 400, "no eligible node found")

    @exclusive
    @requirement("osml.deploy.other-nodes")
    def test_other_nodes_than_it_is_deployed_to(self, ml: MlCommons, expect: Expect) -> None:
        ml.set(CUSTOM_PLAN=True)
        model = ml.model()
        ml.bring_up(model, {"node_ids": list(ml.session.facts.nodes[:1])})
        answered = ml.deploy(model, {"node_ids": [UNKNOWN_ID]})
        expect.error("osml.deploy.other-nodes", answered, 400, "Model already deployed to these nodes")


@exclusive
@requirement("osml.deploy.empty-node-ids")
def test_an_empty_list_of_nodes_means_every_node(ml: MlCommons, expect: Expect) -> None:
    ml.set(CUSTOM_PLAN=True)
    model = ml.model()
    expect.status("osml.deploy.empty-node-ids", ml.deploy(model, {"node_ids": []}), 200)
    ml.settle_state(model, "DEPLOYED")
    planned = ml.get(model).member("planning_worker_nodes") or []
    expect.equal(
        "osml.deploy.empty-node-ids", sorted(planned), sorted(ml.session.facts.nodes), "worker nodes"
    )


class TestTask:
    @requirement("osml.deploy.task")
    def test_the_task_tells_the_model(self, ml: MlCommons, expect: Expect) -> None:
        model = ml.model()
        answered = ml.deploy(model)
        task = ml.await_task(answered) or ml.get_task(str(answered.member("task_id")))
        expect.accepted("osml.deploy.task", task)
        expect.equal("osml.deploy.task", task.member("model_id"), model, "model_id of the task")

    @requirement("osml.task.completed")
    def test_the_task_ends_completed(self, ml: MlCommons, expect: Expect) -> None:
        task = ml.await_task(ml.deploy(ml.model()))
        if task is None:
            raise Untestable("a deploy was answered without task_id, which osml.deploy.answer decides")
        expect.equal("osml.task.completed", task.member("task_type"), "DEPLOY_MODEL", "task_type")
        expect.equal("osml.task.completed", task.member("state"), "COMPLETED", "state")

    @requirement("osml.task.answer")
    def test_the_members_of_a_task(self, ml: MlCommons, expect: Expect) -> None:
        task = ml.await_task(ml.deploy(ml.model()))
        kinds = {"model_id": str, **GOING_ON}
        expect.members("osml.task.answer", None if task is None else task.json, kinds, "the task")

    @requirement("osml.task.unknown")
    def test_an_unknown_task(self, ml: MlCommons, expect: Expect) -> None:
        expect.error("osml.task.unknown", ml.get_task(UNKNOWN_ID), 404, "Failed to find task")
