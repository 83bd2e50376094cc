from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlconform.conformance.contract import store
from mlconform.conformance.contract.build import build, folder_contract
from mlconform.conformance.contract.drift import Change, Way, as_json, as_text, drift
from mlconform.conformance.contract.errors import ContractError

from .conftest import PAGE, Project

CHANGED = PAGE.replace("Default is `3`.", "Default is `4`.").replace('"STARTED"', '"BEGUN"')


@pytest.fixture
def folders(project: Project, tmp_path: Path) -> tuple[Path, Path]:
    """The page of the small profile before and after it changed."""
    before, after = tmp_path / "before", tmp_path / "after"
    for folder, text in ((before, PAGE), (after, CHANGED)):
        folder.mkdir()
        (folder / "start.md").write_text(text, encoding="utf-8")
    build(project.docs, overlays=project.root)
    return before, after


def changes(project: Project, before: Path, after: Path) -> tuple[Change, ...]:
    return drift(folder_contract(before, project.root), folder_contract(after, project.root)).changes


def test_the_same_folder_has_no_difference(project: Project, folders: tuple[Path, Path]) -> None:
    before, _ = folders
    assert changes(project, before, before) == ()


def test_a_default_and_a_status_that_changed_are_told(project: Project, folders: tuple[Path, Path]) -> None:
    found = {(change.part, change.name): change for change in changes(project, *folders)}
    default = found["member", "start_thing request speed"]
    assert (default.way, '"default": 3' in default.before, '"default": 4' in default.after) == (
        Way.CHANGED,
        True,
        True,
    )
    assert '"BEGUN"' in found["member", "start_thing 200 status"].after


def test_a_changed_unit_touches_what_rests_on_it(project: Project, folders: tuple[Path, Path]) -> None:
    found = {(change.part, change.name): change for change in changes(project, *folders)}
    assert found["unit", "start/example-response"].requirements == ("things.start.answer",)
    assert found["unit", "start/field/speed"].requirements == ("things.start.field.speed",)


def test_a_page_that_is_gone_takes_its_requirements_along(
    project: Project, folders: tuple[Path, Path]
) -> None:
    before, after = folders
    (after / "start.md").write_text("# Start a thing\n", encoding="utf-8")
    removed = {change.name for change in changes(project, before, after) if change.part == "requirement"}
    assert "things.start.answer" in removed
    assert "things.start.endpoint" in removed


def test_a_folder_without_any_page_is_told(project: Project, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="expected a folder with documentation pages"):
        folder_contract(tmp_path / "nowhere", project.root)


def test_deploy_is_answered_otherwise_from_3_4_on() -> None:
    found = drift(store.load("opensearch-ml", "2.19"), store.load("opensearch-ml", "3.4"))
    by_name = {(change.part, change.name): change for change in found.changes}
    status = by_name["requirement", "osml.deploy.answer.status"]
    assert (status.way, "DEPLOYING" in status.before, "CREATED" in status.after) == (Way.CHANGED, True, True)
    example = by_name["unit", "deploy-model/example-response"]
    assert example.way is Way.CHANGED
    assert (
        "opensearch_ml/test_local_deploy.py::TestAllNodes::test_the_answered_status_is_the_documented_one"
        in example.checks
    )


def test_a_missing_model_is_refused_by_the_page_from_3_8_on() -> None:
    found = drift(store.load("opensearch-ml", "3.4"), store.load("opensearch-ml", "3.8"))
    added = {change.name for change in found.changes if change.way is Way.ADDED}
    assert {"delete-model/error-body/404", "osml.delete.not-found", "delete_model 404"} <= added


def test_the_text_ends_with_the_sums(project: Project, folders: tuple[Path, Path]) -> None:
    before, after = (folder_contract(folder, project.root) for folder in folders)
    lines = as_text(drift(before, after)).split("\n")
    assert lines[0] == "things: before -> after"
    assert lines[-1].startswith("0 added, 0 removed, ")
    assert as_text(drift(before, before)).endswith("no difference")


def test_the_json_holds_every_change(project: Project, folders: tuple[Path, Path]) -> None:
    before, after = (folder_contract(folder, project.root) for folder in folders)
    found = drift(before, after)
    assert len(json.loads(as_json(found))["changes"]) == len(found.changes)
