from __future__ import annotations

from typing import Any

import pytest


def _ingest(ml: Any, name: str, model_id: str) -> str:
    processor = {"ml_inference": {"model_id": model_id, "input_map": [{"q": "text"}]}}
    ml.put(f"/_ingest/pipeline/{name}", {"processors": [processor]})
    return name


def _search(ml: Any, name: str, model_id: str) -> str:
    ml.put(f"/_search/pipeline/{name}", {"request_processors": [{"ml_inference": {"model_id": model_id}}]})
    return name


def _agent(ml: Any, model_id: str) -> str:
    tools = [{"type": "MLModelTool", "name": "t", "parameters": {"model_id": model_id}}]
    return str(ml.post("~/agents/_register", {"name": "a", "type": "flow", "tools": tools}).body["agent_id"])


def test_a_deleted_model_is_gone(ml: Any) -> None:
    model_id = ml.model()
    answer = ml.delete(f"~/models/{model_id}").body
    assert (answer["result"], answer["_id"], answer["_version"]) == ("deleted", model_id, 2)
    gone = ml.get(f"~/models/{model_id}")
    assert ml.reason(gone) == f"Failed to find model with the provided model id: {model_id}"
    assert (gone.status, ml.delete(f"~/models/{model_id}").status) == (404, 404)


@pytest.mark.parametrize("deployed", [0, 1])
def test_a_model_that_is_deploying_or_deployed_is_kept(ml: Any, deployed: int) -> None:
    model_id = ml.model()
    ml.post(f"~/models/{model_id}/_deploy")
    ml.time.now += deployed
    answer = ml.delete(f"~/models/{model_id}")
    assert answer.status == 400
    assert ml.reason(answer).startswith("Model cannot be deleted in deploying or deployed state.")


def test_a_group_goes_with_its_last_version(ml: Any) -> None:
    group_id = ml.post("~/model_groups/_register", {"name": "g"}).body["model_group_id"]
    first, last = ml.model(model_group_id=group_id), ml.model(model_group_id=group_id)
    ml.delete(f"~/models/{first}")
    assert ml.get(f"~/model_groups/{group_id}").status == 200
    ml.delete(f"~/models/{last}")
    assert ml.get(f"~/model_groups/{group_id}").status == 404


def test_without_safe_delete_users_do_not_matter(ml: Any) -> None:
    model_id = ml.model()
    _ingest(ml, "p", model_id)
    assert ml.delete(f"~/models/{model_id}").status == 200


def test_ingest_pipelines_are_counted_and_named(ml: Any) -> None:
    ml.setting("safe_delete_model", True)
    model_id = ml.model()
    for name in ("pipe-a", "pipe-b"):
        _ingest(ml, name, model_id)
    _ingest(ml, "other", "another-model")
    answer = ml.delete(f"~/models/{model_id}")
    assert (answer.status, ml.reason(answer)) == (
        409,
        "2 ingest pipelines are still using this model, please delete or update the pipelines first: "
        "[pipe-a, pipe-b]",
    )


def test_a_search_pipeline_is_named(ml: Any) -> None:
    ml.setting("safe_delete_model", True)
    model_id = ml.model()
    _search(ml, "sp", model_id)
    answer = ml.delete(f"~/models/{model_id}")
    assert answer.status == 409
    assert ml.reason(answer).startswith("1 search pipelines are still using this model")
    assert ml.reason(answer).endswith("[sp]")


def test_an_agent_is_named_by_its_id(ml: Any) -> None:
    ml.setting("safe_delete_model", True)
    model_id = ml.model()
    agent_id = _agent(ml, model_id)
    answer = ml.delete(f"~/models/{model_id}")
    assert answer.status == 409
    assert ml.reason(answer) == (
        "1 agents are still using this model, please delete or update the agents first, "
        f"all visible agents are: [{agent_id}]"
    )


def test_users_of_all_kinds_are_named_in_one_answer(ml: Any) -> None:
    ml.setting("safe_delete_model", True)
    model_id = ml.model()
    names = [_ingest(ml, "ip", model_id), _search(ml, "sp", model_id), _agent(ml, model_id)]
    answer = ml.delete(f"~/models/{model_id}")
    assert answer.status == 409
    assert all(f"[{name}]" in ml.reason(answer) for name in names)


def test_after_the_users_are_gone_the_model_can_go(ml: Any) -> None:
    ml.setting("safe_delete_model", True)
    model_id = ml.model()
    _ingest(ml, "ip", model_id)
    agent_id = _agent(ml, model_id)
    ml.delete("/_ingest/pipeline/ip")
    assert ml.delete(f"~/models/{model_id}").status == 409
    ml.delete(f"~/agents/{agent_id}")
    assert ml.delete(f"~/models/{model_id}").status == 200


def test_a_nested_processor_counts_as_a_user(ml: Any) -> None:
    ml.setting("safe_delete_model", True)
    model_id = ml.model()
    inner = {"foreach": {"field": "f", "processor": {"ml_inference": {"model_id": model_id}}}}
    ml.put("/_ingest/pipeline/deep", {"processors": [inner]})
    assert ml.delete(f"~/models/{model_id}").status == 409


def test_pipelines_can_be_read_by_name_and_pattern(ml: Any) -> None:
    _ingest(ml, "ip-1", "m")
    assert list(ml.get("/_ingest/pipeline/ip-*").body) == ["ip-1"]
    assert list(ml.get("/_ingest/pipeline").body) == ["ip-1"]
    missing = ml.get("/_ingest/pipeline/nope")
    assert (missing.status, missing.body) == (404, {})
    assert ml.delete("/_ingest/pipeline/nope").status == 404


def test_an_ingest_pipeline_needs_processors(ml: Any) -> None:
    answer = ml.put("/_ingest/pipeline/p", {"description": "d"})
    assert (answer.status, ml.reason(answer)) == (400, "[processors] required property is missing")
