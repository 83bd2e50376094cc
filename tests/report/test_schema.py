"""reports/run.schema.json describes what EventWriter writes, no more and no less."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from mlconform.conformance.contract.model import Level
from mlconform.conformance.report.events import (
    SCHEMA_VERSION,
    Decision,
    Event,
    ExchangeRecord,
    Outcome,
    RequirementListed,
)
from mlconform.conformance.report.stream import Run
from mlconform.conformance.report.verdicts import Kind

SCHEMA = json.loads(Path(__file__).parents[2].joinpath("reports/run.schema.json").read_text())
DEFINITIONS = SCHEMA["$defs"]
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=FormatChecker())


def event_name(kind: type[Any]) -> str:
    return next(str(item.default) for item in fields(kind) if item.name == "event")


def test_is_a_json_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", ["sample", "hostile_run"])
def test_every_line_that_is_written_is_valid(
    name: str, request: pytest.FixtureRequest, write: Callable[[Run], Path]
) -> None:
    lines = write(request.getfixturevalue(name)).read_text().splitlines()
    assert len(lines) > 5
    for line in lines:
        VALIDATOR.validate(json.loads(line))


@pytest.mark.parametrize("kind", get_args(Event), ids=event_name)
def test_has_the_members_of_each_event(kind: type[Any]) -> None:
    definition = DEFINITIONS[event_name(kind)]
    assert set(definition["properties"]) == {item.name for item in fields(kind)}
    required = {
        item.name for item in fields(kind) if item.default is MISSING and item.default_factory is MISSING
    }
    assert set(definition["required"]) >= required
    assert {"$ref": f"#/$defs/{event_name(kind)}"} in SCHEMA["oneOf"]


@pytest.mark.parametrize(("name", "kind"), [("decision", Decision), ("exchange", ExchangeRecord)])
def test_has_the_members_of_their_parts(name: str, kind: type[Any]) -> None:
    assert set(DEFINITIONS[name]["properties"]) == {item.name for item in fields(kind)}


def test_has_the_words_of_the_code() -> None:
    assert DEFINITIONS["decision"]["properties"]["outcome"]["enum"] == list(Outcome)
    assert DEFINITIONS["requirement"]["properties"]["level"]["enum"] == list(Level)
    assert DEFINITIONS["run_finished"]["properties"]["verdicts"]["propertyNames"]["enum"] == list(Kind)
    assert DEFINITIONS["run_started"]["properties"]["schema_version"]["const"] == SCHEMA_VERSION


@pytest.mark.parametrize(
    "change",
    [{"event": "later"}, {"level": "strict"}, {"sources": "001.md"}, {"statement": None}, {"checks": [1]}],
)
def test_a_line_that_is_wrong_is_invalid(build: Any, change: dict[str, object]) -> None:
    right: RequirementListed = build.requirement()
    line = {item.name: getattr(right, item.name) for item in fields(right)}
    line = json.loads(json.dumps(line))
    assert VALIDATOR.is_valid(line)
    assert not VALIDATOR.is_valid({**line, **change})
