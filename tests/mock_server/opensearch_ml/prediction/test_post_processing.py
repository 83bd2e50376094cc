"""What becomes of the answer of the endpoint."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("$.choices[0].message.content", "hi"),
        ("$.choices[0].message", {"content": "hi"}),
        ("$.embedding", [0.1, 0.2]),
        ("$['choices'][*].message.content", ["hi"]),
    ],
)
def test_a_response_filter_leaves_a_part_of_the_answer(ml: Any, path: str, data: Any) -> None:
    answer = ml.predict(ml.deployed(), q="x", response_filter=path)
    assert answer.body["inference_results"][0]["output"][0]["dataAsMap"] == {"response": data}


NO_PATH = {"type": "path_not_found_exception", "reason": "No results for path: $['choices'][7]"}


@pytest.mark.parametrize(
    ("behaviour", "status", "kind", "cause"),
    [
        ("documented", 400, "path_not_found_exception", None),
        ("opensearch-2.19", 500, "m_l_exception", NO_PATH),
        ("opensearch-3.4", 500, "path_not_found_exception", None),
    ],
)
def test_a_response_filter_that_finds_nothing_is_a_fault(
    make_client: Any, behaviour: str, status: int, kind: str, cause: Any
) -> None:
    ml = make_client(behaviour=behaviour)
    answer = ml.predict(ml.deployed(), q="x", response_filter="$.choices[7]")
    error = answer.body["error"]
    assert (answer.status, error["type"], error.get("caused_by")) == (status, kind, cause)


@pytest.mark.parametrize(
    ("answer", "function", "expected"),
    [
        ({"embedding": [1, 2]}, "bedrock.embedding", [[1, 2]]),
        ({"data": [{"embedding": [0.5]}, {"embedding": [1]}]}, "openai.embedding", [[0.5], [1]]),
        ([[0.5, 1]], "default.embedding", [[0.5, 1]]),
        ({"other": 1}, "openai.embedding", []),
    ],
)
def test_embeddings_become_tensors(ml: Any, answer: Any, function: str, expected: Any) -> None:
    ml.put("/_mock/predict", {"answer": answer})
    got = ml.predict(ml.deployed_with_action(post_process_function=f"connector.post_process.{function}")).body
    assert got["inference_results"][0]["output"] == [
        {"name": "sentence_embedding", "data_type": "FLOAT32", "shape": [len(data)], "data": data}
        for data in expected
    ]


@pytest.mark.parametrize(
    ("answer", "function", "reason"),
    [
        (
            [0.5],
            "default.embedding",
            "The embedding should be a non-empty List containing List of Float values.",
        ),
        ([[]], "default.embedding", "The embedding should be a non-empty List containing Float values."),
        ({"embedding": 5}, "bedrock.embedding", "Post process function input is not a List."),
    ],
)
def test_an_answer_that_is_no_embedding_is_refused(ml: Any, answer: Any, function: str, reason: str) -> None:
    ml.put("/_mock/predict", {"answer": answer})
    refused = ml.predict(ml.deployed_with_action(post_process_function=f"connector.post_process.{function}"))
    assert (refused.status, ml.reason(refused)) == (400, reason)


@pytest.mark.parametrize(
    ("answer", "data"),
    [
        ("just text", {"response": "just text"}),
        ([1, {"a": 2}], {"response": [1, {"a": 2}]}),
        ('{"a": "b"}', {"a": "b"}),
        (5, {"response": "5"}),
    ],
)
def test_an_answer_of_any_kind_is_wrapped(ml: Any, answer: Any, data: Any) -> None:
    ml.put("/_mock/predict", {"answer": answer})
    assert ml.predict(ml.deployed()).body["inference_results"][0]["output"] == [
        {"name": "response", "dataAsMap": data}
    ]


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("$.nope", "No results for path: $['nope']"),
        ("$.nope.message", "Missing property in path $['nope']"),
        ("$.choices[7].message", "No results for path: $['choices'][7]['message']"),
        ("$.choices[0].nope.content", "Missing property in path $['choices'][0]['nope']"),
    ],
)
def test_a_path_that_leads_nowhere_is_told(ml: Any, path: str, problem: str) -> None:
    assert ml.reason(ml.predict(ml.deployed(), q="x", response_filter=path)) == problem


def test_scores_are_in_the_order_of_their_documents(ml: Any) -> None:
    results = [{"index": 1, "relevance_score": 0.2}, {"index": 0, "relevance_score": 0.9}]
    ml.put("/_mock/predict", {"answer": {"results": results}})
    model_id = ml.deployed_with_action(post_process_function="connector.post_process.cohere.rerank")
    output = ml.predict(model_id).body["inference_results"][0]["output"]
    assert [(tensor["name"], tensor["data"]) for tensor in output] == [
        ("similarity", [0.9]),
        ("similarity", [0.2]),
    ]
