"""Models that run on the nodes: registered and deployed by tasks, answering in the right shapes."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Callable
from typing import Any

import pytest

NAME = "huggingface/sentence-transformers/all-MiniLM-L6-v2"
LOCAL = {"name": NAME, "version": "1.0.1", "model_format": "TORCH_SCRIPT"}


def _register(ml: Any, query: str = "", **fields: Any) -> str:
    answer = ml.post(f"~/models/_register{query}", {**LOCAL, **fields})
    assert answer.status == 200, answer.body
    ml.time.now += 1
    return str(ml.get(f"~/tasks/{answer.body['task_id']}").body["model_id"])


def _deployed(ml: Any, **fields: Any) -> str:
    model_id = _register(ml, **fields)
    ml.post(f"~/models/{model_id}/_deploy")
    ml.time.now += 1
    return model_id


def _predict(ml: Any, model_id: str, body: Any) -> Any:
    answer = ml.post(f"~/models/{model_id}/_predict", body)
    assert answer.status == 200, answer.body
    return [result["output"] for result in answer.body["inference_results"]]


def test_a_registration_is_a_task_that_tells_the_model_when_it_is_done(ml: Any) -> None:
    answer = ml.post("~/models/_register", LOCAL)
    assert set(answer.body) == {"task_id", "status"}
    task = ml.get(f"~/tasks/{answer.body['task_id']}").body
    assert (task["state"], "model_id" in task) == ("CREATED", False)
    ml.time.now += 0.15
    assert ml.get(f"~/tasks/{answer.body['task_id']}").body["state"] == "RUNNING"
    ml.time.now += 0.1
    task = ml.get(f"~/tasks/{answer.body['task_id']}").body
    assert (task["state"], task["task_type"], task["is_async"]) == ("COMPLETED", "REGISTER_MODEL", True)
    model = ml.get(f"~/models/{task['model_id']}").body
    assert (model["name"], model["algorithm"], model["model_format"]) == (
        NAME,
        "TEXT_EMBEDDING",
        "TORCH_SCRIPT",
    )
    assert (model["model_state"], model["model_config"]["embedding_dimension"]) == ("REGISTERED", 384)
    assert model["total_chunks"] == math.ceil(model["model_content_size_in_bytes"] / 10_000_000)


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [
        ("amazon/neural-sparse/opensearch-neural-sparse-encoding-v1", "SPARSE_ENCODING"),
        ("amazon/neural-sparse/opensearch-neural-sparse-tokenizer-v1", "SPARSE_TOKENIZE"),
        ("huggingface/cross-encoders/ms-marco-MiniLM-L-6-v2", "TEXT_SIMILARITY"),
    ],
)
def test_a_pretrained_model_says_itself_what_it_is_for(ml: Any, name: str, algorithm: str) -> None:
    assert ml.get(f"~/models/{_register(ml, name=name)}").body["algorithm"] == algorithm


def test_a_name_that_is_offered_nowhere_fails_the_task(ml: Any) -> None:
    task_id = ml.post("~/models/_register", {**LOCAL, "name": "mine"}).body["task_id"]
    ml.time.now += 1
    task = ml.get(f"~/tasks/{task_id}").body
    assert (task["state"], "model_id" in task) == ("FAILED", False)
    assert "pre-trained model list" in task["error"]


def test_it_is_deployed_to_every_node_after_a_while(make_client: Callable[..., Any]) -> None:
    ml = make_client(nodes=3)
    model_id = _register(ml)
    ml.post(f"~/models/{model_id}/_deploy")
    assert ml.state(model_id) == "DEPLOYING"
    ml.time.now += 1
    model = ml.get(f"~/models/{model_id}").body
    assert (model["model_state"], model["current_worker_node_count"]) == ("DEPLOYED", 3)


def test_registered_with_deploy_it_is_deployed_when_the_file_is_there(ml: Any) -> None:
    model_id = _register(ml, "?deploy=true")
    ml.time.now += 1
    assert ml.state(model_id) == "DEPLOYED"


def test_predict_does_not_deploy_it(ml: Any) -> None:
    answer = ml.post(f"~/models/{_register(ml)}/_predict", {"text_docs": ["x"]})
    assert (answer.status, ml.reason(answer)) == (400, "Model not ready yet. Please deploy the model first.")


def test_a_text_has_one_embedding_of_length_one(ml: Any) -> None:
    body = {"text_docs": ["first", "second", "first"], "target_response": ["sentence_embedding"]}
    outputs = _predict(ml, _deployed(ml), body)
    assert [output[0]["name"] for output in outputs] == ["sentence_embedding"] * 3
    assert outputs[0] == outputs[2] != outputs[1]
    assert (outputs[0][0]["data_type"], outputs[0][0]["shape"]) == ("FLOAT32", [384])
    assert math.hypot(*outputs[0][0]["data"]) == pytest.approx(1, abs=1e-6)


def test_a_request_says_which_outputs_it_wants_and_in_which_form(ml: Any) -> None:
    model_id, texts = _deployed(ml), {"text_docs": ["a"]}
    assert _predict(ml, model_id, {**texts, "target_response": ["other"]}) == [[]]
    ((by_place,),) = _predict(ml, model_id, {**texts, "target_response_positions": [0]})
    ((packed,),) = _predict(ml, model_id, {**texts, "return_bytes": True, "return_number": False})
    assert set(packed) == {"name", "data_type", "shape", "byte_buffer"}
    assert packed["byte_buffer"]["order"] == "LITTLE_ENDIAN"
    numbers = struct.unpack("<384f", base64.b64decode(packed["byte_buffer"]["array"]))
    assert numbers == pytest.approx(by_place["data"], abs=1e-6)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"context": "c"}, "Question is not provided"),
        ({"question": "q"}, "Context is not provided"),
    ],
)
def test_a_question_needs_its_context(ml: Any, body: Any, reason: str) -> None:
    model_id = _deployed(ml, name="huggingface/x", function_name="QUESTION_ANSWERING")
    answer = ml.post(f"~/models/{model_id}/_predict", body)
    assert (answer.status, ml.reason(answer)) == (400, reason)


def test_a_sparse_encoding_weighs_the_tokens(ml: Any) -> None:
    name = "amazon/neural-sparse/opensearch-neural-sparse-encoding-v1"
    ((output,),) = _predict(
        ml, _deployed(ml, name=name, function_name="SPARSE_ENCODING"), {"text_docs": ["Hello hello world"]}
    )
    assert output["name"] == "output"
    assert set(output["dataAsMap"]["response"][0]) == {"hello", "world"}


def test_a_cross_encoder_scores_what_is_alike_higher(ml: Any) -> None:
    model_id = _deployed(
        ml, name="huggingface/cross-encoders/ms-marco-MiniLM-L-6-v2", function_name="TEXT_SIMILARITY"
    )
    body = {"query_text": "today is sunny", "text_docs": ["today is sunny too", "quantum theory"]}
    (alike,), (other,) = _predict(ml, model_id, body)
    assert (alike["name"], alike["shape"]) == ("similarity", [1])
    assert alike["data"][0] > other["data"][0]


def test_a_question_is_answered_from_its_context(ml: Any) -> None:
    model_id = _deployed(ml, name="huggingface/x", function_name="QUESTION_ANSWERING")
    context = "My name is Nobody. I live in Berlin."
    ((output,),) = _predict(ml, model_id, {"question": "Where do I live?", "context": context})
    assert output == {"name": "answer", "result": "I live in Berlin."}


@pytest.mark.parametrize("body", [{}, {"text_docs": []}, {"query_text": "x"}])
def test_an_input_without_texts_is_refused(ml: Any, body: Any) -> None:
    answer = ml.post(f"~/models/{_deployed(ml)}/_predict", body)
    assert (answer.status, ml.reason(answer)) == (400, "Empty text docs")
