"""WordPiece tokenizers in the format of Hugging Face's tokenizers, as BERT's are: text to tokens.

What a `tokenizer.json` may say beside that is refused: a tokenizer that was half understood would give
other tokens than a node does.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Iterator
from typing import Any

from msgspec import Struct

_PARTS = frozenset(
    {
        *("version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer"),
        *("post_processor", "decoder", "model"),
    }
)
_NORMALIZER = frozenset({"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"})
_MODEL = frozenset({"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"})
_SPACES = ("single_word", "lstrip", "rstrip", "normalized")
_BLANKS = "\t\n\r"
_CHINESE = (
    *((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F)),
    *((0x2B740, 0x2B81F), (0x2B920, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)),
)


class TokenizerError(Exception):
    """A `tokenizer.json` that the mock can't tokenize with; the message says what it says and may say."""


class WordPiece(Struct, frozen=True):
    """A tokenizer; `added` are tokens found in a text before it is split, `special` those left out again."""

    vocabulary: dict[str, int]
    unknown: str
    prefix: str
    longest_word: int
    added: list[str]
    special: list[str]
    around: list[str]
    clean_text: bool
    handle_chinese_chars: bool
    strip_accents: bool
    lowercase: bool

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text with what the post-processor puts around them, without the special ones."""
        found = [*self._found(text), *self.around]
        return [token for token in found if token not in self.special]

    def _found(self, text: str) -> Iterator[str]:
        pattern = "|".join(map(re.escape, sorted(self.added, key=len, reverse=True)))
        for part in re.split(f"({pattern})", text) if pattern else [text]:
            if part in self.added:
                yield part
            else:
                for word in _words(self._normalized(part)):
                    yield from self._pieces(word)

    def _normalized(self, text: str) -> str:
        if self.clean_text:
            text = "".join(" " if _is_blank(sign) else sign for sign in text if not _is_control(sign))
        if self.handle_chinese_chars:
            text = "".join(f" {sign} " if _is_chinese(sign) else sign for sign in text)
        if self.strip_accents:
            decomposed = unicodedata.normalize("NFD", text)
            text = "".join(sign for sign in decomposed if unicodedata.category(sign) != "Mn")
        return text.lower() if self.lowercase else text

    def _pieces(self, word: str) -> list[str]:
        """The longest pieces from the left; one that is not in the vocabulary makes the word unknown."""
        if len(word) > self.longest_word:
            return [self.unknown]
        pieces: list[str] = []
        begin = 0
        while begin < len(word):
            prefix = self.prefix if begin else ""
            ends = range(len(word), begin, -1)
            piece = next((end for end in ends if prefix + word[begin:end] in self.vocabulary), None)
            if piece is None:
                return [self.unknown]
            pieces.append(prefix + word[begin:piece])
            begin = piece
        return pieces


def read_word_piece(content: bytes) -> WordPiece:
    """The tokenizer of a `tokenizer.json`. Raises TokenizerError."""
    try:
        values = json.loads(content)
    except ValueError as error:
        raise TokenizerError(f"expected tokenizer.json to be JSON: {error}") from None
    parts = _members(values, _PARTS, "tokenizer.json")
    model = _part(parts, "model", ["WordPiece"], _MODEL)
    for name in ("truncation", "padding"):
        _expect(parts.get(name), [None], name)
    _part(parts, "pre_tokenizer", ["BertPreTokenizer"], {"type"})
    if parts.get("decoder") is not None:
        _part(parts, "decoder", ["WordPiece"], {"type", "prefix", "cleanup"})
    normalizer = _part(parts, "normalizer", ["BertNormalizer"], _NORMALIZER)
    vocabulary, unknown = model.get("vocab"), model.get("unk_token", "[UNK]")
    if not isinstance(vocabulary, dict) or not all(type(number) is int for number in vocabulary.values()):
        raise TokenizerError("expected model.vocab of tokenizer.json to lead from tokens to whole numbers")
    if unknown not in vocabulary:
        raise TokenizerError(f"expected the unk_token {unknown} of tokenizer.json in its vocabulary")
    lowercase, strip = bool(normalizer.get("lowercase", True)), normalizer.get("strip_accents")
    added = [_added(token) for token in parts.get("added_tokens") or []]
    return WordPiece(
        vocabulary=vocabulary,
        unknown=unknown,
        prefix=str(model.get("continuing_subword_prefix", "##")),
        longest_word=int(model.get("max_input_chars_per_word", 100)),
        added=[name for name, _ in added],
        special=[name for name, is_special in added if is_special],
        around=_around(parts),
        clean_text=bool(normalizer.get("clean_text", True)),
        handle_chinese_chars=bool(normalizer.get("handle_chinese_chars", True)),
        strip_accents=lowercase if strip is None else bool(strip),
        lowercase=lowercase,
    )


def _around(parts: dict[str, Any]) -> list[str]:
    if parts.get("post_processor") is None:
        return []
    processor = _part(parts, "post_processor", ["BertProcessing"], {"type", "sep", "cls"})
    return [str(processor[name][0]) for name in ("cls", "sep") if isinstance(processor.get(name), list)]


def _added(token: Any) -> tuple[str, bool]:
    values = _members(token, {"id", "content", "special", *_SPACES}, "added_tokens")
    for name in _SPACES:
        _expect(values.get(name), [False, None], f"added_tokens.{name}")
    return str(values.get("content")), bool(values.get("special"))


def _part(parts: dict[str, Any], name: str, types: list[str], members: Collection[str]) -> dict[str, Any]:
    told = parts.get(name)
    if isinstance(told, dict):
        _expect(told.get("type"), list(types), f"{name}.type")
    return _members(told, members, name)


def _members(value: Any, known: Collection[str], place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TokenizerError(f"the mock expects an object as {place} of a tokenizer, got {json.dumps(value)}")
    strange = sorted(set(value) - set(known))
    if strange:
        told = ", ".join(sorted(known))
        raise TokenizerError(f"the mock expects in {place} of a tokenizer only {told}, got {strange[0]}")
    return value


def _expect(value: Any, choices: list[Any], place: str) -> None:
    if value not in choices:
        told = " or ".join(json.dumps(choice) for choice in choices)
        raise TokenizerError(f"the mock expects {told} as {place} of a tokenizer, got {json.dumps(value)}")


def _words(text: str) -> list[str]:
    """Split at blanks, with each sign of punctuation a word of its own."""
    spaced = "".join(f" {sign} " if _is_punctuation(sign) else sign for sign in text)
    return spaced.split()


def _is_blank(sign: str) -> bool:
    return sign in _BLANKS or sign.isspace()


def _is_control(sign: str) -> bool:
    if sign in _BLANKS:
        return False
    return sign in "\0\ufffd" or unicodedata.category(sign).startswith("C")


def _is_punctuation(sign: str) -> bool:
    is_ascii = sign.isascii() and sign.isprintable() and not sign.isalnum() and sign != " "
    return is_ascii or unicodedata.category(sign).startswith("P")


def _is_chinese(sign: str) -> bool:
    return any(low <= ord(sign) <= high for low, high in _CHINESE)
