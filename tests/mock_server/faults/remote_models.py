"""How the faults of remote models, their users and answers show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlconform.mock_server import Request

Probe = Callable[[Any], Any]


def _deploy_state(ml: Any) -> Any:
    return ml.state(ml.deployed())


def _nodes_of_custom_deploy(ml: Any) -> Any:
    ml.setting("allow_custom_deployment_plan", True)
    first = next(iter(ml.get("/_nodes").body["nodes"]))
    model_id = ml.model()
    ml.post(f"~/models/{model_id}/_deploy", {"node_ids": [first]})
    ml.time.now += 1
    return ml.get(f"~/models/{model_id}").body["current_worker_node_count"]


def _plan_without_setting(ml: Any) -> Any:
    first = next(iter(ml.get("/_nodes").body["nodes"]))
    return ml.post(f"~/models/{ml.model()}/_deploy", {"node_ids": [first]}).status


def _deploy_task(ml: Any) -> Any:
    task_id = ml.post(f"~/models/{ml.model()}/_deploy").body["task_id"]
    ml.time.now += 1
    task = ml.get(f"~/tasks/{task_id}").body
    return task["state"], "model_id" in task


def _deploy_answer(ml: Any) -> Any:
    return ml.post(f"~/models/{ml.model()}/_deploy").body["status"]


def _predict_undeployed(ml: Any) -> Any:
    return ml.predict(ml.model()).status


def _predict_undeployed_with_setting_off(ml: Any) -> Any:
    ml.setting("model_auto_deploy.enable", False)
    return ml.predict(ml.model()).status


def _state_after_restart(ml: Any) -> Any:
    model_id = ml.deployed()
    ml.post("/_mock/restart")
    return ml.state(model_id)


def _state_long_after_restart(ml: Any) -> Any:
    model_id = ml.deployed()
    ml.post("/_mock/restart")
    ml.time.now += 60
    return ml.state(model_id)


def _state_after_undeploy(ml: Any) -> Any:
    model_id = ml.deployed()
    ml.post(f"~/models/{model_id}/_undeploy")
    return ml.state(model_id)


def _undeploy_answer(ml: Any) -> Any:
    model_id = ml.deployed()
    (node,) = ml.post(f"~/models/{model_id}/_undeploy").body.values()
    return node["stats"][model_id]


def _after_ttl(seconds: float) -> Probe:
    def probe(ml: Any) -> Any:
        model_id = ml.deployed(deploy_setting={"model_ttl_minutes": 2})
        ml.time.now += seconds
        return ml.state(model_id)

    return probe


def _after_use(use: Callable[[Any, str], Any]) -> Probe:
    def probe(ml: Any) -> Any:
        model_id = ml.deployed(deploy_setting={"model_ttl_minutes": 1})
        ml.time.now += 50
        use(ml, model_id)
        ml.time.now += 30
        return ml.state(model_id)

    return probe


def _delete_deployed(ml: Any) -> Any:
    return ml.delete(f"~/models/{ml.deployed()}").status


def _read_deleted(ml: Any) -> Any:
    model_id = ml.model()
    assert ml.delete(f"~/models/{model_id}").body["result"] == "deleted"
    return ml.get(f"~/models/{model_id}").status


def _delete_answer(ml: Any) -> Any:
    return set(ml.delete(f"~/models/{ml.model()}").body)


def _update_answer(ml: Any) -> Any:
    return set(ml.put(f"~/models/{ml.model()}", {"name": "n"}).body)


def _group_of_deleted(ml: Any) -> Any:
    model = ml.get(f"~/models/{(model_id := ml.model())}").body
    ml.delete(f"~/models/{model_id}")
    return ml.get(f"~/model_groups/{model['model_group_id']}").status


def _use_in_ingest_pipeline(ml: Any, model_id: str) -> None:
    ml.put("/_ingest/pipeline/user", {"processors": [{"ml_inference": {"model_id": model_id}}]})


def _use_in_search_pipeline(ml: Any, model_id: str) -> None:
    ml.put("/_search/pipeline/user", {"request_processors": [{"ml_inference": {"model_id": model_id}}]})


def _use_in_agent(ml: Any, model_id: str) -> None:
    tools = [{"type": "MLModelTool", "parameters": {"model_id": model_id}}]
    ml.post("~/agents/_register", {"name": "a", "type": "flow", "tools": tools})


def _delete_used(use: Callable[[Any, str], None], *, setting: bool = True) -> Probe:
    def probe(ml: Any) -> Any:
        if setting:
            ml.setting("safe_delete_model", True)
        model_id = ml.model()
        use(ml, model_id)
        answer = ml.delete(f"~/models/{model_id}")
        return answer.status, "user" in str(answer.body)

    return probe


def _ttl_after_update_of_it(ml: Any) -> Any:
    model_id = ml.model()
    ml.put(f"~/models/{model_id}", {"deploy_setting": {"model_ttl_minutes": 7}})
    return ml.get(f"~/models/{model_id}").body.get("deploy_setting")


def _after_update(name: str) -> Probe:
    def probe(ml: Any) -> Any:
        model_id = ml.model(description="d", deploy_setting={"model_ttl_minutes": 1})
        ml.put(f"~/models/{model_id}", {"name": "n"})
        return ml.get(f"~/models/{model_id}").body.get(name)

    return probe


def _results_of_two_deletes(ml: Any) -> Any:
    def race(seed: int) -> list[Any]:
        delete = Request("DELETE", f"/_plugins/_ml/models/{ml.model()}")
        return [answer.body for answer in ml.server.handle_at_once([delete] * 2, seed=seed)]

    return [body.count(b'"deleted"') for seed in range(10) for body in race(seed)]


def _statuses_of_two_registrations(ml: Any) -> Any:
    group = ml.post("~/model_groups/_register", {"name": "g"}).body["model_group_id"]
    body = {"name": "m", "function_name": "remote", "connector_id": ml.connector(), "model_group_id": group}

    def register() -> int:
        return int(ml.post("~/models/_register", body).status)

    return [ml.server.at_once([register] * 2, seed=seed) for seed in range(10)]


def _name_after_rejected_update(ml: Any) -> Any:
    model_id = ml.model()
    assert ml.put(f"~/models/{model_id}", {"name": "n", "model_group_id": "nope"}).status == 404
    return ml.get(f"~/models/{model_id}").body["name"]


def _update_connector_of_deployed(ml: Any) -> Any:
    connector_id = ml.get(f"~/models/{ml.deployed()}").body["connector_id"]
    return ml.put(f"~/connectors/{connector_id}", {"description": "x"}).status


def _interface_after_nulls(ml: Any) -> Any:
    model_id = ml.model(interface={"input": {}})
    ml.put(f"~/models/{model_id}", {"interface": {"input": None, "output": None}})
    return "interface" in ml.get(f"~/models/{model_id}").body


def _predict_disabled(ml: Any) -> Any:
    return ml.predict(ml.deployed(is_enabled=False)).status


def _predict_twice_with_limit(ml: Any) -> Any:
    model_id = ml.deployed(rate_limiter={"limit": 1, "unit": "DAYS"})
    return [ml.predict(model_id).status for _ in range(2)]


def _limit_per_nanosecond(ml: Any) -> Any:
    return ml.put(f"~/models/{ml.model()}", {"rate_limiter": {"limit": 1, "unit": "NANOSECONDS"}}).status


def _predict_against_interface(ml: Any) -> Any:
    return ml.predict(ml.deployed(interface={"input": {"required": ["zzz"]}})).status


def _error(ml: Any) -> Any:
    return set(ml.get("~/models/x").body["error"])


def _bad_json(ml: Any) -> Any:
    return ml.put("~/models/x", b"{").status


def _raw(ml: Any) -> Any:
    response = ml.server.handle(Request("GET", "/"))
    return response.body[-1:], dict(response.headers)["content-type"]


def _group_of_new(ml: Any) -> Any:
    model = ml.get(f"~/models/{ml.model()}").body
    group = ml.get(f"~/model_groups/{model.get('model_group_id')}")
    return group.body.get("access"), group.body.get("latest_version")


def _register_with_guardrail_model(ml: Any) -> Any:
    guardrails = {"type": "model", "input_guardrail": {"model_id": ml.model()}}
    body = {"name": "g", "function_name": "remote", "connector_id": ml.connector(), "guardrails": guardrails}
    return ml.post("~/models/_register", body).status


def _state_with_ttl_and_no_sync_up(ml: Any) -> Any:
    ml.setting("sync_up_job_interval_in_seconds", 0)
    model = ml.deployed(deploy_setting={"model_ttl_minutes": 1})
    ml.time.now += 180
    return ml.state(model)


def _without_connector(ml: Any) -> str:
    connector = ml.connector()
    model = str(ml.model(connector_id=connector))
    ml.put(f"~/models/{model}", {"connector_id": "nope"})
    return model


def _state_of_failed_deploy(ml: Any) -> Any:
    model = _without_connector(ml)
    ml.post(f"~/models/{model}/_deploy")
    ml.time.now += 1
    return ml.state(model)


def _profile_of_deleted(ml: Any) -> Any:
    model_id = ml.model()
    ml.predict(model_id)
    ml.delete(f"~/models/{model_id}")
    return len(ml.get("~/profile/models").body)


def _state_of_failed_predict(ml: Any) -> Any:
    model = _without_connector(ml)
    ml.predict(model)
    ml.time.now += 1
    return ml.state(model)


def _state_after_endpoint_refused(ml: Any) -> Any:
    model = ml.deployed_with_action(url="http://127.0.0.1:1/x")
    assert ml.predict(model).status == 500
    ml.post(f"~/models/{model}/_undeploy")
    return ml.state(model)


def _delete_deploying(ml: Any) -> Any:
    model = ml.model()
    ml.post(f"~/models/{model}/_deploy")
    return ml.delete(f"~/models/{model}").status


def _kept_pipeline(ml: Any) -> Any:
    _use_in_ingest_pipeline(ml, "m")
    return ml.get("/_ingest/pipeline/user").body


def _error_after_connector(ml: Any) -> Any:
    ml.connector()
    return ml.get("~/models/x").body


PROBES: dict[str, Probe] = {
    "group-closed-by-default": _group_of_new,
    "versions-begin-at-two": _group_of_new,
    "model-tells-no-group": lambda ml: "model_group_id" in ml.get(f"~/models/{ml.model()}").body,
    "remote-reads-as-local": lambda ml: ml.get(f"~/models/{ml.model()}").body["algorithm"],
    "registration-deploys": lambda ml: ml.state(ml.model()),
    "guardrail-models-refused": _register_with_guardrail_model,
    "missing-index-breaks-reads": lambda ml: ml.get("~/models/nope").status,
    "missing-index-breaks-searches": lambda ml: ml.post("~/agents/_search", {}).status,
    "missing-index-breaks-updates": lambda ml: ml.put("~/model_groups/nope", {"name": "n"}).status,
    "zero-interval-syncs": _state_with_ttl_and_no_sync_up,
    "deploy-never-finishes": _deploy_state,
    "deploy-ignores-node-ids": _nodes_of_custom_deploy,
    "deploy-plan-setting-ignored": _plan_without_setting,
    "deploy-task-names-no-model": _deploy_task,
    "deploy-task-never-completes": _deploy_task,
    "deploy-answers-started": _deploy_answer,
    "auto-deploy-ignored": _predict_undeployed,
    "auto-deploy-not-disabled": _predict_undeployed_with_setting_off,
    "restart-keeps-models": _state_after_restart,
    "auto-redeploy-ignored": _state_long_after_restart,
    "missing-index-fails": lambda ml: ml.post("~/models/nope/_deploy").status,
    "undeploy-changes-nothing": _state_after_undeploy,
    "undeploy-says-removed": _undeploy_answer,
    "ttl-ignored": _after_ttl(131),
    "ttl-minute-early": _after_ttl(110),
    "ttl-minute-late": _after_ttl(131),
    "ttl-not-renewed": _after_use(lambda ml, model_id: ml.predict(model_id)),
    "ttl-renewed-by-read": _after_use(lambda ml, model_id: ml.state(model_id)),
    "sync-interval-default-hour": _after_ttl(131),
    "delete-deployed-succeeds": _delete_deployed,
    "delete-keeps-model": _read_deleted,
    "delete-without-seq-no": _delete_answer,
    "group-survives-last-version": _group_of_deleted,
    "safe-delete-default-on": _delete_used(_use_in_ingest_pipeline, setting=False),
    "safe-delete-ignores-ingest-pipelines": _delete_used(_use_in_ingest_pipeline),
    "safe-delete-ignores-search-pipelines": _delete_used(_use_in_search_pipeline),
    "safe-delete-ignores-agents": _delete_used(_use_in_agent),
    "conflict-names-no-pipeline": _delete_used(_use_in_search_pipeline),
    "conflict-is-400": _delete_used(_use_in_search_pipeline),
    "update-loses-ttl": _ttl_after_update_of_it,
    "update-drops-ttl": _after_update("deploy_setting"),
    "update-loses-description": _after_update("description"),
    "update-without-seq-no": _update_answer,
    "second-delete-says-deleted": _results_of_two_deletes,
    "group-counts-version-twice": _statuses_of_two_registrations,
    "rejected-update-half-done": _name_after_rejected_update,
    "deployed-connector-updates": _update_connector_of_deployed,
    "interface-nulls-kept": _interface_after_nulls,
    "disabled-still-predicts": _predict_disabled,
    "rate-limit-ignored": _predict_twice_with_limit,
    "rate-limit-unit-missing": _limit_per_nanosecond,
    "interface-not-checked": _predict_against_interface,
    "error-without-root-cause": _error,
    "bad-json-is-500": _bad_json,
    "truncated-bodies": _raw,
    "wrong-content-type": _raw,
    "failed-deploy-goes-on": _state_of_failed_deploy,
    "failed-predict-goes-on": _state_of_failed_predict,
    "deleted-model-stays": _profile_of_deleted,
    "failed-call-keeps-memory": _state_after_endpoint_refused,
    "deploying-model-deleted": _delete_deploying,
    "pipeline-loses-model": _kept_pipeline,
    "errors-tell-stacks": _error_after_connector,
    "errors-tell-classes": _error_after_connector,
    "errors-tell-credentials": _error_after_connector,
}
