"""summary.json has the form that its schema says, and the numbers of the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from mlconform.conformance.contract.model import Impact
from mlconform.conformance.report.stream import Run
from mlconform.conformance.report.summary import render
from mlconform.conformance.report.verdicts import Kind, judge

SCHEMA = json.loads(Path(__file__).parents[2].joinpath("reports/summary.schema.json").read_text())


@pytest.mark.parametrize("name", ["sample", "hostile_run"])
def test_is_valid(name: str, request: pytest.FixtureRequest) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    document = json.loads(render(judge(request.getfixturevalue(name))))
    Draft202012Validator(SCHEMA, format_checker=FormatChecker()).validate(document)


def test_the_schema_has_the_words_of_the_code() -> None:
    requirement = SCHEMA["properties"]["requirements"]["items"]["properties"]
    assert requirement["verdict"]["enum"] == list(Kind)
    assert requirement["impact"]["enum"] == list(Impact)


def test_has_the_numbers_of_the_run(sample: Run) -> None:
    document = json.loads(render(judge(sample)))
    assert (document["decided"], document["in_force"], document["exit_code"]) == (51, 56, 1)
    assert document["counts"]["fail"] == 2
    assert document["findings"][0]["name"] == "osml.delete.group"
    assert sum(each["requirements"] for each in document["more"]) == document["counts"]["untestable"]
