from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlconform.conformance.contract.schemas import Sample, infer, of_type, place

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Integer", {"type": "integer"}),
        ("`String`", {"type": "string"}),
        ("Array of strings", {"type": "array", "items": {"type": "string"}}),
        ("Optional", None),
        ("", None),
    ],
)
def test_a_type_of_a_table_becomes_a_schema(text: str, expected: dict[str, Any] | None) -> None:
    assert of_type(text) == expected


@settings(deadline=None)
@given(st.lists(JSON, min_size=1, max_size=3), st.booleans())
def test_every_sample_fits_the_schema_made_of_them(values: list[Any], answer: bool) -> None:
    schema = infer([Sample(value, "here") for value in values], answer=answer)
    jsonschema.Draft202012Validator.check_schema(schema)
    for value in values:
        jsonschema.validate(value, schema, cls=jsonschema.Draft202012Validator)


def test_an_answer_requires_what_every_sample_has() -> None:
    samples = [Sample({"a": 1, "b": 2}, "x"), Sample({"a": 1}, "y")]
    assert infer(samples, answer=True)["required"] == ["a"]
    assert "required" not in infer(samples, answer=False)


def test_a_member_says_where_it_comes_from() -> None:
    schema = infer([Sample({"a": 1}, "x"), Sample({"a": 2}, "y")], answer=True)
    assert schema["properties"]["a"]["x-source"] == ["x", "y"]
    assert schema["properties"]["a"]["x-level"] == "example"


def test_a_member_named_like_an_id_stands_for_any_id() -> None:
    schema = infer([Sample({"sv7-3CbwQW-4PiIsDOfLxQ": {"stats": 1}}, "x")], answer=True)
    assert schema["additionalProperties"]["required"] == ["stats"]
    assert "properties" not in schema


def test_a_large_integer_has_the_format_of_64_bits() -> None:
    assert infer([Sample(1685478486057, "x")], answer=True) == {"type": "integer", "format": "int64"}


def test_placing_a_member_keeps_what_lies_beneath() -> None:
    root: dict[str, Any] = {"type": "object"}
    place(root, ["a", "b"], {"type": "string"})
    place(root, ["a"], {"type": "object", "x-level": "documented"})
    assert root["properties"]["a"] == {
        "type": "object",
        "properties": {"b": {"type": "string"}},
        "x-level": "documented",
    }
