"""WordPiece tokenizers: the tokens of texts as recorded nodes find them, and what no such tokenizer is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlconform.mock_server.opensearch_ml.prediction.word_piece import TokenizerError, read_word_piece

FILE = Path(__file__).parents[3] / "scenarios/files/tokenizer.json"
VALUES: dict[str, Any] = json.loads(FILE.read_bytes())


def read(**changes: Any) -> Any:
    return read_word_piece(json.dumps(VALUES | changes).encode())


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("hello world model", {"hello", "world", "model"}),
        ("Hello, WORLDS! model models", {"hello", "world", "##s", "model"}),
        ("héllo wörld", {"hello", "world"}),
        ("hello-world hello", {"hello", "world"}),
        ("nothing known", set()),
        ("世界hello世界", {"hello"}),
        ("##s s", set()),
        ("[CLS] hello [SEP]", {"hello"}),
        ("hellos\tworld\nmodel\0", {"hello", "##s", "world", "model"}),
        ("", set()),
    ],
)
def test_a_text_has_the_tokens_that_were_recorded(text: str, tokens: set[str]) -> None:
    assert set(read().tokens(text)) == tokens


def test_a_word_that_is_too_long_is_unknown() -> None:
    model = VALUES["model"] | {"max_input_chars_per_word": 4}
    assert read(model=model).tokens("hello") == []


def test_capitals_and_accents_stay_where_nothing_lowers_them() -> None:
    plain = VALUES["normalizer"] | {"lowercase": False}
    assert read(normalizer=plain).tokens("Hello hello") == ["hello"]


def test_a_token_that_is_not_special_is_shown() -> None:
    added = [token | {"special": token["content"] != "[UNK]"} for token in VALUES["added_tokens"]]
    assert read(added_tokens=added).tokens("hello unheard") == ["hello", "[UNK]"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"model": {"type": "BPE", "merges": []}},
            'expects "WordPiece" as model.type of a tokenizer, got "BPE"',
        ),
        ({"pre_tokenizer": {"type": "Whitespace"}}, 'expects "BertPreTokenizer" as pre_tokenizer.type'),
        ({"normalizer": None}, "expects an object as normalizer of a tokenizer, got null"),
        ({"truncation": {"max_length": 512}}, "expects null as truncation"),
        ({"decoder": {"type": "ByteLevel"}}, 'expects "WordPiece" as decoder.type'),
        ({"extra": 1}, "got extra"),
        ({"model": VALUES["model"] | {"dropout": 0.1}}, "got dropout"),
        ({"model": VALUES["model"] | {"unk_token": "[NO]"}}, "expected the unk_token [NO]"),
        ({"model": VALUES["model"] | {"vocab": {"a": "b"}}}, "from tokens to whole numbers"),
    ],
)
def test_what_it_can_not_tokenize_with_is_refused_by_name(changes: Any, told: str) -> None:
    with pytest.raises(TokenizerError) as refused:
        read(**changes)
    assert told in str(refused.value)


def test_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(TokenizerError, match=r"expected tokenizer\.json to be JSON"):
        read_word_piece(b"{")
