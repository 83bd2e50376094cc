"""A model's file as chunks, and from them to what is in memory: what a node does when it deploys it."""

from __future__ import annotations

from mlconform.mock_server.opensearch_ml.model_files import (
    SPARSE_TOKENIZE,
    Chunk,
    SparseTokenizer,
    assembled,
    chunk_id,
    encoded,
    load_sparse_tokenizer,
    require_hash,
)
from mlconform.mock_server.opensearch_ml.rules import Rules
from mlconform.mock_server.opensearch_ml.store import LocalFile, Model, Store


def chunk_of(model: Model, file: LocalFile, number: int, content: bytes) -> Chunk:
    """The document of one part of a model's file."""
    return Chunk(
        model.id,
        number,
        encoded(content),
        group_id=model.group_id,
        algorithm=model.algorithm,
        version=model.version,
        format=file.format,
        total=file.chunks,
    )


def loaded(store: Store, rules: Rules, model: Model) -> SparseTokenizer | None:
    """What answers for a model; None for one whose answers or whose file are made up.

    Raises FileError, which says what a node says of such a file.
    """
    file = model.file
    if file is None or file.made_up:
        return None
    ids = [chunk_id(model.id, number) for number in range(file.chunks or 0)]
    if not rules.chunks_are_in_order:
        ids = store.chunks.where("model_id", model.id)
    content = assembled(model.id, [store.chunks.get(key) for key in ids])
    if rules.content_hash_is_checked:
        require_hash(content, file.content_hash or "")
    if model.algorithm != SPARSE_TOKENIZE:
        return None
    place = f"/data/ml_cache/models_cache/models/{model.id}/{model.version}/{model.name}"
    return load_sparse_tokenizer(content, place)
