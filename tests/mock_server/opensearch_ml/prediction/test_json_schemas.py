"""The words in which a violation of a model's interface is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlconform.mock_server.opensearch_ml.prediction.json_schemas import faults_of


@pytest.mark.parametrize(
    ("schema", "value", "told"),
    [
        ({"type": ["string", "null"]}, 5, ["$: integer found, [string, null] expected"]),
        ({"type": "integer"}, True, ["$: boolean found, integer expected"]),
        ({"const": "a"}, "b", ["$: must be the constant value 'a'"]),
        ({"maximum": 2}, 3, ["$: must have a maximum value of 2"]),
        ({"exclusiveMinimum": 0}, 0, ["$: must have an exclusive minimum value of 0"]),
        ({"multipleOf": 2}, 3, ["$: must be multiple of 2"]),
        ({"maxLength": 1}, "ab", ["$: must be at most 1 characters long"]),
        ({"minItems": 2, "uniqueItems": True}, [1], ["$: must have at least 2 items but found 1"]),
        ({"maxItems": 1}, [1, 2], ["$: must have at most 1 items but found 2"]),
        ({"uniqueItems": True}, [1, 1], ["$: must have only unique items in the array"]),
        ({"items": {"type": "string"}}, ["a", 1], ["$[1]: integer found, string expected"]),
        ({"not": {"type": "string"}}, "a", ['$: must not be valid to the schema {"type":"string"}']),
        (
            {"properties": {"a-b c": {"enum": [1, "x"]}}},
            {"a-b c": 2},
            ["$.a-b c: does not have a value in the enumeration [1, x]"],
        ),
        (
            {"anyOf": [{"type": "string"}, {"minimum": 3}]},
            2,
            ["$: integer found, string expected", "$: must have a minimum value of 3"],
        ),
        (
            {"oneOf": [{"type": "string"}, {"type": "null"}]},
            2,
            [
                "$: must be valid to one and only one schema, but 0 are valid",
                "$: integer found, string expected",
                "$: integer found, null expected",
            ],
        ),
        (
            {"oneOf": [{}, {"type": "integer"}, {}]},
            2,
            ["$: must be valid to one and only one schema, but 2 are valid with indexes '0, 1'"],
        ),
        (
            {"required": ["b"], "type": "object", "properties": {"a": {"type": "string"}}},
            {"a": 1},
            ["$.a: integer found, string expected", "$: required property 'b' not found"],
        ),
    ],
)
def test_a_violation_is_told_in_the_validator_s_words(schema: Any, value: Any, told: list[str]) -> None:
    assert faults_of(value, json.dumps(schema)) == told
