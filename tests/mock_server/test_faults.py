"""Every mutant behaves otherwise than the mock without a fault, in just the way its name says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlconform.mock_server import MUTANTS, Request
from mlconform.mock_server.parity.served import FileServer, Served, zipped

Probe = Callable[[Any], Any]
NUGEN = "/api/v3/models"
FILES = Path(__file__).parents[1] / "scenarios/files"
LOCAL = zipped({name: (FILES / name).read_bytes() for name in ("tokenizer.json", "idf.json")})
HALVES = (LOCAL[:700], LOCAL[700:])
META = {"name": "n", "version": "1", "function_name": "SPARSE_TOKENIZE", "model_format": "TORCH_SCRIPT"}
DEPLOYED, UNDEPLOYED = "alignment-xyz789", "alignment-abc123"


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
    from mlconform.mock_server import Request  # noqa: PLC0415 - the client would stumble over what this looks at

    response = ml.server.handle(Request("GET", "/"))
    return response.body[-1:], dict(response.headers)["content-type"]


def _second_undeploy(ml: Any) -> Any:
    return ml.delete(f"{NUGEN}/undeploy-model/{UNDEPLOYED}").status


def _with_token(header: str) -> Probe:
    def probe(ml: Any) -> Any:
        ml.headers = {"authorization": header}
        return ml.get(f"{NUGEN}/aligned").status

    return probe


def _nugen_undeploy_answer(ml: Any) -> Any:
    return ml.delete(f"{NUGEN}/undeploy-model/{DEPLOYED}").body


def _nugen_after_undeploy(ml: Any) -> Any:
    ml.delete(f"{NUGEN}/undeploy-model/{DEPLOYED}")
    ml.time.now += 1
    return ml.get(f"{NUGEN}/aligned").body["domain_aligned_models"][0]["status"]


def _nugen_message(ml: Any) -> Any:
    ml.delete(f"{NUGEN}/undeploy-model/{DEPLOYED}")
    ml.time.now += 1
    return ml.get(f"{NUGEN}/undeploy-model/{DEPLOYED}/status").body["result"]


def _nugen_unknown(ml: Any) -> Any:
    return ml.delete(f"{NUGEN}/undeploy-model/x").status


def _nugen_infer_undeployed(ml: Any) -> Any:
    return ml.post("/api/v3/inference/completions", {"model": UNDEPLOYED, "prompt": "p"}).status


def _nugen_endpoints(ml: Any) -> Any:
    return [model["endpoint"] is None for model in ml.get(f"{NUGEN}/aligned").body["domain_aligned_models"]]


def _nugen_redeploy(ml: Any) -> Any:
    return ml.post(f"{NUGEN}/deploy-model/{UNDEPLOYED}").status


def _ended(ml: Any, answer: Any) -> Any:
    """What became of the task of this answer, or the refusal."""
    if answer.status != 200:
        return answer.status
    ml.time.now += 2
    return ml.get(f"~/tasks/{answer.body['task_id']}").body["state"]


def _registered_at_url(
    content: bytes = LOCAL, digest: str | None = None, status: int = 200, **settings: Any
) -> Probe:
    def probe(ml: Any) -> Any:
        for name, value in {"allow_registering_model_via_url": True, **settings}.items():
            ml.setting(name, value)
        with FileServer({"m.zip": Served(content, status)}) as server:
            told = digest or hashlib.sha256(content).hexdigest()
            body = {**META, "url": f"{server.url}/m.zip", "model_content_hash_value": told}
            return _ended(ml, ml.post("~/models/_register", body))

    return probe


def _announced(ml: Any, chunks: int = 2) -> str:
    ml.setting("allow_registering_model_via_local_file", True)
    body = {**META, "model_content_hash_value": hashlib.sha256(LOCAL).hexdigest(), "total_chunks": chunks}
    return str(ml.post("~/models/_register_meta", body).body["model_id"])


def _uploaded(ml: Any, *numbers: int) -> str:
    model = _announced(ml)
    for number in numbers or (0, 1):
        ml.send("POST", f"~/models/{model}/upload_chunk/{number}", HALVES[number])
    return model


def _deploy_of_chunks(*numbers: int, **settings: Any) -> Probe:
    def probe(ml: Any) -> Any:
        model = _uploaded(ml, *numbers)
        for name, value in settings.items():
            ml.setting(name, value)
        return _ended(ml, ml.post(f"~/models/{model}/_deploy"))

    return probe


def _local_deployed(ml: Any) -> str:
    model = _uploaded(ml)
    ml.post(f"~/models/{model}/_deploy")
    ml.time.now += 2
    return model


def _local_weights(ml: Any) -> Any:
    return ml.post(f"~/models/{_local_deployed(ml)}/_predict", {"text_docs": ["hello"]}).body


def _local_worker_count(ml: Any) -> Any:
    return ml.get(f"~/models/{_local_deployed(ml)}").body["current_worker_node_count"]


def _local_predict_after_undeploy(ml: Any) -> Any:
    model = _local_deployed(ml)
    ml.post(f"~/models/{model}/_undeploy")
    return ml.post(f"~/models/{model}/_predict", {"text_docs": ["hello"]}).status


def _announce_without_setting(ml: Any) -> Any:
    return ml.post(
        "~/models/_register_meta", {**META, "model_content_hash_value": "0", "total_chunks": 1}
    ).status


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


def _at(ml: Any, node: int, method: str, path: str, body: Any = None) -> Any:
    """What one of several nodes answers."""
    content = b"" if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    path = path.replace("~", "/_plugins/_ml")
    answer = ml.server.handle(Request(method, path, headers=headers, body=content, node=node))
    return answer.status, json.loads(answer.body)


def _predict_at_the_second(ml: Any, model: str) -> Any:
    return _at(ml, 2, "POST", f"~/models/{model}/_predict", {"parameters": {"q": "hello"}})[0]


def _read_at_the_second(ml: Any) -> Any:
    return _at(ml, 2, "GET", f"~/models/{ml.model()}")[0]


def _predict_at_the_second_undeployed(ml: Any) -> Any:
    ml.setting("model_auto_deploy.enable", False)
    model = ml.deployed()
    ml.post(f"~/models/{model}/_undeploy")
    return _predict_at_the_second(ml, model)


def _moved(ml: Any, deed: str) -> None:
    ml.post("/_mock/nodes", {deed: 2})
    ml.time.now += 60


def _after_leaving(*deeds: str, **settings: Any) -> Probe:
    """State and nodes of a model on all nodes after the second left, or came back as well."""

    def probe(ml: Any) -> Any:
        for name, value in settings.items():
            ml.setting(name, value)
        model = ml.deployed()
        for deed in deeds:
            _moved(ml, deed)
        read = ml.get(f"~/models/{model}").body
        return read["model_state"], read["current_worker_node_count"]

    return probe


def _undeployed_after_return(ml: Any) -> Any:
    model = ml.deployed()
    _moved(ml, "stop")
    _moved(ml, "start")
    ml.post(f"~/models/{model}/_undeploy")
    ml.time.now += 60
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


def _embedding_without_config(ml: Any) -> Any:
    ml.setting("allow_registering_model_via_url", True)
    body = {**META, "function_name": "TEXT_EMBEDDING", "url": "http://127.0.0.1:9/m.zip"}
    return ml.post("~/models/_register", {**body, "model_content_hash_value": "0"}).status


def _size_of_fetched(ml: Any) -> Any:
    ml.setting("allow_registering_model_via_url", True)
    with FileServer({"m.zip": Served(LOCAL, 200)}) as server:
        told = hashlib.sha256(LOCAL).hexdigest()
        body = {**META, "url": f"{server.url}/m.zip", "model_content_hash_value": told}
        task = ml.post("~/models/_register", body).body["task_id"]
        ml.time.now += 2
        model = ml.get(f"~/tasks/{task}").body["model_id"]
        return ml.get(f"~/models/{model}").body["model_content_size_in_bytes"]


def _announce_without_hash(ml: Any) -> Any:
    ml.setting("allow_registering_model_via_local_file", True)
    return ml.post("~/models/_register_meta", {**META, "total_chunks": 1}).status


def _chunk_again(ml: Any) -> Any:
    model = _announced(ml)
    for number, content in ((0, b"x" * 700), (0, HALVES[0]), (1, HALVES[1])):
        ml.send("POST", f"~/models/{model}/upload_chunk/{number}", content)
    return _ended(ml, ml.post(f"~/models/{model}/_deploy"))


def _delete_deploying(ml: Any) -> Any:
    model = ml.model()
    ml.post(f"~/models/{model}/_deploy")
    return ml.delete(f"~/models/{model}").status


def _predict_without_texts(ml: Any) -> Any:
    return ml.post(f"~/models/{_local_deployed(ml)}/_predict", {"text_docs": []}).status


def _kept_pipeline(ml: Any) -> Any:
    _use_in_ingest_pipeline(ml, "m")
    return ml.get("/_ingest/pipeline/user").body


def _error_after_connector(ml: Any) -> Any:
    ml.connector()
    return ml.get("~/models/x").body


def _nugen_states(ml: Any) -> Any:
    listed = ml.get(f"{NUGEN}/aligned").body["domain_aligned_models"]
    return [(model["status"], model["deployment_status"]) for model in listed]


def _nugen_pending(ml: Any) -> Any:
    ml.delete(f"{NUGEN}/undeploy-model/{DEPLOYED}")
    return ml.get(f"{NUGEN}/undeploy-model/{DEPLOYED}/status").body["status"]


def _nugen_bad_json(ml: Any) -> Any:
    return ml.post("/api/v3/inference/completions", b"{").status


def _nugen_raw(ml: Any) -> Any:
    headers = {"authorization": "Bearer token"}
    return ml.server.handle(Request("GET", f"{NUGEN}/aligned", headers=headers)).body[-1:]


PROBES: dict[str, Probe] = {
    "group-closed-by-default": _group_of_new,
    "versions-begin-at-two": _group_of_new,
    "model-tells-no-group": lambda ml: "model_group_id" in ml.get(f"~/models/{ml.model()}").body,
    "remote-reads-as-local": lambda ml: ml.get(f"~/models/{ml.model()}").body["algorithm"],
    "registration-deploys": lambda ml: ml.state(ml.model()),
    "guardrail-models-refused": _register_with_guardrail_model,
    "no-url-trusted-by-default": _registered_at_url(),
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
    "hash-ignored": _registered_at_url(digest="0"),
    "file-ignored": _registered_at_url(b"no zip"),
    "fetch-failure-ignored": _registered_at_url(status=404),
    "missing-index-fails": lambda ml: ml.post("~/models/nope/_deploy").status,
    "chunk-lost": _deploy_of_chunks(0, 1),
    "chunks-by-arrival": _deploy_of_chunks(1, 0),
    "registering-shows-registered": lambda ml: ml.state(_announced(ml)),
    "registration-never-ends": _registered_at_url(),
    "deploy-leaves-a-node-out": _local_worker_count,
    "worker-count-lies": _local_worker_count,
    "weights-ignored": _local_weights,
    "undeploy-keeps-memory": _local_predict_after_undeploy,
    "models-unlimited": _deploy_of_chunks(max_model_on_node=0),
    "deploy-tasks-unlimited": _deploy_of_chunks(max_deploy_model_tasks_per_node=0),
    "register-tasks-unlimited": _registered_at_url(max_register_model_tasks_per_node=0),
    "url-setting-ignored": _registered_at_url(allow_registering_model_via_url=False),
    "file-setting-ignored": _announce_without_setting,
    "any-url-trusted": _registered_at_url(trusted_url_regex="^https://nowhere/"),
    "local-models-always-on": _deploy_of_chunks(**{"local_model.enabled": False}),
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
    "nugen-second-undeploy-ok": _second_undeploy,
    "nugen-no-auth": _with_token(""),
    "nugen-any-token": _with_token("Bearer invalid"),
    "nugen-undeploy-answers-object": _nugen_undeploy_answer,
    "nugen-undeploy-changes-nothing": _nugen_after_undeploy,
    "nugen-undeploy-never-finishes": _nugen_after_undeploy,
    "nugen-unknown-is-400": _nugen_unknown,
    "nugen-undeployed-infers": _nugen_infer_undeployed,
    "nugen-endpoint-always": _nugen_endpoints,
    "nugen-no-redeploy": _nugen_redeploy,
    "nugen-wrong-message": _nugen_message,
    "other-nodes-lag": _read_at_the_second,
    "other-nodes-serve-nothing": lambda ml: _predict_at_the_second(ml, ml.deployed()),
    "undeploy-forgets-other-nodes": _predict_at_the_second_undeployed,
    "departed-node-stays": _after_leaving("stop"),
    "returned-node-ignored": _after_leaving("stop", "start"),
    "returned-node-unsettles": _undeployed_after_return,
    "failed-deploy-goes-on": _state_of_failed_deploy,
    "failed-predict-goes-on": _state_of_failed_predict,
    "deleted-model-stays": _profile_of_deleted,
    "failed-call-keeps-memory": _state_after_endpoint_refused,
    "redeploys-unlimited": _after_leaving("stop", "start", **{"model_auto_redeploy.lifetime_retry_times": 1}),
    "heap-threshold-ignored": _deploy_of_chunks(jvm_heap_memory_threshold=0),
    "thresholds-all-or-nothing": _deploy_of_chunks(jvm_heap_memory_threshold=1),
    "only-ml-nodes-ignored": _local_worker_count,
    "config-left-out": _embedding_without_config,
    "size-not-measured": _size_of_fetched,
    "meta-incomplete": _announce_without_hash,
    "first-chunk-stays": _chunk_again,
    "deploying-model-deleted": _delete_deploying,
    "no-texts-answered": _predict_without_texts,
    "pipeline-loses-model": _kept_pipeline,
    "errors-tell-stacks": _error_after_connector,
    "errors-tell-classes": _error_after_connector,
    "errors-tell-credentials": _error_after_connector,
    "nugen-strange-state": _nugen_states,
    "nugen-strange-deployment": _nugen_states,
    "nugen-undeploy-runs": _nugen_pending,
    "nugen-bad-json-is-500": _nugen_bad_json,
    "nugen-truncated-bodies": _nugen_raw,
}

SEVERAL_NODES = (
    "deploy-ignores-node-ids",
    "deploy-leaves-a-node-out",
    "departed-node-stays",
    "only-ml-nodes-ignored",
    "other-nodes-lag",
    "other-nodes-serve-nothing",
    "redeploys-unlimited",
    "returned-node-ignored",
    "returned-node-unsettles",
    "undeploy-forgets-other-nodes",
)


def test_every_mutant_has_a_probe() -> None:
    """Those of a mock with users are probed where its users are tested."""
    assert PROBES.keys() == {name for name, mutant in MUTANTS.items() if not mutant.secured}


@pytest.mark.parametrize("name", sorted(PROBES))
def test_a_mutant_behaves_otherwise(make_client: Callable[..., Any], name: str) -> None:
    def seen(mutant: str | None) -> Any:
        nodes = 2 if name in SEVERAL_NODES else 1
        client = make_client(mutant=mutant, nodes=nodes, ml_nodes=MUTANTS[name].ml_nodes)
        client.headers = {"authorization": "Bearer token"}
        return PROBES[name](client)

    assert seen(name) != seen(None)


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=list(MUTANTS))
def test_a_mutant_says_what_is_wrong_in_one_line(mutant: Any) -> None:
    assert mutant.profile in ("opensearch-ml", "nugen")
    assert mutant.description.endswith(".")
    assert "\n" not in mutant.description
