"""Values as the text in which a node keeps them."""

from __future__ import annotations

from typing import Any

import pytest

from mlconform.mock_server.opensearch_ml.prediction import gson
from mlconform.mock_server.opensearch_ml.prediction.java_maps import in_map_order


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": None, "b": [None, True]}, '{"b":[null,true]}'),
        ({"required": ["a"], "type": "object"}, '{"type":"object","required":["a"]}'),
        ([1, 1.0, 0.001, 1e7, -2.5e-4, 0.0], "[1,1.0,0.001,1.0E7,-2.5E-4,0.0]"),
        ("<a & 'b'> = \u00e9", '"\\u003ca \\u0026 \\u0027b\\u0027\\u003e \\u003d \u00e9"'),
        (None, "null"),
    ],
)
def test_a_value_becomes_text(value: Any, text: str) -> None:
    assert gson.to_text(value) == text


def test_numbers_are_read_as_doubles() -> None:
    read = gson.read('{"a": [1, true, null, "x"]}', doubles=True)
    assert repr(read) == "{'a': [1.0, True, None, 'x']}"


def test_a_number_that_is_none_is_read_as_its_name() -> None:
    assert gson.read("[NaN, -1e999, 1e999, 7]") == ["NaN", "-Infinity", "Infinity", 7]


def test_what_is_nested_too_deep_is_no_json() -> None:
    with pytest.raises(ValueError, match="too deep"):
        gson.read("[" * 200 + "]" * 200)


def test_keys_come_in_the_order_of_a_hash_map() -> None:
    assert in_map_order(["q", "other", "z", "model", "endpoint"]) == ["q", "other", "endpoint", "z", "model"]
