"""Bodies in YAML are written as a node writes them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from mlconform.mock_server.opensearch_ml.bodies.yaml_bodies import write_yaml


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": "b", "n": None, "e": []}, 'a: "b"\nn: null\ne: []\n'),
        ({"a": {"b": {"c": 1}}}, "a:\n  b:\n    c: 1\n"),
        ({"a": [1, 2]}, "a:\n- 1\n- 2\n"),
        ({"a": [{"b": 1, "c": [True]}]}, "a:\n- b: 1\n  c:\n  - true\n"),
    ],
)
def test_objects_are_indented_and_lists_are_not(value: Any, text: str) -> None:
    assert write_yaml(value) == f"---\n{text}"
    assert yaml.safe_load(text) == value
