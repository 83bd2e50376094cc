"""What a client brought of a local model's file, as the model keeps it, and whether a node can use it."""

from __future__ import annotations

from mock_server.opensearch_ml import fetching, model_files
from mock_server.opensearch_ml.fetching import FetchError
from mock_server.opensearch_ml.model_files import ModelFileError, SparseTokenizer
from mock_server.opensearch_ml.rules import Rules
from mock_server.opensearch_ml.store import LocalFile, Model


def fetched(model: Model, url: str, content_hash: str | None, rules: Rules) -> str | None:
    """Fetch the file of a model and keep it; gives why that failed, in the words of a node, or None."""
    if content_hash is None and rules.content_hash_is_checked:
        return model_files.NO_HASH
    try:
        content = fetching.fetch(url)
        if rules.content_hash_is_checked:
            model_files.require_hash(content, content_hash or "")
        if rules.fetched_files_are_checked:
            model_files.read_tokenizer(content)
    except (FetchError, ModelFileError) as error:
        if rules.failed_fetches_fail:
            return str(error)
        content = b""
    model.uploaded = model_files.in_chunks(content)
    told = model.file.format if model.file is not None else ""
    model.file = LocalFile(told, content_hash or "", len(content), len(model.uploaded))
    return None


def keep(model: Model, number: int, content: bytes, rules: Rules) -> None:
    """Keep one chunk, instead of an earlier one of this number."""
    kept = model.uploaded or {}
    if not rules.chunks_are_kept and kept:
        return
    model.uploaded = kept | {str(number): model_files.as_kept(content)}


def missing_chunk(model: Model) -> str | None:
    """Which chunk of a model whose file comes in chunks is not there, as a node tells it, or None."""
    if model.uploaded is None or model.file is None:
        return None
    numbers = map(str, range(model.file.chunks or 0))
    first = next((number for number in numbers if number not in (model.uploaded or {})), None)
    return None if first is None else f"Fail to find model chunk {model.id}_{first}"


def deploy_problem(model: Model, rules: Rules) -> str | None:
    """Why a node cannot take the model into memory, or None."""
    problem = missing_chunk(model)
    if problem is not None or model.algorithm != model_files.WITHOUT_ENGINE or model.uploaded is None:
        return problem
    content = _content(model, in_order=rules.chunks_are_in_order)
    try:
        if rules.content_hash_is_checked and model.file is not None:
            model_files.require_hash(content, model.file.content_hash or "")
        model_files.read_tokenizer(content)
    except ModelFileError as error:
        return error.at_deploy
    return None


def tokenizer_of(model: Model) -> SparseTokenizer | None:
    """The tokenizer in a model's own file; None where it has none, or one that cannot be read."""
    if model.algorithm != model_files.WITHOUT_ENGINE or not model.uploaded:
        return None
    try:
        return model_files.read_tokenizer(_content(model, in_order=True))
    except ModelFileError:
        return None


def _content(model: Model, *, in_order: bool) -> bytes:
    chunks = model.uploaded or {}
    order = sorted(chunks, key=int) if in_order else list(chunks)
    return model_files.assembled(chunks, order)
