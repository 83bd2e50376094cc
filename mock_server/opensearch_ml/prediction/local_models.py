"""Models that run on the nodes: their answers are made up, in the right shapes, but for sparse tokenizers.

Those answer what their own file says. A text gives the same numbers whenever it is sent, so that answers
can be compared.
"""

from __future__ import annotations

import base64
import hashlib
import math
import random
import re
import struct
from collections.abc import Callable

from mlconform.mock_server.opensearch_ml.bodies.fields import Fields
from mlconform.mock_server.opensearch_ml.errors import illegal_argument, node_error
from mlconform.mock_server.opensearch_ml.model_files import LARGEST_CHUNK, SparseTokenizer
from mlconform.mock_server.opensearch_ml.prediction.java_maps import map_ordered
from mlconform.mock_server.opensearch_ml.rules import Rules
from mlconform.mock_server.opensearch_ml.store import JsonObject, LocalFile, Model

PRETRAINED_FAMILIES = ("huggingface/", "amazon/", "opensearch-project/")
_FAMILIES = {
    "huggingface/sentence-transformers/": "TEXT_EMBEDDING",
    "huggingface/cross-encoders/": "TEXT_SIMILARITY",
}
_DATASET = "org.opensearch.ml.common.dataset"
_OTHER_INPUTS = {
    "QUESTION_ANSWERING": "QuestionAnsweringInputDataSet",
    "REMOTE": "remote.RemoteInferenceInputDataSet",
    "TEXT_SIMILARITY": "TextSimilarityInputDataSet",
}
_DIMENSION = 384
_DIMENSIONS = {"distilbert": 768, "mpnet": 768, "distilroberta": 768, "distiluse": 512, "MiniLM": 384}


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
    return LocalFile(
        model_format.upper(),
        content_hash or digest.hexdigest(),
        size,
        math.ceil(size / LARGEST_CHUNK),
        made_up=True,
    )


def default_config(name: str) -> JsonObject:
    """The configuration of a pretrained text embedding model."""
    dimension = next((size for part, size in _DIMENSIONS.items() if part in name), _DIMENSION)
    kind = "distilbert" if "distilbert" in name else "mpnet" if "mpnet" in name else "bert"
    return {
        "model_type": kind,
        "embedding_dimension": dimension,
        "framework_type": "SENTENCE_TRANSFORMERS",
    }


def predict(model: Model, fields: Fields, rules: Rules) -> JsonObject:
    """The answer of a predict call. Raises ApiError 400 for an input that the model can't take."""
    if model.tokenizer is None:
        return {"inference_results": _ANSWERS[model.algorithm](model, fields)}
    results = _tokenized(model.tokenizer, fields, weighs=rules.weights_are_read)
    # Outputs that are asked for by their names are none of these, which have no name.
    is_nothing_wanted = rules.tokens_are_filtered and bool(fields.texts("target_response"))
    return {"inference_results": [{} for _ in results] if is_nothing_wanted else results}


def require_own_input(model: Model, fields: Fields, algorithm: str) -> None:
    """Hold an input, read as that of an algorithm, to what a loaded tokenizer takes. Raises NodeError."""
    if model.tokenizer is None:
        return
    cause = None
    if algorithm in _OTHER_INPUTS:
        given, wanted = f"{_DATASET}.{_OTHER_INPUTS[algorithm]}", f"{_DATASET}.TextDocsInputDataSet"
        modules = "are in unnamed module of loader java.net.URLClassLoader @74c9e11"
        reason = f"class {given} cannot be cast to class {wanted} ({given} and {wanted} {modules})"
        cause = {"type": "class_cast_exception", "reason": reason}
    elif None in (fields.texts_or_nulls("text_docs") or ()):
        cause = {"type": "null_pointer_exception", "reason": "text cannot be null"}
    if cause is not None:
        reason = f"Failed to inference {model.algorithm} model: {model.id}"
        raise node_error("m_l_exception", reason, caused_by=cause)


def _source(*parts: str) -> random.Random:
    return random.Random("\0".join(parts).encode("utf-8", "surrogatepass"))


def _tensor(name: str, numbers: list[float]) -> JsonObject:
    return {"name": name, "data_type": "FLOAT32", "shape": [len(numbers)], "data": numbers}


def _embeddings(model: Model, fields: Fields) -> list[JsonObject]:
    dimension = (model.model_config or {}).get("embedding_dimension") or _DIMENSION
    keep = _result_filter(fields)
    return [
        {"output": keep([_tensor("sentence_embedding", _unit_vector(model, text, dimension))])}
        for text in fields.texts("text_docs") or ()
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
    for text in fields.texts("text_docs") or ():
        tokens = dict.fromkeys(re.findall(r"\w+", text.lower()))
        weights = {
            token: round(_source(model.name, token).uniform(0.1, 3), 6) if weighs else 1.0 for token in tokens
        }
        results.append({"output": [{"name": "output", "dataAsMap": {"response": [weights]}}]})
    return results


def _tokenized(loaded: SparseTokenizer, fields: Fields, *, weighs: bool) -> list[JsonObject]:
    """Each token once, with the weight that the model's file gives it; one that it does not tell has 1."""
    parameters = fields.texts_by_name("parameters")
    by_number = (parameters.get("sparse_embedding_format") or "").upper() == "TOKEN_ID"
    told = loaded.weights if weighs else {}
    results = []
    for text in fields.texts("text_docs") or ():
        weights = {
            str(loaded.tokenizer.vocabulary[token]) if by_number else token: told.get(token, 1.0)
            for token in loaded.tokenizer.tokens(text)
        }
        results.append({"output": [{"dataAsMap": {"response": [map_ordered(weights)]}}]})
    return results


def _similarities(model: Model, fields: Fields) -> list[JsonObject]:
    query = fields.text("query_text")
    if query is None:
        raise illegal_argument("query text is null")
    wanted = set(re.findall(r"\w+", query.lower()))
    results = []
    for text in fields.texts("text_docs") or ():
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
