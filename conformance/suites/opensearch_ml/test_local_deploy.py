"""Local models in the memory of nodes: pages deploy-model, undeploy-model, get-model and profile."""

from __future__ import annotations

from typing import Any

from mlconform.conformance.contract.model import Contract
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, needs, requirement
from mlconform.conformance.suites.opensearch_ml.api import MlCommons, model_path
from mlconform.conformance.suites.opensearch_ml.local_models import (
    COUNTS,
    LOCAL_ROLES,
    MOST_MODELS,
    ONLY_ML_NODES,
    TEXT,
    LocalModels,
    answered_weights,
    fails_while,
    function_path,
)
from mlconform.conformance.suites.opensearch_ml.test_model_states import STATES
from mlconform.conformance.suites.opensearch_ml.test_undeploy import values_of
from mlconform.conformance.targets.model_file import WEIGHTS
from mlconform.conformance.targets.opensearch_settings import CUSTOM_PLAN

pytestmark = exclusive


class TestAllNodes:
    @requirement("osml.deploy.endpoint", "osml.deploy.in-memory", "osml.deploy.all-nodes")
    def test_it_is_in_the_memory_of_every_node(self, local: LocalModels, expect: Expect) -> None:
        model, nodes = local.uploaded(), local.nodes
        expect.accepted("osml.deploy.endpoint", local.ml.deploy(model))
        settled = local.ml.settle_state(model, "DEPLOYED")
        expect.settles("osml.deploy.in-memory", settled, "DEPLOYED", "model_state after the deploy")
        planned = sorted(local.ml.get(model).member("planning_worker_nodes") or [])
        expect.equal("osml.deploy.all-nodes", planned, nodes, "worker nodes")
        expect.equal(
            "osml.deploy.in-memory", local.settle_memory(model, nodes), nodes, "nodes whose profile has it"
        )
        expect.accepted("osml.deploy.in-memory", local.predict(model))

    @requirement("osml.deploy.answer.status")
    def test_the_answered_status_is_the_documented_one(
        self, local: LocalModels, contract: Contract, expect: Expect
    ) -> None:
        documented = "DEPLOYING" if contract.version == "2.19" else "CREATED"
        answered = local.ml.deploy(local.uploaded())
        # An undeploy beside a deploy that goes on leaves the model in the memory of some nodes.
        local.ended(answered)
        expect.equal("osml.deploy.answer.status", answered.member("status"), documented, "status")

    @requirement("osml.deploy.task", "osml.deploy.task-id", "osml.task.completed", "osml.task.answer")
    def test_the_task(self, local: LocalModels, expect: Expect) -> None:
        model, nodes = local.uploaded(), local.nodes
        task = local.ended(local.ml.deploy(model))
        expect.accepted("osml.deploy.task-id", task)
        expect.equal("osml.deploy.task", task.member("model_id"), model, "model_id of the task")
        expect.equal("osml.task.completed", task.member("task_type"), "DEPLOY_MODEL", "task_type")
        expect.equal("osml.task.completed", task.member("state"), "COMPLETED", "state")
        kinds = {"worker_node": list, "create_time": int, "last_update_time": int, "is_async": bool}
        expect.members("osml.task.answer", task.json, kinds, "the task")
        workers = sorted(task.member("worker_node"))
        expect.equal("osml.task.answer", workers, nodes, "worker_node of the task")


class TestSomeNodes:
    @needs("second node")
    @requirement("osml.deploy.node-ids", "osml.settings.custom-plan")
    def test_the_nodes_named(self, local: LocalModels, expect: Expect) -> None:
        model, nodes = local.uploaded(), local.several_nodes
        local.set({CUSTOM_PLAN: True})
        answered = local.ml.deploy(model, {"node_ids": nodes[:1]})
        expect.accepted("osml.settings.custom-plan", answered)
        expect.accepted("osml.deploy.node-ids", answered)
        local.ended(answered)
        local.ml.settle_state(model, "DEPLOYED", "PARTIALLY_DEPLOYED")
        found = local.settle_memory(model, nodes[:1])
        expect.equal("osml.deploy.node-ids", found, nodes[:1], "nodes whose profile has the model")

    @needs("second node")
    @requirement("osml.get.state.partially-deployed", "osml.get.states", "osml.get.worker-counts")
    def test_some_of_them_have_no_place(self, local: LocalModels, expect: Expect) -> None:
        first, second, nodes = local.uploaded(), local.uploaded(), local.several_nodes
        local.set({CUSTOM_PLAN: True, MOST_MODELS: 1})
        local.ended(local.ml.deploy(first, {"node_ids": nodes[:1]}))
        local.ended(local.ml.deploy(second))
        state = local.ml.settle_state(second, "DEPLOYED", "PARTIALLY_DEPLOYED", "DEPLOY_FAILED").value
        found = local.settle_memory(second, nodes[1:])
        if found != nodes[1:]:
            raise Untestable(f"the model is in the memory of {found}, not of all nodes but the first")
        expect.equal("osml.get.state.partially-deployed", state, "PARTIALLY_DEPLOYED", "model_state")
        expect.one_of("osml.get.states", state, STATES, "model_state")
        planned = (len(nodes), len(nodes) - 1)
        expect.equal("osml.get.worker-counts", local.counts(second), planned, " and ".join(COUNTS))

    @needs("second node")
    @requirement("osml.get.worker-counts")
    def test_how_many_of_them_have_it(self, local: LocalModels, expect: Expect) -> None:
        name, nodes, model = "osml.get.worker-counts", local.several_nodes, local.uploaded()
        local.set({CUSTOM_PLAN: True})
        local.ended(local.ml.deploy(model, {"node_ids": nodes[:1]}))
        expect.settles(name, local.settle_counts(model, (1, 1)), (1, 1), "worker counts, on one node")
        local.ml.take_down(model)
        local.ended(local.ml.deploy(model))
        every = (len(nodes), len(nodes))
        expect.settles(name, local.settle_counts(model, every), every, "worker counts, on every node")
        local.ml.undeploy_many({"model_ids": [model], "node_ids": nodes[:1]})
        rest = (len(nodes) - 1, len(nodes) - 1)
        expect.settles(name, local.settle_counts(model, rest), rest, "worker counts, taken from one")

    @requirement("osml.deploy.unknown-node")
    def test_a_node_that_there_is_not(self, local: LocalModels, expect: Expect) -> None:
        model = local.uploaded()
        local.set({CUSTOM_PLAN: True})
        expect.status("osml.deploy.unknown-node", local.ml.deploy(model, {"node_ids": ["no-such-node"]}), 400)
        expect.equal("osml.deploy.unknown-node", local.ml.state(model), "REGISTERED", "model_state")


class TestSettings:
    @requirement("osml.settings.only-run-on-ml-node")
    def test_only_on_ml_nodes(self, local: LocalModels, expect: Expect) -> None:
        name = "osml.settings.only-run-on-ml-node"
        if not local.ml_nodes:
            fails_while(local, expect, name, {ONLY_ML_NODES: True})
            return
        model = local.uploaded()
        local.set({ONLY_ML_NODES: True})
        local.ended(local.ml.deploy(model))
        nodes = sorted(local.ml_nodes)
        expect.equal(name, local.settle_memory(model, nodes), nodes, "nodes whose profile has the model")

    @requirement("osml.settings.local-roles")
    def test_on_which_nodes_else(self, local: LocalModels, expect: Expect) -> None:
        nodes = sorted(local.session.facts.nodes)
        if local.ml_nodes and sorted(local.ml_nodes) != nodes:
            raise Untestable("where some nodes are ML nodes, the page has it in two ways")
        model = local.uploaded()
        local.set({ONLY_ML_NODES: False, LOCAL_ROLES: None})
        local.ended(local.ml.deploy(model))
        found = local.settle_memory(model, nodes)
        expect.equal("osml.settings.local-roles", found, nodes, "nodes whose profile has the model")
        if not local.ml_nodes:
            fails_while(local, expect, "osml.settings.local-roles", {LOCAL_ROLES: ["ml"]})


class TestUndeploy:
    @requirement("osml.undeploy.endpoint", "osml.undeploy.from-memory", "osml.undeploy.all-nodes")
    def test_it_leaves_the_memory_of_every_node(self, local: LocalModels, expect: Expect) -> None:
        model, nodes = local.deployed(), local.nodes
        local.settle_memory(model, nodes)
        answered = local.ml.undeploy(model)
        expect.accepted("osml.undeploy.endpoint", answered)
        expect.equal("osml.undeploy.all-nodes", sorted(answered.json), nodes, "nodes in the answer")
        settled = local.ml.settle_undeploy(model, budget=5.0)
        expect.settles("osml.undeploy.from-memory", settled, "UNDEPLOYED", "model_state after the undeploy")
        expect.equal(
            "osml.undeploy.from-memory", local.settle_memory(model, []), [], "nodes whose profile has it"
        )
        expect.client_error("osml.undeploy.from-memory", local.predict(model))

    @requirement("osml.undeploy.answer")
    def test_the_answer(self, local: LocalModels, expect: Expect) -> None:
        model, nodes = local.deployed(), local.nodes
        local.settle_memory(model, nodes)
        answered = local.ml.undeploy(model)
        values = values_of(answered, model)
        expect.that(
            "osml.undeploy.answer",
            bool(values) and all(isinstance(value, str) for value in values),
            expected="an object: node id, then stats, then model id, then a string",
            came=answered.summary,
            exchange=answered,
        )

    @requirement("osml.undeploy.model-ids")
    def test_of_several_models(self, local: LocalModels, expect: Expect) -> None:
        models, other = [local.deployed(), local.deployed()], local.deployed()
        expect.accepted("osml.undeploy.model-ids", local.ml.undeploy_many({"model_ids": models}))
        for model in models:
            settled = local.ml.settle_undeploy(model, budget=5.0)
            expect.settles("osml.undeploy.model-ids", settled, "UNDEPLOYED", "model_state of one named")
        state = local.ml.state(other)
        expect.equal("osml.undeploy.model-ids", state, "DEPLOYED", "model_state of one not named")
        expect.accepted("osml.undeploy.model-ids", local.predict(other))

    @needs("second node")
    @requirement("osml.undeploy.node-ids")
    def test_from_the_nodes_named(self, local: LocalModels, expect: Expect) -> None:
        model, nodes = local.deployed(), local.several_nodes
        local.settle_memory(model, nodes)
        local.set({CUSTOM_PLAN: True})
        body = {"model_ids": [model], "node_ids": nodes[:1]}
        expect.accepted("osml.undeploy.node-ids", local.ml.undeploy_many(body))
        found = local.settle_memory(model, nodes[1:], budget=5.0)
        expect.equal("osml.undeploy.node-ids", found, nodes[1:], "nodes whose profile has the model")

    @needs("second node")
    @requirement("osml.undeploy.node-ids")
    def test_from_a_node_that_has_it_not(self, local: LocalModels, expect: Expect) -> None:
        model, nodes = local.uploaded(), local.several_nodes
        local.set({CUSTOM_PLAN: True})
        local.ended(local.ml.deploy(model, {"node_ids": nodes[:1]}))
        local.ml.settle_state(model, "DEPLOYED")
        body = {"model_ids": [model], "node_ids": nodes[1:]}
        expect.accepted("osml.undeploy.node-ids", local.ml.undeploy_many(body))
        found = local.settle_memory(model, nodes[:1])
        expect.equal("osml.undeploy.node-ids", found, nodes[:1], "nodes whose profile has the model")
        state = local.ml.state(model)
        expect.equal("osml.undeploy.node-ids", state, "DEPLOYED", "model_state of one that another node has")

    @requirement("osml.deploy.undo", "osml.undeploy.not-deployed")
    def test_again(self, local: LocalModels, expect: Expect) -> None:
        model = local.deployed()
        local.ml.take_down(model)
        answered = local.ml.undeploy(model)
        expect.status("osml.undeploy.not-deployed", answered, 200)
        values = set(values_of(answered, model))
        expect.equal("osml.undeploy.not-deployed", values, {"not_found"}, "value of one undeployed before")
        expect.status("osml.deploy.undo", local.ml.deploy(model), 200)
        settled = local.ml.settle_state(model, "DEPLOYED")
        expect.settles("osml.deploy.undo", settled, "DEPLOYED", "model_state after the second deploy")


class TestUse:
    @requirement("osml.predict.local.weights")
    def test_the_words_of_each_text(self, local: LocalModels, expect: Expect) -> None:
        model = local.deployed()
        answered = local.ml.predict(model, {"text_docs": [TEXT, "unheard", "Hello hello"]})
        expect.accepted("osml.predict.local.weights", answered)
        expected = [dict(WEIGHTS), {}, {"hello": WEIGHTS["hello"]}]
        expect.equal(
            "osml.predict.local.weights", answered_weights(answered), expected, "weights of the words"
        )

    @requirement("osml.predict.local.not-ready")
    def test_it_is_not_deployed_by_a_predict(self, local: LocalModels, ml: MlCommons, expect: Expect) -> None:
        ml.set(AUTO_DEPLOY=True)
        model = local.uploaded()
        for answered in (local.predict(model), local.predict_by_function(model)):
            expect.status("osml.predict.local.not-ready", answered, 400)
        expect.equal("osml.predict.local.not-ready", local.in_memory_of(model), [], "nodes that have it")
        expect.equal("osml.predict.local.not-ready", ml.state(model), "REGISTERED", "model_state")

    @requirement("osml.predict.local.no-texts")
    def test_it_needs_texts(self, local: LocalModels, expect: Expect) -> None:
        model, post = local.deployed(), local.session.request
        wrong: tuple[dict[str, Any] | None, ...] = ({"text_docs": []}, {}, None)
        for body in wrong:
            for path in (model_path(model, "/_predict"), function_path(model)):
                expect.client_error("osml.predict.local.no-texts", post("POST", path, body))
        strange = post("POST", function_path(model, "no_such_function"), {"text_docs": [TEXT]})
        expect.client_error("osml.predict.local.no-texts", strange)
        expect.accepted("osml.predict.local.no-texts", local.predict(model))

    @requirement("osml.update.local")
    def test_it_is_not_updated(self, local: LocalModels, expect: Expect) -> None:
        waiting, model = local.announced(), local.uploaded()
        for known in (waiting, model, local.deployed()):
            before = local.ml.get(known).json
            expect.status("osml.update.local", local.ml.update(known, {"description": "changed"}), 403)
            expect.equal("osml.update.local", local.ml.get(known).json, before, "the model after the update")

    @requirement("osml.get.worker-counts")
    def test_how_many_nodes_have_it(self, local: LocalModels, expect: Expect) -> None:
        model, nodes = local.deployed(), len(local.nodes)
        expect.equal("osml.get.worker-counts", local.counts(model), (nodes, nodes), " and ".join(COUNTS))
        local.ml.take_down(model)
        expect.equal("osml.get.worker-counts", local.counts(model), (0, 0), " and ".join(COUNTS))

    @requirement("osml.register.next-version")
    def test_two_versions_in_a_group(self, local: LocalModels, expect: Expect) -> None:
        group = local.ml.group()
        versions = [local.ml.get(local.uploaded(model_group_id=group)).member("model_version") for _ in "12"]
        expect.equal("osml.register.next-version", versions, ["1", "2"], "model_version of both")

    @needs("move time")
    @requirement("osml.undeploy.ttl")
    def test_its_time_to_live(self, local: LocalModels, expect: Expect) -> None:
        # Not in chunks: what comes with these and is not about the file is on no page.
        model = local.model(deploy_setting={"model_ttl_minutes": 1})
        local.ml.bring_up(model)
        local.session.let_pass(90, "more than the time to live")
        expect.equal("osml.undeploy.ttl", local.in_memory_of(model), [], "nodes whose profile has the model")
        expect.equal("osml.undeploy.ttl", local.ml.state(model), "UNDEPLOYED", "model_state")

    @requirement("osml.register.field.is_enabled")
    def test_registered_as_disabled(self, local: LocalModels, expect: Expect) -> None:
        model = local.model(is_enabled=False)
        local.ml.bring_up(model)
        read = local.ml.get(model)
        expect.equal("osml.register.field.is_enabled", read.member("is_enabled"), False, "is_enabled")
        expect.client_error("osml.register.field.is_enabled", local.predict(model))

    @requirement("osml.predict.local.by-function")
    def test_at_the_route_that_names_its_function(self, local: LocalModels, expect: Expect) -> None:
        answered = local.predict_by_function(local.deployed())
        expect.accepted("osml.predict.local.by-function", answered)
        kinds = {"inference_results": list}
        expect.members("osml.predict.local.by-function", answered.json, kinds, "the answer")

    @requirement("osml.profile.example", "osml.profile.local")
    def test_the_profile_of_one_that_was_used(
        self, local: LocalModels, ml: MlCommons, expect: Expect
    ) -> None:
        model, nodes = local.deployed(), local.nodes
        local.settle_memory(model, nodes)
        for _ in range(2 * len(nodes)):
            expect.accepted("osml.profile.local", local.predict(model))
        profiles = local.profiles(model)
        expect.equal("osml.profile.local", sorted(profiles), nodes, "nodes in the profile")
        used = [profile for profile in profiles.values() if "predict_request_stats" in profile]
        numbers = dict.fromkeys(("max", "min", "average", "p50", "p90", "p99"), (int, float))
        for profile in profiles.values():
            kinds = {"model_state": str, "predictor": str, "worker_nodes": list}
            expect.members("osml.profile.example", profile, kinds, "the model in a node's profile")
            expect.equal("osml.profile.local", sorted(profile["worker_nodes"]), nodes, "worker_nodes")
        for profile in used:
            stats = profile["predict_request_stats"]
            expect.members("osml.profile.local", stats, {"count": int, **numbers}, "predict_request_stats")
        # A node that passes a call on may count it too.
        counts = [profile["predict_request_stats"]["count"] for profile in used]
        calls = 2 * len(nodes)
        expect.that(
            "osml.profile.local",
            sum(counts) >= calls and max(counts) <= calls,
            expected=f"{calls} predict calls counted by the nodes, by each at most as many",
            came=repr(counts),
        )


@requirement("osml.delete.deployed")
def test_a_deployed_model_is_not_deleted(local: LocalModels, expect: Expect) -> None:
    model = local.deployed()
    expect.status("osml.delete.deployed", local.ml.delete(model), 400)
    expect.accepted("osml.delete.deployed", local.predict(model))


@requirement("osml.delete.safe.ingest-pipeline")
def test_a_model_that_a_pipeline_uses_is_not_deleted(
    local: LocalModels, ml: MlCommons, expect: Expect
) -> None:
    ml.set(SAFE_DELETE=True)
    model = local.uploaded()
    ml.user_of("ingest pipeline", model)
    expect.status("osml.delete.safe.ingest-pipeline", ml.delete(model), 409)
    ml.bring_up(model)
    expect.accepted("osml.delete.safe.ingest-pipeline", local.predict(model))
    ml.take_down(model)
    expect.status("osml.delete.safe.ingest-pipeline", ml.delete(model), 409)


@requirement("osml.delete.gone")
def test_a_model_is_deleted_with_its_file(local: LocalModels, expect: Expect) -> None:
    model = local.deployed()
    local.ml.take_down(model)
    expect.accepted("osml.delete.gone", local.ml.delete(model))
    expect.equal("osml.delete.gone", local.ml.state(model), "absent", "the model")
    answered = local.ml.deploy(model)
    expect.client_error("osml.delete.gone", answered)
