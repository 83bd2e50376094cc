"""What a model's interface allows in and out."""

from __future__ import annotations

from typing import Any

import pytest


def test_input_is_held_to_the_interface(ml: Any) -> None:
    schema = {"type": "object", "properties": {"parameters": {"type": "object", "required": ["q"]}}}
    model_id = ml.deployed(interface={"input": schema})
    assert ml.predict(model_id, q="x").status == 200
    answer = ml.predict(model_id, z=1)
    assert answer.status == 400
    assert ml.reason(answer) == (
        "Error validating input schema: Validation failed: [$.parameters: required property 'q' not found] "
        'for instance: {"algorithm":"REMOTE","parameters":{"z":1},"action_type":"PREDICT"} with schema: '
        '{"type":"object","properties":{"parameters":{"type":"object","required":["q"]}}}'
    )


def test_a_wrong_type_is_told_with_both_types(ml: Any) -> None:
    model_id = ml.deployed(interface={"input": {"properties": {"parameters": {"type": "object"}}}})
    answer = ml.post(f"~/models/{model_id}/_predict", {})
    assert "[$.parameters: null found, object expected]" in ml.reason(answer)


def test_output_is_held_to_the_interface(ml: Any) -> None:
    model_id = ml.deployed(interface={"output": {"required": ["nothing"]}})
    answer = ml.predict(model_id)
    assert answer.status == 400
    assert ml.reason(answer).startswith("Error validating output schema")


def test_a_schema_that_points_elsewhere_is_not_fetched(ml: Any) -> None:
    model_id = ml.deployed(interface={"input": {"$ref": "http://127.0.0.1:9/schema"}})
    assert "the schema can't be applied" in ml.reason(ml.predict(model_id))


def test_a_model_that_is_not_in_memory_is_not_held_to_its_interface(ml: Any) -> None:
    model_id = ml.model(interface={"input": {"required": ["nothing"]}})
    assert ml.predict(model_id).status == 200
    ml.time.now += 1
    assert ml.predict(model_id).status == 400


NO_EXTRAS = "is not defined in the schema and the schema does not allow additional properties"


@pytest.mark.parametrize(
    ("parameters", "problems"),
    [
        ({"n": "x"}, [".n: string found, integer expected", ": required property 'q' not found"]),
        ({"q": "abc", "n": 1}, [".n: must have a minimum value of 2"]),
        ({"q": "b"}, [".q: must be at least 3 characters long", ".q: does not match the regex pattern ^a"]),
        ({"q": "abc", "e": 1}, [".e: does not have a value in the enumeration [x, 2]"]),
        ({"q": "abc", "z": 1, "y": 1}, [f": property 'y' {NO_EXTRAS}", f": property 'z' {NO_EXTRAS}"]),
    ],
)
def test_every_violation_of_an_interface_is_told(ml: Any, parameters: Any, problems: list[str]) -> None:
    members = {
        "q": {"type": "string", "minLength": 3, "pattern": "^a"},
        "n": {"type": "integer", "minimum": 2},
        "e": {"enum": ["x", 2]},
    }
    held = {"additionalProperties": False, "required": ["q"], "type": "object", "properties": members}
    model_id = ml.deployed(interface={"input": {"properties": {"parameters": held}}})
    reason = ml.reason(ml.post(f"~/models/{model_id}/_predict", {"parameters": parameters}))
    told = ", ".join(f"$.parameters{problem}" for problem in problems)
    assert f"[{told}] for instance" in reason


@pytest.mark.parametrize(
    ("version", "sent", "shown"),
    [
        ("2.19", "5", "5"),
        ("2.19", "5 apples", "5"),
        ("2.19", "an apple", '"an apple"'),
        ("2.19", "", "null"),
        ("3.4", "5", None),
    ],
)
def test_a_text_that_is_json_is_held_to_the_interface_as_a_value(
    make_client: Any, version: str, sent: str, shown: str | None
) -> None:
    ml = make_client(docs_version=version)
    held = {"properties": {"q": {"type": "string", "maxLength": 5}}}
    model_id = ml.deployed(interface={"input": {"properties": {"parameters": held}}})
    answer = ml.predict(model_id, q=sent)
    assert answer.status == (400 if shown else 200)
    assert shown is None or f'"parameters":{{"q":{shown}}}' in ml.reason(answer)
