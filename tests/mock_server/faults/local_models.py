"""How the faults of models that live in memory show."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlconform.mock_server.parity.served import FileServer, Served, zipped

Probe = Callable[[Any], Any]
FILES = Path(__file__).parents[2] / "scenarios/files"
LOCAL = zipped({name: (FILES / name).read_bytes() for name in ("tokenizer.json", "idf.json")})
HALVES = (LOCAL[:700], LOCAL[700:])
META = {"name": "n", "version": "1", "function_name": "SPARSE_TOKENIZE", "model_format": "TORCH_SCRIPT"}


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


def _predict_without_texts(ml: Any) -> Any:
    return ml.post(f"~/models/{_local_deployed(ml)}/_predict", {"text_docs": []}).status


PROBES: dict[str, Probe] = {
    "no-url-trusted-by-default": _registered_at_url(),
    "hash-ignored": _registered_at_url(digest="0"),
    "file-ignored": _registered_at_url(b"no zip"),
    "fetch-failure-ignored": _registered_at_url(status=404),
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
    "heap-threshold-ignored": _deploy_of_chunks(jvm_heap_memory_threshold=0),
    "thresholds-all-or-nothing": _deploy_of_chunks(jvm_heap_memory_threshold=1),
    "only-ml-nodes-ignored": _local_worker_count,
    "config-left-out": _embedding_without_config,
    "size-not-measured": _size_of_fetched,
    "meta-incomplete": _announce_without_hash,
    "first-chunk-stays": _chunk_again,
    "no-texts-answered": _predict_without_texts,
}
