"""JSON as the Java libraries of a node read and write it."""

from __future__ import annotations

from typing import Any

import pytest

from mock_server.opensearch_ml.java_json import escaped, gson_text, in_map_order, is_json


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": None, "b": [None, True]}, '{"b":[null,true]}'),
        ([1, 1.0, 0.001, 1e7, -2.5e-4, 0.0], "[1,1.0,0.001,1.0E7,-2.5E-4,0.0]"),
        ("<a & 'b'> = \u00e9", '"\\u003ca \\u0026 \\u0027b\\u0027\\u003e \\u003d \u00e9"'),
        (None, "null"),
    ],
)
def test_gson_writes_as_it_does(value: Any, text: str) -> None:
    assert gson_text(value) == text


def test_keys_come_in_the_order_of_a_hash_map() -> None:
    assert in_map_order(["q", "other", "z", "model", "endpoint"]) == ["q", "other", "endpoint", "z", "model"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"q": hello}', True),
        ("{q: 'a b'}", True),
        ("[1]", True),
        ('{"q": hello world}', False),
        ('{"q": ${parameters.q}}', False),
        ('{"q": }', False),
        ('{"q": 1} x', False),
        ("5", False),
        ("", False),
    ],
)
def test_what_a_node_takes_for_json(text: str, expected: bool) -> None:
    assert is_json(text) is expected


def test_a_text_is_escaped_for_the_inside_of_a_string() -> None:
    assert escaped('a/"b"\n\u00e9\U0001f600') == 'a\\/\\"b\\"\\n\\u00E9\\uD83D\\uDE00'
