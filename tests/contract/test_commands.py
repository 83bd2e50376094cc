"""The commands about the contract and its requirements: what they print and how they end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mlconform.conformance.cli import main
from mlconform.conformance.contract import store


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_drift_between_versions_ends_with_1() -> None:
    result = call("contract", "drift", "2.19", "3.4", "--json")
    assert result.exit_code == 1
    names = {change["name"] for change in json.loads(result.stdout)["changes"]}
    assert {"osml.deploy.answer.status", "osml.get.states"} <= names


def test_no_drift_ends_with_0() -> None:
    result = call("contract", "drift", "3.4", "3.4")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "no difference")


@pytest.mark.parametrize("side", ["nowhere", "x3.4"])
def test_a_side_that_is_neither_version_nor_folder_is_told(side: str) -> None:
    result = call("contract", "drift", side, "3.4")
    assert result.exit_code == 2
    assert "expected a documentation version or a folder of pages" in result.stderr


def test_drift_between_folders_of_pages(docs: Path) -> None:
    pages = docs / "opensearch"
    result = call("contract", "drift", str(pages / "3.4"), str(pages / "3.8"))
    assert result.exit_code == 1
    assert "added unit: delete-model/error-body/404" in result.stdout


def test_deviations_are_shown_with_their_recordings() -> None:
    result = call("contract", "show", "--deviations")
    assert result.exit_code == 0
    assert "osml.undeploy.answer.value (opensearch-ml, recorded on 2.19.0)" in result.stdout
    assert "source: recording 3.4.0/lifecycle#9" in result.stdout


def test_contradictions_are_shown_for_one_version() -> None:
    result = call("contract", "show", "--contradictions", "--docs-version", "3.4")
    assert "sync-up-default (opensearch-ml 3.4)" in result.stdout
    assert "(opensearch-ml 3.8)" not in result.stdout


@pytest.mark.parametrize("flags", [[], ["--deviations", "--contradictions"]])
def test_one_part_is_shown_at_a_time(flags: list[str]) -> None:
    result = call("contract", "show", *flags)
    assert result.exit_code == 2
    assert "expected one of --contradictions and --deviations" in result.stderr


def test_the_coverage_of_a_version() -> None:
    result = call("requirements", "coverage", "--docs-version", "3.8", "--json")
    pages = json.loads(result.stdout)["pages"]
    assert {page["version"] for page in pages if page["profile"] == "opensearch-ml"} == {"3.8"}
    assert len(pages) > 40


def test_a_requirement_of_an_older_version() -> None:
    name = "osml.get.state.registered"
    assert "since: 3.4" in call("requirements", "show", name, "--docs-version", "3.4").stdout
    assert call("requirements", "show", name, "--docs-version", "2.19").exit_code == 2


@pytest.mark.parametrize(("extra", "code"), [("", 0), ("\nNobody has accounted for this.\n", 1)])
def test_a_unit_that_nothing_accounts_for_ends_the_commands_with_1(
    project: Any, monkeypatch: pytest.MonkeyPatch, extra: str, code: int
) -> None:
    project.write_page((project.docs / "start.md").read_text(encoding="utf-8") + extra)
    kinds = ("front-matter", "heading", "label", "liquid", "table-header", "field", "example-request")
    said = ["start/statement/becc9750", "start/statement/22acffa5"]
    project.write_overlay(
        pages=[{"id": "start", "file": "start.md", "area": "things.start"}],
        exclusions=[
            *({"kind": kind, "reason": "Promises nothing."} for kind in kinds),
            {"units": said, "reason": "Says what the endpoint does."},
        ],
    )
    places = ("--overlays", str(project.root), "--checks", str(project.suites))
    assert call("contract", "build", "--docs", str(project.docs), *places).exit_code == code
    checked = call("contract", "check", "--docs", str(project.docs), *places)
    assert checked.exit_code == code, checked.output
    assert ("nothing excludes it" in checked.stderr) is bool(code)
    monkeypatch.setattr(store, "roots", lambda: (project.root,))
    assert call("requirements", "coverage", "--profile", "things").exit_code == code
