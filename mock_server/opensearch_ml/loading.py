"""A model's file as chunks, and from them to what is in memory: what a node does when it deploys it."""

from __future__ import annotations

from mlconform.mock_server.opensearch_ml.model_files import (
    SPARSE_TOKENIZE,
    Chunk,
    FileError,
    SparseTokenizer,
    assembled,
    chunk_id,
    encoded,
    load_sparse_tokenizer,
    require_hash,
    unpacked_bytes,
)
from mlconform.mock_server.opensearch_ml.rules import Rules
from mlconform.mock_server.opensearch_ml.store import LocalFile, Model, Store

# As recorded nodes did on a busy machine: 60 MB took one to five seconds.
_BYTES_A_SECOND = 40_000_000


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


def loading_seconds(store: Store, model: Model) -> float:
    """How much longer than the smallest model this one takes to be deployed, for what its file unpacks to."""
    if model.file is None or model.file.made_up:
        return 0.0
    try:
        return unpacked_bytes(_content(store, model)) / _BYTES_A_SECOND
    except FileError:
        return 0.0


def _content(store: Store, model: Model) -> bytes:
    """The file that the chunks make, by their numbers. Raises FileError where one is missing."""
    count = 0 if model.file is None else model.file.chunks or 0
    return assembled(model.id, [store.chunks.get(chunk_id(model.id, number)) for number in range(count)])


def loaded(store: Store, rules: Rules, model: Model) -> SparseTokenizer | None:
    """What answers for a model; None for one whose answers or whose file are made up.

    Raises FileError, which says what a node says of such a file.
    """
    file = model.file
    if file is None or file.made_up:
        return None
    if rules.chunks_are_in_order:
        content = _content(store, model)
    else:
        by_arrival = store.chunks.where("model_id", model.id)
        content = assembled(model.id, [store.chunks.get(key) for key in by_arrival])
    if rules.content_hash_is_checked:
        require_hash(content, file.content_hash or "")
    if model.algorithm != SPARSE_TOKENIZE:
        return None
    place = f"/data/ml_cache/models_cache/models/{model.id}/{model.version}/{model.name}"
    return load_sparse_tokenizer(content, place)
