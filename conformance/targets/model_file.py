"""A model small enough to be made by the run itself, which a node can serve without an engine.

It is a tokenizer in the format of Hugging Face's tokenizers (`tokenizer.json`, WordPiece over a few
words) with a weight for each word (`idf.json`): a model with the function `SPARSE_TOKENIZE`, whose
answer to a text is the weights of its words. The same words give the same bytes everywhere, for nothing
is compressed and no time is kept.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

FUNCTION: Final = "SPARSE_TOKENIZE"
FORMAT: Final = "TORCH_SCRIPT"
# What a part of a word begins with that is not its first.
_GOES_ON = "##"
WEIGHTS: Final[Mapping[str, float]] = {"hello": 1.5, "world": 2.25, "model": 0.5, f"{_GOES_ON}s": 0.25}
# Above this a model is kept in several chunks (page register-model).
LARGEST_CHUNK_BYTES: Final = 10_000_000
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """The bytes of a model's file."""

    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def size(self) -> int:
        return len(self.content)

    def chunks(self, count: int) -> tuple[bytes, ...]:
        """The content in so many parts of about the same length, in their order."""
        length = -(-self.size // count)
        return tuple(self.content[begin : begin + length] for begin in range(0, self.size, length))


@cache
def small() -> ModelFile:
    """The model of about 2 KB that checks use."""
    return _zip({"tokenizer.json": _tokenizer(WEIGHTS), "idf.json": _json(WEIGHTS)})


@cache
def large() -> ModelFile:
    """The same model, too large for one chunk: blanks stand after its weights."""
    weights = _json(WEIGHTS)
    return _zip(
        {"tokenizer.json": _tokenizer(WEIGHTS), "idf.json": weights + " " * (LARGEST_CHUNK_BYTES + 1000)}
    )


@cache
def without_tokenizer() -> ModelFile:
    """A zip that lacks the file which makes it a model."""
    return _zip({"idf.json": _json(WEIGHTS)})


@cache
def no_zip() -> ModelFile:
    return ModelFile(b"this is no zip")


def _tokenizer(words: Mapping[str, float]) -> str:
    special = [
        {"id": number, "content": word, "special": True}
        | dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
        for number, word in enumerate(_SPECIAL)
    ]
    vocabulary = {word: number for number, word in enumerate((*_SPECIAL, *words))}
    return _json(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": special,
            "normalizer": {
                "type": "BertNormalizer",
                "clean_text": True,
                "handle_chinese_chars": True,
                "strip_accents": None,
                "lowercase": True,
            },
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": {
                "type": "BertProcessing",
                "sep": ["[SEP]", vocabulary["[SEP]"]],
                "cls": ["[CLS]", vocabulary["[CLS]"]],
            },
            "decoder": {"type": "WordPiece", "prefix": _GOES_ON, "cleanup": True},
            "model": {
                "type": "WordPiece",
                "unk_token": "[UNK]",
                "continuing_subword_prefix": _GOES_ON,
                "max_input_chars_per_word": 100,
                "vocab": vocabulary,
            },
        }
    )


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _zip(files: Mapping[str, str]) -> ModelFile:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            archive.writestr(entry, text)
    return ModelFile(written.getvalue())
