"""Models that a client uploads itself, chunk by chunk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

CHUNK = b"\x00\xff"
META = {
    "name": "mine",
    "version": "1.0.0",
    "model_format": "TORCH_SCRIPT",
    "model_content_hash_value": hashlib.sha256(CHUNK).hexdigest(),
    "model_content_size_in_bytes": 15_000_000,
    "total_chunks": 2,
    "model_config": {
        "model_type": "bert",
        "embedding_dimension": 3,
        "framework_type": "sentence_transformers",
    },
}


@pytest.fixture
def ml(make_client: Callable[..., Any]) -> Any:
    client = make_client(behaviour="opensearch-2.19")
    allowed = {"plugins.ml_commons.allow_registering_model_via_local_file": True}
    assert client.put("/_cluster/settings", {"persistent": allowed}).status == 200
    return client


def registered(ml: Any, **changes: Any) -> str:
    answer = ml.post("~/models/_register_meta", META | changes)
    assert answer.body == {"model_id": answer.body["model_id"], "status": "CREATED"}
    return str(answer.body["model_id"])


def upload(ml: Any, model_id: str, number: object, content: bytes = CHUNK) -> Any:
    return ml.send("POST", f"~/models/{model_id}/upload_chunk/{number}", content)


def test_a_model_is_whole_after_its_last_chunk(ml: Any) -> None:
    model_id = registered(ml)
    assert ml.get(f"~/models/{model_id}").body["model_state"] == "REGISTERING"
    assert upload(ml, model_id, 0).body == {"status": "Uploaded"}
    assert ml.get(f"~/models/{model_id}").body["model_state"] == "REGISTERING"
    assert upload(ml, model_id, 1).body == {"status": "Uploaded"}
    shown = ml.get(f"~/models/{model_id}").body
    assert (shown["model_state"], shown["total_chunks"]) == ("REGISTERED", 2)
    assert shown["model_content_size_in_bytes"] == 15_000_000


def test_an_uploaded_model_is_deployed_and_used(ml: Any) -> None:
    model_id = registered(ml, total_chunks=1)
    upload(ml, model_id, 0)
    ml.post(f"~/models/{model_id}/_deploy")
    ml.time.now += 5
    assert ml.get(f"~/models/{model_id}").body["model_state"] == "DEPLOYED"
    answer = ml.post(f"~/models/{model_id}/_predict", {"text_docs": ["a"]})
    assert answer.body["inference_results"][0]["output"][0]["shape"] == [3]


def test_a_model_that_misses_chunks_can_not_be_deployed(ml: Any) -> None:
    model_id = registered(ml)
    ml.post(f"~/models/{model_id}/_deploy")
    ml.time.now += 5
    assert ml.get(f"~/models/{model_id}").body["model_state"] == "DEPLOY_FAILED"


@pytest.mark.parametrize("name", ["model_format", "model_content_hash_value", "model_config", "total_chunks"])
def test_what_is_needed(ml: Any, name: str) -> None:
    answer = ml.post("~/models/_register_meta", {key: value for key, value in META.items() if key != name})
    assert answer.status == 400
    assert answer.body["error"]["reason"].endswith("is null")


@pytest.mark.parametrize(
    ("number", "content", "status", "reason"),
    [
        (2, b"x", 500, "Chunk number exceeds total chunks"),
        (0, b"", 500, "Chunk size either 0 or null"),
        (0, b"x" * 10_000_001, 500, "Chunk size exceeds 10MB"),
        ("one", b"x", 400, 'For input string: "one"'),
    ],
)
def test_a_chunk_that_is_refused(ml: Any, number: object, content: bytes, status: int, reason: str) -> None:
    answer = upload(ml, registered(ml), number, content)
    assert (answer.status, answer.body["error"]["reason"]) == (status, reason)


def test_a_chunk_of_no_model(ml: Any) -> None:
    assert upload(ml, "none", 0).body["error"]["type"] == "m_l_resource_not_found_exception"


def test_uploads_are_off_unless_they_are_allowed(make_client: Callable[..., Any]) -> None:
    ml = make_client()
    for answer in (ml.post("~/models/_register_meta", META), upload(ml, "any", 0)):
        assert "allow_registering_model_via_local_file" in answer.body["error"]["reason"]


def test_the_last_chunk_takes_the_description_away(ml: Any) -> None:
    model_id = registered(ml, description="d")
    upload(ml, model_id, 0)
    assert ml.get(f"~/models/{model_id}").body["description"] == "d"
    upload(ml, model_id, 1)
    assert "description" not in ml.get(f"~/models/{model_id}").body


def test_a_chunk_may_be_as_large_as_is_allowed(ml: Any) -> None:
    assert upload(ml, registered(ml), 0, b"x" * 10_000_000).status == 200
