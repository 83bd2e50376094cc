"""How to: begin a test from a state that was kept, dumped and loaded as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest


def test_a_state_is_taken_from_one_mock_to_another(make_client: Callable[..., Any]) -> None:
    first = make_client(nodes=3)
    group = first.post("~/model_groups/_register", {"name": "g"}).body["model_group_id"]
    model_id = first.deployed(
        model_group_id=group,
        deploy_setting={"model_ttl_minutes": 1},
        rate_limiter={"limit": 9, "unit": "MINUTES"},
        interface={"input": {"type": "object"}},
    )
    first.setting("safe_delete_model", True)
    first.put("/_ingest/pipeline/p", {"processors": [{"ml_inference": {"model_id": model_id}}]})
    first.put("/words/_doc/1", {"title": "bad"})
    kept = json.dumps(first.get("/_mock/state").body)

    second = make_client(nodes=3, seed=7)
    second.time.now = first.time.now
    assert second.put("/_mock/state", kept.encode()).body == {"loaded": ["nugen", "opensearch-ml"]}
    before, after = (client.get(f"~/models/{model_id}").body for client in (first, second))
    assert set(after.pop("planning_worker_nodes")) == set(second.get("/_nodes").body["nodes"])
    before.pop("planning_worker_nodes")
    assert after == before
    assert second.predict(model_id).status == 200
    assert second.get("/words/_doc/1").body["_source"] == {"title": "bad"}
    second.post(f"~/models/{model_id}/_undeploy")
    assert second.delete(f"~/models/{model_id}").status == 409


def test_what_was_under_way_goes_on(make_client: Callable[..., Any]) -> None:
    first, second = make_client(), make_client()
    model_id = first.model()
    first.post(f"~/models/{model_id}/_deploy")
    local = {"name": "huggingface/x", "version": "1", "model_format": "ONNX"}
    task_id = first.post("~/models/_register", local).body["task_id"]
    second.put("/_mock/state", first.get("/_mock/state").body)
    assert second.state(model_id) == "DEPLOYING"
    second.time.now += 1
    assert second.state(model_id) == "DEPLOYED"
    assert second.get(f"~/tasks/{task_id}").body["state"] == "COMPLETED"


def test_a_ttl_goes_on(make_client: Callable[..., Any]) -> None:
    first, second = make_client(), make_client()
    model_id = first.deployed(deploy_setting={"model_ttl_minutes": 1})
    second.put("/_mock/state", first.get("/_mock/state").body)
    second.time.now = first.time.now + 80
    assert second.state(model_id) == "UNDEPLOYED"


def test_a_group_of_a_loaded_state_has_its_name(make_client: Callable[..., Any]) -> None:
    first, second = make_client(), make_client()
    first.post("~/model_groups/_register", {"name": "g"})
    second.put("/_mock/state", first.get("/_mock/state").body)
    assert second.post("~/model_groups/_register", {"name": "g"}).status == 400


NODE = [{"id": "a"}]
DEEP = json.loads('{"a":' * 600 + "1" + "}" * 600)


@pytest.mark.parametrize(
    "profiles",
    [
        5,
        {"nope": {}},
        {"opensearch-ml": 5},
        {"opensearch-ml": {}},
        {"opensearch-ml": {"nodes": NODE, "indices": 5}},
        {"opensearch-ml": {"nodes": NODE, "indices": {".plugins-ml-model": 5}}},
        {"opensearch-ml": {"nodes": NODE, "indices": {".plugins-ml-model": {"x": {"id": 5}}}}},
        {"opensearch-ml": {"nodes": NODE, "indices": {".plugins-ml-model": {"x": {"id": "x"}}}}},
        {"opensearch-ml": {"nodes": NODE, "indices": {".plugins-ml-task": {"x": {"state": "NO"}}}}},
        {"opensearch-ml": {"nodes": NODE, "settings": {"persistent": {"nope": 1}}}},
        {"opensearch-ml": {"nodes": NODE, "work": {"deployments": [{}]}}},
        {"opensearch-ml": {"nodes": NODE, "counts": {"models": {"m": 1}}}},
        {"opensearch-ml": {"nodes": NODE, "throttle": {"m": {}}}},
        {"opensearch-ml": {"nodes": NODE, "indices": {"i": {}}, "standings": {"i": {"x": []}}}},
        {"opensearch-ml": {"nodes": NODE, "indices": {"i": {"x": DEEP}}}},
        {"nugen": {"models": {}}},
    ],
)
def test_what_is_no_state_is_refused_and_changes_nothing(ml: Any, profiles: Any) -> None:
    model_id = ml.model()
    answer = ml.put("/_mock/state", {"profiles": profiles})
    assert answer.status == 400
    assert any(word in answer.body["error"] for word in ("expected", "missing", "not recognized"))
    assert ml.state(model_id) == "REGISTERED"


def test_ids_of_a_loaded_state_are_not_made_again(make_client: Callable[..., Any]) -> None:
    first, second = make_client(), make_client()
    taken = first.post("~/model_groups/_register", {"name": "g"}).body["model_group_id"]
    second.put("/_mock/state", first.get("/_mock/state").body)
    assert second.post("~/model_groups/_register", {"name": "h"}).body["model_group_id"] != taken
    assert second.get(f"~/model_groups/{taken}").body["name"] == "g"


def test_what_was_counted_goes_on(make_client: Callable[..., Any]) -> None:
    first, second = make_client(nodes=2), make_client(nodes=2, seed=7)
    model_id = first.deployed(rate_limiter={"limit": 1, "unit": "DAYS"})
    assert first.predict(model_id).status == 200
    second.time.now = first.time.now
    second.put("/_mock/state", first.get("/_mock/state").body)
    stats = (client.get("~/stats/ml_request_count").body for client in (first, second))
    before, after = (sorted(node["ml_request_count"] for node in shown.values()) for shown in stats)
    assert after == before
    assert after[-1] > 0
    assert second.predict(model_id).status == 429


def test_a_client_writes_to_no_index_of_the_mock(make_client: Callable[..., Any]) -> None:
    client = make_client()
    assert client.put("/.plugins-ml-model/_doc/1", {"a": 1}).status == 400
    kept = client.get("/_mock/state").body
    assert make_client().put("/_mock/state", kept).status == 200
