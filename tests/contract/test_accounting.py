"""What pages give by pattern, and what is excluded by section: endpoints, examples, query parameters."""

from __future__ import annotations

from typing import Any

import pytest

from mlconform.conformance.contract import openapi
from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.contract.overlay_files import load
from mlconform.conformance.contract.requirements import account, requirements

from .conftest import OVERLAY, PAGE, Project

SEARCH = PAGE.replace(
    "POST /things/<thing_id>/_start\n", "POST /things/<thing_id>/_start\nGET /things/<thing_id>/_start\n"
)
QUERY = PAGE.replace(
    "## Request body fields",
    "## Query parameters\n\nField | Data type | Description\n:--- | :--- | :---\n"
    "`wait` | Boolean | Whether to wait. Default is `false`.\n\n## Request body fields",
)
PATTERNS: dict[str, Any] = {
    "example": {"id": "{area}.example", "level": "example", "statement": "A request of {operation}."},
    "answer": {"id": "{area}.answer.{status}", "level": "example", "statement": "An answer of {operation}."},
    "pages": [OVERLAY["pages"][0] | {"examples": True}],
    "requirements": [],
}
GET = {"id": "get_thing", "route": "GET /things/{thing_id}/_start", "summary": "S", "level": "documented"}


def ids(project: Project) -> set[str]:
    return {entry.requirement.id for entry in requirements(project.facts(), {})}


def left(project: Project) -> list[str]:
    """The units that nothing accounts for."""
    facts = project.facts()
    records = account(facts, requirements(facts, {}))
    return [record.key for record in records if not record.requirements and record.excluded is None]


def test_a_second_endpoint_has_its_operation_in_the_id(project: Project) -> None:
    project.write_page(SEARCH)
    project.write_overlay(operations=[*OVERLAY["operations"], GET])
    assert {"things.start.endpoint", "things.start.endpoint.get_thing"} <= ids(project)


def test_examples_become_requirements_by_pattern(project: Project) -> None:
    project.write_overlay(**PATTERNS)
    assert {"things.start.example.starting-slowly", "things.start.answer.200"} <= ids(project)


def test_an_example_that_an_entry_speaks_of_is_left_to_it(project: Project) -> None:
    project.write_overlay(**PATTERNS | {"requirements": OVERLAY["requirements"]})
    assert "things.start.answer.200" not in ids(project)


def test_a_query_parameter_is_none_of_the_body(project: Project) -> None:
    project.write_page(QUERY)
    document = openapi.document(project.facts())
    operation = document["paths"]["/things/{thing_id}/_start"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    (wait,) = [entry for entry in operation["parameters"] if entry["in"] == "query"]
    assert (wait["name"], wait["schema"]["type"], wait["schema"]["default"]) == ("wait", "boolean", False)
    assert "wait" not in schema["properties"]


def test_a_section_takes_its_sections_along(project: Project) -> None:
    project.write_page(PAGE + "\n## More\n\nOne.\n\n### Much more\n\nTwo.\n\n## Else\n\nThree.\n")
    before = set(left(project))
    project.write_overlay(exclusions=[*OVERLAY["exclusions"], {"reason": "R.", "sections": ["start/more"]}])
    gone = before - set(left(project))
    assert len(gone) == 2
    assert len([key for key in left(project) if key.startswith("start/statement/")]) == 3


def test_a_page_takes_only_its_prose_along_unless_it_names_more(project: Project) -> None:
    project.write_overlay(requirements=[], exclusions=[{"reason": "R.", "pages": ["start"]}])
    assert "start/example-response" in left(project)
    excluded = {"reason": "R.", "pages": ["start"], "kinds": ["example-response"]}
    project.write_overlay(requirements=[], exclusions=[excluded])
    assert "start/example-response" not in left(project)


def test_a_requirement_takes_a_unit_out_of_its_section(project: Project) -> None:
    excluded = {"reason": "R.", "pages": ["start"], "kinds": ["example-response"]}
    project.write_overlay(exclusions=[excluded])
    facts = project.facts()
    records = {record.key: record for record in account(facts, requirements(facts, {}))}
    assert records["start/example-response"].requirements == ("things.start.answer",)
    assert records["start/example-response"].excluded is None


def test_a_unit_of_any_page_is_named_with_a_star(project: Project) -> None:
    project.write_overlay(requirements=[], exclusions=[{"reason": "R.", "units": ["*/example-response"]}])
    assert "start/example-response" not in left(project)


def test_entries_may_stand_in_files_of_their_areas(project: Project) -> None:
    project.write_overlay(requirements=[])
    folder = project.root / "things" / "overlay"
    folder.mkdir()
    text = "requirements:\n- {id: a, level: example, statement: S., units: [start/example-response]}\n"
    (folder / "answers.yaml").write_text(text, encoding="utf-8")
    assert "a" in ids(project)


@pytest.mark.parametrize("text", ["pages: []", "requirements: {}", "- a"])
def test_a_file_of_an_area_holds_entries_alone(project: Project, text: str) -> None:
    folder = project.root / "things" / "overlay"
    folder.mkdir()
    (folder / "answers.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ContractError, match=r"answers\.yaml"):
        load(project.root / "things" / "overlay.yaml")
