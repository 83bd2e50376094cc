"""Files of local models: fetched or uploaded in chunks, held to what was told, and used by predict."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlconform.mock_server.parity.served import FileServer, Served, zipped

FILES = Path(__file__).parents[2] / "scenarios/files"
PARTS = {name: (FILES / name).read_bytes() for name in ("tokenizer.json", "idf.json")}
MODEL = zipped(PARTS)
HALVES = (MODEL[: len(MODEL) // 2], MODEL[len(MODEL) // 2 :])
NO_TOKENIZER = zipped({"idf.json": PARTS["idf.json"]})
SERVED = {
    "model.zip": Served(MODEL),
    "text.zip": Served(b"no zip"),
    "gone.zip": Served(b"", 404),
    "lacking.zip": Served(NO_TOKENIZER),
}
BODY = {"version": "1", "function_name": "SPARSE_TOKENIZE", "model_format": "TORCH_SCRIPT"}
PREFIX = "plugins.ml_commons.allow_registering_model_via_"


@pytest.fixture
def ml(make_client: Callable[..., Any]) -> Any:
    client = make_client(behaviour="opensearch-3.4")
    allowed = {PREFIX + "url": True, PREFIX + "local_file": True}
    assert client.put("/_cluster/settings", {"persistent": allowed}).status == 200
    return client


@pytest.fixture
def served() -> Iterator[str]:
    with FileServer(SERVED) as server:
        yield server.url


def hash_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def ended(ml: Any, answer: Any) -> Any:
    ml.time.now += 5
    return ml.get(f"~/tasks/{answer.body['task_id']}").body


def registered(ml: Any, url: str, **changes: Any) -> Any:
    body = {"name": "mine", **BODY, "url": url, "model_content_hash_value": hash_of(MODEL), **changes}
    return ml.post("~/models/_register", body)


def announced(ml: Any, content: bytes = MODEL, chunks: int = 2) -> str:
    body = {"name": "mine", **BODY, "model_content_hash_value": hash_of(content), "total_chunks": chunks}
    return str(ml.post("~/models/_register_meta", body).body["model_id"])


def upload(ml: Any, model: str, number: int, content: bytes) -> None:
    assert ml.send("POST", f"~/models/{model}/upload_chunk/{number}", content).status == 200


def weights(ml: Any, model: str, text: str) -> Any:
    answer = ml.post(f"~/models/{model}/_predict", {"text_docs": [text]}).body
    return answer["inference_results"][0]["output"][0]["dataAsMap"]["response"][0]


def test_a_model_at_a_url_has_the_size_of_its_file(ml: Any, served: str) -> None:
    task = ended(ml, registered(ml, f"{served}/model.zip"))
    read = ml.get(f"~/models/{task['model_id']}").body
    assert (read["model_state"], read["model_content_size_in_bytes"]) == ("REGISTERED", len(MODEL))
    assert read["total_chunks"] == 1


def test_meanwhile_it_is_registering_and_its_file_unknown(ml: Any, served: str) -> None:
    registered(ml, f"{served}/model.zip")
    (hit,) = ml.post("~/models/_search", {"query": {"match_all": {}}}).body["hits"]["hits"]
    read = ml.get(f"~/models/{hit['_id']}").body
    assert read["model_state"] == "REGISTERING"
    assert "model_content_hash_value" not in read


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("model.zip", b"another", "model content changed"),
        ("text.zip", b"no zip", "zip END header not found"),
        ("lacking.zip", NO_TOKENIZER, "No tokenizer file"),
        ("gone.zip", MODEL, "/gone.zip"),
    ],
)
def test_a_file_that_is_no_model_leaves_nothing(
    ml: Any, served: str, file: str, content: bytes, told: str
) -> None:
    answer = registered(ml, f"{served}/{file}", model_content_hash_value=hash_of(content))
    task = ended(ml, answer)
    assert task["state"] == "FAILED"
    assert told in task["error"]
    for kind in ("models", "model_groups"):
        found = ml.post(f"~/{kind}/_search", {"query": {"match_all": {}}}).body
        assert found["hits"]["total"]["value"] == 0


def test_nobody_listens_at_the_url(ml: Any) -> None:
    assert ended(ml, registered(ml, "http://127.0.0.1:9/model.zip"))["error"] == "Connection refused"


def test_a_model_that_is_deleted_meanwhile_is_not_registered(ml: Any, served: str) -> None:
    answer = registered(ml, f"{served}/model.zip")
    (hit,) = ml.post("~/models/_search", {"query": {"match_all": {}}}).body["hits"]["hits"]
    assert ml.delete(f"~/models/{hit['_id']}").status == 200
    assert ended(ml, answer)["error"] == f"[{hit['_id']}]: document missing"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_chunks_may_come_in_any_order(ml: Any, order: tuple[int, int]) -> None:
    model = announced(ml)
    for number in order:
        upload(ml, model, number, HALVES[number])
    assert ended(ml, ml.post(f"~/models/{model}/_deploy"))["state"] == "COMPLETED"
    assert weights(ml, model, "Hello, world models unheard") == {
        "hello": 1.5,
        "world": 2.25,
        "model": 0.5,
        "##s": 0.25,
    }


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({0: HALVES[1], 1: HALVES[0]}, "model content changed"),
        ({0: HALVES[0]}, "Fail to find model chunk {model}_1"),
        ({1: HALVES[1]}, "Failed to deploy model"),
    ],
)
def test_chunks_that_make_no_file_cannot_be_deployed(ml: Any, sent: dict[int, bytes], told: str) -> None:
    model = announced(ml)
    for number, content in sent.items():
        upload(ml, model, number, content)
    task = ended(ml, ml.post(f"~/models/{model}/_deploy"))
    assert (task["state"], told.format(model=model) in task["error"]) == ("FAILED", True)


def test_a_tokenizer_of_another_kind_is_refused_with_what_it_was(ml: Any) -> None:
    other = zipped({"tokenizer.json": b'{"model": {"type": "BPE"}}'})
    model = announced(ml, other, chunks=1)
    upload(ml, model, 0, other)
    task = ended(ml, ml.post(f"~/models/{model}/_deploy"))
    assert r"expects \"WordPiece\" as model.type of a tokenizer, got \"BPE\"" in task["error"]
