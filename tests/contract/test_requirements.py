from __future__ import annotations

import pytest

from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.contract.model import Level, Requirement
from mlconform.conformance.contract.requirements import account, requirements

from .conftest import OVERLAY, PAGE, Project

REQUIREMENT = OVERLAY["requirements"][0]


def made(project: Project, **checks: tuple[str, ...]) -> dict[str, Requirement]:
    return {entry.requirement.id: entry.requirement for entry in requirements(project.facts(), checks)}


def test_endpoint_and_fields_come_by_pattern(project: Project) -> None:
    assert set(made(project)) == {
        "things.start.answer",
        "things.start.endpoint",
        "things.start.field.mode",
        "things.start.field.mode.unit",
        "things.start.field.speed",
    }


def test_a_field_has_its_row_as_source(project: Project) -> None:
    (source,) = made(project)["things.start.field.speed"].sources
    assert str(source) == "start:22 (2.3)"


def test_the_label_of_the_page_dates_its_requirements(project: Project) -> None:
    assert made(project)["things.start.endpoint"].since == "2.3"


def test_checks_are_attached_and_silence_the_reason_why_not(project: Project) -> None:
    project.write_overlay(requirements=[REQUIREMENT | {"unchecked": "It can't be seen."}])
    assert made(project)["things.start.answer"].unchecked == "It can't be seen."
    decided = made(project, **{"things.start.answer": ("test_a.py::test_b",)})["things.start.answer"]
    assert (decided.checks, decided.unchecked) == (("test_a.py::test_b",), None)


def test_an_observed_requirement_names_the_recorded_versions(project: Project) -> None:
    observed = {"id": "o", "level": "observed", "statement": "S.", "recordings": ["life#4"]}
    project.write_overlay(requirements=[observed])
    requirement = made(project)["o"]
    assert (requirement.level, requirement.recorded) == (Level.OBSERVED, ("2.3.0",))
    assert [str(source) for source in requirement.sources] == ["recording 2.3.0/life#4"]


def test_a_unit_that_no_page_has_is_named_with_the_nearest(project: Project) -> None:
    project.write_overlay(requirements=[REQUIREMENT | {"units": ["start/example-respons"]}])
    with pytest.raises(ContractError, match=r"start/example-respons'.*start/example-response"):
        made(project)


def test_an_entry_stands_in_for_what_a_pattern_makes(project: Project) -> None:
    project.write_overlay(requirements=[REQUIREMENT | {"id": "things.start.endpoint"}])
    assert made(project)["things.start.endpoint"].statement == REQUIREMENT["statement"]


def test_an_id_may_be_made_once_only(project: Project) -> None:
    pattern = {"id": "{area}.field", "statement": "It accepts `{name}`."}
    project.write_overlay(pages=[OVERLAY["pages"][0] | {"fields": pattern}])
    with pytest.raises(ContractError, match=r"things\.start\.field is made twice"):
        made(project)


def test_an_unknown_operation_is_refused(project: Project) -> None:
    project.write_overlay(requirements=[REQUIREMENT | {"operation": "stop_thing"}])
    with pytest.raises(ContractError, match=r"no operation 'stop_thing'.*start_thing"):
        made(project)


def test_a_draft_documents_nothing(project: Project) -> None:
    page = OVERLAY["pages"][0] | {"draft_from": "example-response"}
    project.write_overlay(pages=[page], requirements=[REQUIREMENT | {"level": "documented"}])
    with pytest.raises(ContractError, match="only the draft part of start says it"):
        made(project)


def test_every_unit_is_accounted_for_or_told(project: Project) -> None:
    facts = project.facts()
    left = [
        unit.key
        for unit in account(facts, requirements(facts, {}))
        if not unit.requirements and unit.excluded is None
    ]
    assert [key.split("/")[1] for key in left] == ["statement", "statement", "example-request"]


def test_a_unit_is_not_both_cited_and_excluded(project: Project) -> None:
    exclusion = {"reason": "No.", "units": ["start/example-response"]}
    project.write_overlay(exclusions=[*OVERLAY["exclusions"], exclusion])
    facts = project.facts()
    with pytest.raises(ContractError, match="is excluded, yet"):
        account(facts, requirements(facts, {}))


def test_a_unit_of_an_excluded_kind_that_is_cited_counts_as_required(project: Project) -> None:
    project.write_overlay(requirements=[REQUIREMENT | {"units": ["start/heading/endpoints"]}])
    facts = project.facts()
    record = next(
        unit for unit in account(facts, requirements(facts, {})) if unit.key == "start/heading/endpoints"
    )
    assert (record.requirements, record.excluded) == (("things.start.answer",), None)


def test_a_page_that_changed_changes_the_hash_of_the_source(project: Project) -> None:
    before = made(project)["things.start.field.speed"].sources
    project.write_page(PAGE.replace("How fast it goes.", "How fast it may go."))
    assert made(project)["things.start.field.speed"].sources != before


def test_a_field_in_two_tables_is_one_requirement_with_both_rows(project: Project) -> None:
    table = "## More\n\nField | Data type | Description\n:--- | :--- | :---\n`speed` | Integer | Again.\n\n"
    project.write_page(PAGE.replace("#### Example request", table + "#### Example request"))
    assert [str(source) for source in made(project)["things.start.field.speed"].sources] == [
        "start:22 (2.3)",
        "start:30 (2.3)",
    ]
