"""Tokenizers of the format of Hugging Face's tokenizers: WordPiece after BERT's normalizer and pre-tokenizer.

Everything else that a `tokenizer.json` can say is refused, with what it was.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


class TokenizerError(ValueError):
    """A tokenizer that the mock cannot read; the message says what it expected and what came."""


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """The words that a text is cut into, and those among them that say nothing of the text."""

    words: frozenset[str]
    special: frozenset[str]
    unknown: str
    goes_on: str
    longest: int
    lowercase: bool

    @classmethod
    def read(cls, values: Any) -> Tokenizer:
        """From the JSON of a `tokenizer.json`. Raises TokenizerError."""
        model = _part(values, "model", "WordPiece")
        _part(values, "pre_tokenizer", "BertPreTokenizer")
        normalizer = _part(values, "normalizer", "BertNormalizer")
        words = model.get("vocab")
        if not isinstance(words, dict):
            raise TokenizerError(f"expected an object in model.vocab of tokenizer.json, got {words!r}")
        added = values.get("added_tokens") or []
        return cls(
            frozenset(words),
            frozenset(str(token.get("content")) for token in added if token.get("special")),
            str(model.get("unk_token", "[UNK]")),
            str(model.get("continuing_subword_prefix", "##")),
            int(model.get("max_input_chars_per_word", 100)),
            bool(normalizer.get("lowercase", True)),
        )

    def tokens(self, text: str) -> list[str]:
        """The words of a text in their order, without special ones."""
        found = (token for word in _words(self._normal(text)) for token in self._pieces(word))
        return [token for token in found if token not in self.special]

    def _normal(self, text: str) -> str:
        if not self.lowercase:
            return text
        plain = unicodedata.normalize("NFD", text)
        return "".join(sign for sign in plain if unicodedata.category(sign) != "Mn").lower()

    def _pieces(self, word: str) -> list[str]:
        """The longest pieces that are known, from the left; a word with one that is not known is unknown."""
        if len(word) > self.longest:
            return [self.unknown]
        pieces: list[str] = []
        begin = 0
        while begin < len(word):
            prefix = self.goes_on if begin else ""
            ends = range(len(word), begin, -1)
            end = next((end for end in ends if prefix + word[begin:end] in self.words), None)
            if end is None:
                return [self.unknown]
            pieces.append(prefix + word[begin:end])
            begin = end
        return pieces


def _part(values: Any, name: str, kind: str) -> Mapping[str, Any]:
    part = values.get(name) if isinstance(values, dict) else None
    found = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict) or found != kind:
        raise TokenizerError(
            f"expected {kind} as {name} of tokenizer.json, which the mock reads, got {found}"
        )
    return part


def _words(text: str) -> Iterator[str]:
    """What stands between blanks and signs, and each sign by itself."""
    word = ""
    for sign in text:
        is_mark = sign in _PUNCTUATION or unicodedata.category(sign).startswith("P")
        if not is_mark and not sign.isspace():
            word += sign
            continue
        if word:
            yield word
        word = ""
        if is_mark:
            yield sign
    if word:
        yield word
