from __future__ import annotations

from typing import Any

import pytest

from mlconform.conformance.contract import build, overlay_files
from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.contract.overlay import Overlay

from .conftest import OVERLAY, Project

REQUIREMENT = OVERLAY["requirements"][0]


def load(project: Project) -> Overlay:
    return overlay_files.load(project.root / "things" / "overlay.yaml")


def test_an_overlay_is_read(project: Project) -> None:
    read = load(project)
    assert (read.profile, read.pages[0].id, str(read.operations[0].route)) == (
        "things",
        "start",
        "POST /things/{thing_id}/_start",
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"requirements": [REQUIREMENT | {"levle": "x"}]}, "things.start.answer: unknown key levle"),
        (
            {"requirements": [REQUIREMENT | {"level": "strong"}]},
            "expected a level .documented.*found 'strong'",
        ),
        ({"requirements": [REQUIREMENT, REQUIREMENT]}, "things.start.answer is there twice"),
        ({"requirements": [{**REQUIREMENT, "units": []}]}, "rests on nothing"),
        ({"requirements": [REQUIREMENT | {"level": "observed"}]}, "needs recordings"),
        (
            {"requirements": [REQUIREMENT | {"recordings": ["a/3"]}]},
            "expected a recording as scenario#exchange",
        ),
        ({"requirements": "none"}, r"overlay\.yaml:\d+: requirements: expected a list, found text 'none'"),
        ({"requirements": [1]}, r"requirements\[0\]: expected a mapping, found 1"),
        ({"exclusions": [{"reason": "r"}]}, "give one of units, a kind, sections and pages"),
        ({"operations": [{"id": "x", "level": "documented"}]}, "operation x: expected text under 'route'"),
        ({"title": None}, "title is missing"),
        ({"more": 1}, "unknown key more"),
        ({"endpoint": None}, r"overlay\.yaml:\d+: endpoint: expected a mapping, found nothing"),
        ({"versions": [2.3]}, r"overlay\.yaml:\d+: .*versions: expected a list of texts .* needs quotes"),
        ({"title": ["x"]}, r"title: expected text, found a list"),
        ({"folders": "x"}, r"folders: expected a mapping, found text 'x'"),
        ({"pages": [OVERLAY["pages"][0] | {"own": "yes"}]}, "own: expected true or false, found text 'yes'"),
        ({"impacts": {"things": "bad"}}, r"overlay\.yaml:\d+: impacts, things: expected an impact of"),
    ],
)
def test_a_wrong_entry_is_named(project: Project, changes: dict[str, Any], message: str) -> None:
    project.write_overlay(**changes)
    with pytest.raises(ContractError, match=message):
        load(project)


@pytest.mark.parametrize("text", ["a: [", "- a\n", "\x00"])
def test_what_is_no_mapping_in_yaml_is_refused(project: Project, text: str) -> None:
    (project.root / "things" / "overlay.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ContractError, match=r"overlay\.yaml"):
        load(project)


def test_an_error_names_the_line_of_the_key(project: Project) -> None:
    path = project.root / "things" / "overlay.yaml"
    text = path.read_text(encoding="utf-8").replace("level: example", "level: strong")
    line = text.split("\n").index("  level: strong") + 1
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContractError, match=rf"overlay\.yaml:{line}: requirement things\.start\.answer: "):
        load(project)


def test_an_error_in_the_file_of_an_area_names_that_file(project: Project) -> None:
    folder = project.root / "things" / "overlay"
    folder.mkdir()
    (folder / "speed.yaml").write_text("requirements:\n- id: things.speed\n  levle: x\n", encoding="utf-8")
    with pytest.raises(ContractError, match=r"speed\.yaml:3: requirement things\.speed|speed\.yaml:2: "):
        load(project)


def test_a_page_whose_examples_are_of_no_operation_says_so(project: Project) -> None:
    page = OVERLAY["pages"][0] | {"examples": True}
    pattern = {"id": "{area}.example", "statement": "It takes the example."}
    project.write_overlay(pages=[page], example=pattern)
    silent = build.generate(project.docs, project.root, project.suites).notes
    project.write_overlay(pages=[page], example=pattern, operations=[], requirements=[])
    told = build.generate(project.docs, project.root, project.suites).notes
    assert not [note for note in silent if "examples: true" in note]
    assert [note for note in told if "page start of things: `examples: true`, yet no entry under" in note]
