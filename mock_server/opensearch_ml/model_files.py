"""The files of local models: chunks as documents, and what a node makes of the whole file when it deploys.

In which order a node looks at a file, and what it says of one that it can't use, is recorded
(`local_upload`, `local_content`).
"""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from mlconform.mock_server.opensearch_ml.prediction.word_piece import (
    TokenizerError,
    WordPiece,
    read_word_piece,
)

if TYPE_CHECKING:
    from zipfile import ZipFile

LARGEST_CHUNK = 10_000_000
SPARSE_TOKENIZE = "SPARSE_TOKENIZE"
TOKENIZER = "tokenizer.json"
WEIGHTS = "idf.json"
NO_MODEL_IN_IT = 'Cannot read the array length because "arr$" is null'
CHANGED = "model content changed"


class FileError(Exception):
    """A file that no model can be made of; the message is what the task tells."""


class Chunk(Struct):
    """One part of a model's file, as a document beside the model's; `content` is base64."""

    model_id: str
    number: int
    content: str
    group_id: str | None = None
    algorithm: str = ""
    version: str = ""
    format: str = ""
    total: int | None = None
    name: str | None = None
    created: int | None = None

    @property
    def id(self) -> str:
        """The id of the document."""
        return chunk_id(self.model_id, self.number)

    @property
    def bytes(self) -> bytes:
        """The part itself."""
        return base64.b64decode(self.content)


class SparseTokenizer(Struct, frozen=True):
    """A model in memory: a tokenizer with a weight for each token."""

    tokenizer: WordPiece
    weights: dict[str, float]


def chunk_id(model_id: str, number: int) -> str:
    """The id of the document of a chunk."""
    return f"{model_id}_{number}"


def encoded(content: bytes) -> str:
    """Bytes as the document of a chunk has them."""
    return base64.b64encode(content).decode()


def parts_of(content: bytes) -> Iterator[bytes]:
    """A file in chunks as a node makes them of what it fetched."""
    for number in range(math.ceil(len(content) / LARGEST_CHUNK)):
        yield content[number * LARGEST_CHUNK : (number + 1) * LARGEST_CHUNK]


def assembled(model_id: str, chunks: Sequence[Chunk | None]) -> bytes:
    """The file of these chunks, one for each number. Raises FileError where one is missing.

    A node fetches them one after the other: it names the missing one only where that is the last.
    """
    missing = next((number for number, chunk in enumerate(chunks) if chunk is None), None)
    if missing is not None and missing < len(chunks) - 1:
        raise FileError("Failed to deploy model")
    if missing is not None:
        raise FileError(f"Fail to find model chunk {chunk_id(model_id, missing)}")
    return b"".join(chunk.bytes for chunk in chunks if chunk is not None)


def unpacked_bytes(content: bytes) -> int:
    """How much the files of a model are together, 0 for what is no zip."""
    archive = _archive(content)
    return 0 if archive is None else sum(entry.file_size for entry in archive.infolist())


def require_hash(content: bytes, told: str) -> None:
    """Raises FileError for a file whose SHA-256 is another than the one that was told."""
    import hashlib  # noqa: PLC0415 - a fast start

    if hashlib.sha256(content).hexdigest() != told:
        raise FileError(CHANGED)


def require_model_files(content: bytes, function: str) -> None:
    """Look into what was fetched as a node does before it keeps it. Raises FileError."""
    if not content:
        raise FileError("zip file is empty")
    archive = _archive(content)
    if archive is None:
        raise FileError("zip END header not found")
    names = archive.namelist()
    if function != SPARSE_TOKENIZE and not any(name.endswith((".pt", ".onnx")) for name in names):
        raise FileError("Can't find model file")
    if TOKENIZER not in names:
        raise FileError("No tokenizer file")


def load_sparse_tokenizer(content: bytes, place: str) -> SparseTokenizer:
    """Make the model of its file, which lies at `place`. Raises FileError."""
    archive = _archive(content)
    if archive is None:
        raise FileError("Archive is not a ZIP archive")
    names = archive.namelist()
    if not names:
        raise FileError(NO_MODEL_IN_IT)
    if TOKENIZER not in names:
        raise FileError(f"Tokenizer file not exits: {place}/{TOKENIZER}")
    try:
        tokenizer = read_word_piece(archive.read(TOKENIZER))
    except TokenizerError as error:
        raise FileError(str(error)) from None
    return SparseTokenizer(tokenizer, _weights(archive) if WEIGHTS in names else {})


def _archive(content: bytes) -> ZipFile | None:
    """The archive in memory, None for what is no zip."""
    from zipfile import BadZipFile, ZipFile  # noqa: PLC0415 - a fast start

    try:
        return ZipFile(io.BytesIO(content))
    except BadZipFile:
        return None


def _weights(archive: ZipFile) -> dict[str, float]:
    try:
        weights = json.loads(archive.read(WEIGHTS))
    except ValueError as error:
        raise FileError(f"Expected idf.json to be an object of weights by token: {error}") from None
    if not isinstance(weights, dict) or not all(_is_number(weight) for weight in weights.values()):
        raise FileError("Expected idf.json to be an object of weights by token")
    return {token: float(weight) for token, weight in weights.items()}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
