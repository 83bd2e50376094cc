from __future__ import annotations

from typing import Any

import pytest

from mlconform.conformance.contract.contradictions import contradictions, findings, forbid_settling_nothing
from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.contract.model import Contradiction

from .conftest import PAGE, Project

FRAGMENT = """# Stop

Stops it.

```yaml
openapi: 3.1.0
security: []
paths:
  /things/{thing_id}/_start:
    post:
      description: Stops it.
      parameters:
        - name: thing_id
          in: path
          schema:
            type: string
      responses:
        '400':
          content:
            application/json:
              example: {detail: no}
        '422':
          description: Invalid
      security:
        - Token: []
```
"""


def all_of(project: Project) -> tuple[Contradiction, ...]:
    facts = project.facts()
    return contradictions(facts, findings(facts))


def found(project: Project, text: str) -> list[str]:
    project.write_page(text)
    return sorted(name.removeprefix("start/") for name in findings(project.facts()))


def test_a_page_without_contradictions_has_none(project: Project) -> None:
    assert found(project, PAGE) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ('"speed": 4', '"speed": "4"', "example-type/speed"),
        ('"speed": 4', '"pace": 4', "unlisted-member/pace"),
        ('"unit": "A"', '"unit": "C"', "example-value/mode.unit"),
        ("| Integer |", "| Optional |", "unknown-type/speed"),
        ("POST /things/abc/_start\n", "", "no-request-line/example-request/starting-slowly"),
        ("POST /things/abc", "POST things/abc", "relative-path/example-request/starting-slowly"),
        ("abc/_start", "abc/_stop", "unlisted-endpoint/example-request/starting-slowly"),
        ("Default is `3`.", "Default is `3`. |", "row-width"),
        ("## Endpoints", "# Endpoints", "second-title/endpoints"),
        ("## Request body fields", "## Endpoints", "same-heading/endpoints"),
        ("Starts a thing.", "Starts a thing after 2.3.", "vague-version/2.3"),
    ],
)
def test_a_rule_finds_what_does_not_fit(project: Project, before: str, after: str, expected: str) -> None:
    assert before in PAGE
    assert expected in found(project, PAGE.replace(before, after))


SETTINGS = """Set `{span}` now.

```
PUT /_cluster/settings
{{"persistent": {{"a.sync_up_job_seconds": {value}}}}}
```
"""


@pytest.mark.parametrize(
    ("span", "value", "expected"),
    [
        ("syn_up", "1", ["setting-name/syn_up"]),
        ("sync_up_job_", "1", ["setting-name/sync_up_job_"]),
        ("a.sync_up_job_seconds", "1", []),
        ("thing_id", "1", []),
        ("x", '"false"', ["flag-as-string/a.sync_up_job_seconds"]),
        ("x", "false", []),
    ],
)
def test_settings_in_prose_and_example_are_compared(
    project: Project, span: str, value: str, expected: list[str]
) -> None:
    assert found(project, SETTINGS.format(span=span, value=value)) == expected


def test_an_openapi_document_is_held_against_itself(project: Project) -> None:
    assert found(project, FRAGMENT) == [
        "answer-without-schema/400",
        "security/post",
        "undeclared-refusal/post",
        "unreachable-answer/422",
    ]


def test_a_description_that_is_not_the_prose_is_found(project: Project) -> None:
    text = FRAGMENT.replace("description: Stops it.", "description: Starts it.")
    assert "description/post" in found(project, text)


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "id": "speed",
        "finding": "F.",
        "settled": "S.",
        "units": ["start/field/speed"],
        "settles": ["start/example-type/speed"],
    } | changes


def test_a_settled_finding_gives_way_to_its_entry(project: Project) -> None:
    project.write_page(PAGE.replace('"speed": 4', '"speed": "4"'))
    assert [known.settled for known in all_of(project)] == [None, None]
    both = ["start/example-type/speed", "start/invalid-example/example-request/starting-slowly"]
    project.write_overlay(contradictions=[entry(settles=both)])
    assert [(known.id, known.settled) for known in all_of(project)] == [("speed", "S.")]


def test_an_entry_that_settles_nothing_any_more_is_refused(project: Project) -> None:
    project.write_overlay(contradictions=[entry()])
    facts = project.facts()
    with pytest.raises(ContractError, match="start/example-type/speed, which no rule finds any more"):
        forbid_settling_nothing(facts.overlay, findings(facts))
