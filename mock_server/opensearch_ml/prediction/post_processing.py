"""The post-process functions that are built in: an endpoint's answer as tensors."""

from __future__ import annotations

from typing import Any

from mlconform.mock_server.opensearch_ml.errors import illegal_argument
from mlconform.mock_server.opensearch_ml.prediction import json_path
from mlconform.mock_server.opensearch_ml.store import JsonObject

_PREFIX = "connector.post_process."
_EMBEDDINGS = {
    "openai.embedding": "$.data[*].embedding",
    "cohere.embedding": "$.embeddings",
    "default.embedding": "$[*]",
    "bedrock.embedding": "$.embedding",
}
_RERANKS = {"cohere.rerank": "$.results", "default.rerank": "$[*]"}
_DATA_TYPES = ("FLOAT32", "FLOAT16", "INT8", "UINT8", "INT32", "INT64", "BOOLEAN", "BINARY", "UBINARY")


def is_known(function: str) -> bool:
    """Whether a function is one of those that are built in."""
    return function.removeprefix(_PREFIX) in {**_EMBEDDINGS, **_RERANKS} and function.startswith(_PREFIX)


def process(function: str, answer: Any, response_filter: str | None) -> list[JsonObject]:
    """The tensors of an answer. Raises ApiError 400 for an answer that the function can't take."""
    kind = function.removeprefix(_PREFIX)
    path = response_filter or {**_EMBEDDINGS, **_RERANKS}[kind]
    found = json_path.read(answer, path)
    if found is None:
        raise illegal_argument("Can't run post process function as model output is null")
    if kind in _RERANKS:
        return _scores(found)
    if kind == "bedrock.embedding":
        return [_tensor("sentence_embedding", _one_embedding(found), path)]
    return [_tensor("sentence_embedding", numbers, path) for numbers in _embeddings(found)]


def _one_embedding(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise illegal_argument("Post process function input is not a List.")
    if not found or not _is_number(found[0]):
        raise illegal_argument("The embedding should be a non-empty List containing Float values.")
    return found


def _embeddings(found: Any) -> list[list[Any]]:
    if not isinstance(found, list):
        raise illegal_argument("Post process function input is not a List.")
    if found and not isinstance(found[0], list):
        raise illegal_argument("The embedding should be a non-empty List containing List of Float values.")
    return [_one_embedding(numbers) for numbers in found]


def _scores(found: Any) -> list[JsonObject]:
    if not isinstance(found, list):
        raise illegal_argument("Post process function input is not a List.")
    if not found or not all(isinstance(item, dict) for item in found):
        raise illegal_argument("Post process function input is empty.")
    if any("index" not in item or "relevance_score" not in item for item in found):
        raise illegal_argument("The rerank result should contain index and relevance_score.")
    for item in found:
        if not _is_number(item["index"]):
            raise illegal_argument("The rerank result should contain index and relevance_score.")
    ordered = sorted(found, key=lambda item: item["index"])
    return [_tensor("similarity", [item["relevance_score"]], "") for item in ordered]


def _tensor(name: str, numbers: list[Any], path: str) -> JsonObject:
    """A tensor of numbers; a response filter that ends with the name of a data type gives it that type."""
    kinds = (kind for kind in _DATA_TYPES if f".{kind}" in path.upper())
    data_type = next(kinds, "FLOAT32")
    return {"name": name, "data_type": data_type, "shape": [len(numbers)], "data": numbers}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
