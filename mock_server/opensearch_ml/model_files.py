"""The files of local models that clients bring: in chunks or at a URL, held to what was told of them.

Those of models that need an engine are not looked at: their answers are made up.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from mock_server.opensearch_ml.tokenizers import Tokenizer, TokenizerError

WITHOUT_ENGINE = "SPARSE_TOKENIZE"
CHUNK_BYTES = 10_000_000
NO_HASH = (
    "Model content Hash code need to be provided when register via url. Please calculate sha 256 Hash code."
)
CHANGED = "model content changed"
_TOKENIZER, _WEIGHTS = "tokenizer.json", "idf.json"


class ModelFileError(ValueError):
    """A file that is no model: what a node says of it when it is registered, and when it is deployed."""

    def __init__(self, at_registration: str, at_deploy: str | None = None) -> None:
        super().__init__(at_registration)
        self.at_deploy = at_deploy or at_registration


@dataclass(frozen=True, slots=True)
class SparseTokenizer:
    """A tokenizer and the weights of its words; a word without one weighs 1."""

    tokenizer: Tokenizer
    weights: Mapping[str, float]

    def weigh(self, text: str) -> dict[str, float]:
        """The words of a text, each once, with its weight."""
        return {token: float(self.weights.get(token, 1.0)) for token in self.tokenizer.tokens(text)}


def require_hash(content: bytes, content_hash: str) -> None:
    """Raises ModelFileError where the content has another SHA-256."""
    if hashlib.sha256(content).hexdigest() != content_hash:
        raise ModelFileError(CHANGED)


@lru_cache(maxsize=8)
def read_tokenizer(content: bytes) -> SparseTokenizer:
    """The model in a zip. Raises ModelFileError."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile:
        raise ModelFileError("zip END header not found", "Archive is not a ZIP archive") from None
    names = archive.namelist()
    if _TOKENIZER not in names:
        raise ModelFileError("No tokenizer file", f"Tokenizer file not exits: {_TOKENIZER}")
    try:
        tokenizer = Tokenizer.read(json.loads(archive.read(_TOKENIZER)))
        weights = json.loads(archive.read(_WEIGHTS)) if _WEIGHTS in names else {}
    except TokenizerError as error:
        raise ModelFileError(str(error)) from None
    except (ValueError, zipfile.BadZipFile) as error:
        raise ModelFileError(f"{_TOKENIZER} or {_WEIGHTS} cannot be read: {error}") from None
    return SparseTokenizer(tokenizer, weights)


def in_chunks(content: bytes) -> dict[str, str]:
    """A file as it is kept: the base64 of its chunks by their number."""
    count = max(1, math.ceil(len(content) / CHUNK_BYTES))
    parts = (content[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES] for number in range(count))
    return {str(number): as_kept(part) for number, part in enumerate(parts)}


def as_kept(chunk: bytes) -> str:
    """One chunk as it is kept."""
    return base64.b64encode(chunk).decode()


def assembled(chunks: Mapping[str, str], order: list[str]) -> bytes:
    """The file whose chunks these are, in this order."""
    return b"".join(base64.b64decode(chunks[number]) for number in order)
