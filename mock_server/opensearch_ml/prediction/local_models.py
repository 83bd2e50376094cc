"""Models that run on the nodes: a sparse tokenizer with a file of its own answers by it.

Of others the files are made up, and so are their answers, in the right shapes. A text gives the same
numbers whenever it is sent, so that answers can be compared.
"""

from __future__ import annotations

import base64
import hashlib
import math
import random
import re
import struct
from collections.abc import Callable

from mock_server.opensearch_ml import uploads
from mock_server.opensearch_ml.bodies.fields import Fields
from mock_server.opensearch_ml.errors import illegal_argument
from mock_server.opensearch_ml.store import JsonObject, LocalFile, Model

PRETRAINED_FAMILIES = ("huggingface/", "amazon/", "opensearch-project/")
_FAMILIES = {
    "huggingface/sentence-transformers/": "TEXT_EMBEDDING",
    "huggingface/cross-encoders/": "TEXT_SIMILARITY",
}
_DIMENSION = 384
_DIMENSIONS = {"distilbert": 768, "mpnet": 768, "distilroberta": 768, "distiluse": 512, "MiniLM": 384}
_CHUNK = 10_000_000


def is_pretrained(name: str) -> bool:
    """Whether a name is one of the families that OpenSearch offers."""
    return name.startswith(PRETRAINED_FAMILIES)


def pretrained_function(name: str, told: str) -> str:
    """What a pretrained model is for: of known families the files say it, not what the registration told."""
    if name.startswith("amazon/neural-sparse/"):
        return "SPARSE_TOKENIZE" if "tokenizer" in name else "SPARSE_ENCODING"
    return next((function for family, function in _FAMILIES.items() if name.startswith(family)), told)


def local_file(name: str, version: str, model_format: str, content_hash: str | None) -> LocalFile:
    """The made-up file of a model: its size and hash depend on name and version."""
    digest = hashlib.sha256(f"{name}:{version}:{model_format}".encode("utf-8", "surrogatepass"))
    size = 20_000_000 + int.from_bytes(digest.digest()[:4], "big") % 400_000_000
    return LocalFile(model_format.upper(), content_hash or digest.hexdigest(), size, math.ceil(size / _CHUNK))


def default_config(name: str) -> JsonObject:
    """The configuration of a pretrained text embedding model."""
    dimension = next((size for part, size in _DIMENSIONS.items() if part in name), _DIMENSION)
    kind = "distilbert" if "distilbert" in name else "mpnet" if "mpnet" in name else "bert"
    return {
        "model_type": kind,
        "embedding_dimension": dimension,
        "framework_type": "SENTENCE_TRANSFORMERS",
    }


def predict(model: Model, fields: Fields, *, weighs: bool = True) -> JsonObject:
    """The answer of a predict call; without `weighs` each word of a file weighs the same. Raises ApiError 400
    for an input that the model can't take."""
    own = uploads.tokenizer_of(model)
    if own is None:
        return {"inference_results": _ANSWERS[model.algorithm](model, fields)}
    weighed = [own.weigh(text) for text in _texts(fields)]
    if not weighs:
        weighed = [dict.fromkeys(weights, 1.0) for weights in weighed]
    return {
        "inference_results": [{"output": [{"dataAsMap": {"response": [weights]}}]} for weights in weighed]
    }


def _texts(fields: Fields, name: str = "text_docs") -> list[str]:
    texts = fields.texts(name)
    if not texts:
        raise illegal_argument("Empty text docs")
    return texts


def _source(*parts: str) -> random.Random:
    return random.Random("\0".join(parts).encode("utf-8", "surrogatepass"))


def _tensor(name: str, numbers: list[float]) -> JsonObject:
    return {"name": name, "data_type": "FLOAT32", "shape": [len(numbers)], "data": numbers}


def _embeddings(model: Model, fields: Fields) -> list[JsonObject]:
    dimension = (model.model_config or {}).get("embedding_dimension") or _DIMENSION
    keep = _result_filter(fields)
    return [
        {"output": keep([_tensor("sentence_embedding", _unit_vector(model, text, dimension))])}
        for text in _texts(fields)
    ]


def _result_filter(fields: Fields) -> Callable[[list[JsonObject]], list[JsonObject]]:
    """What a request wants of the outputs: which by name or place, and their numbers as such or as bytes."""
    names, places = fields.texts("target_response"), fields.items("target_response_positions")
    as_bytes, as_numbers = fields.flag("return_bytes"), fields.flag("return_number") is not False

    def keep(outputs: list[JsonObject]) -> list[JsonObject]:
        kept = []
        for place, output in enumerate(outputs):
            if not (names or places) or output["name"] in (names or ()) or place in (places or ()):
                shown = {name: value for name, value in output.items() if as_numbers or name != "data"}
                kept.append(shown | ({"byte_buffer": _bytes(output["data"])} if as_bytes else {}))
        return kept

    return keep


def _bytes(numbers: list[float]) -> JsonObject:
    packed = struct.pack(f"<{len(numbers)}f", *numbers)
    return {"array": base64.b64encode(packed).decode(), "order": "LITTLE_ENDIAN"}


def _unit_vector(model: Model, text: str, dimension: int) -> list[float]:
    source = _source(model.name, text)
    numbers = [source.gauss(0, 1) for _ in range(dimension)]
    length = math.hypot(*numbers) or 1.0
    return [round(number / length, 8) for number in numbers]


def _sparse(model: Model, fields: Fields) -> list[JsonObject]:
    weighs = model.algorithm == "SPARSE_ENCODING"
    results = []
    for text in _texts(fields):
        tokens = dict.fromkeys(re.findall(r"\w+", text.lower()))
        weights = {
            token: round(_source(model.name, token).uniform(0.1, 3), 6) if weighs else 1.0 for token in tokens
        }
        results.append({"output": [{"name": "output", "dataAsMap": {"response": [weights]}}]})
    return results


def _similarities(model: Model, fields: Fields) -> list[JsonObject]:
    query = fields.text("query_text")
    if query is None:
        raise illegal_argument("query text is null")
    wanted = set(re.findall(r"\w+", query.lower()))
    results = []
    for text in _texts(fields):
        shared = len(wanted & set(re.findall(r"\w+", text.lower())))
        score = round(8 * shared / (len(wanted) or 1) - 4 + _source(model.name, text).random(), 6)
        results.append({"output": [_tensor("similarity", [score])]})
    return results


def _answer(_model: Model, fields: Fields) -> list[JsonObject]:
    question, context = fields.text("question"), fields.text("context")
    if not question:
        raise illegal_argument("Question is not provided")
    if not context:
        raise illegal_argument("Context is not provided")
    asked = set(re.findall(r"\w+", question.lower()))
    sentences = re.split(r"(?<=[.!?])\s+", context)
    best = max(sentences, key=lambda sentence: len(asked & set(re.findall(r"\w+", sentence.lower()))))
    return [{"output": [{"name": "answer", "result": best}]}]


_ANSWERS: dict[str, Callable[[Model, Fields], list[JsonObject]]] = {
    "TEXT_EMBEDDING": _embeddings,
    "SPARSE_ENCODING": _sparse,
    "SPARSE_TOKENIZE": _sparse,
    "TEXT_SIMILARITY": _similarities,
    "QUESTION_ANSWERING": _answer,
}
