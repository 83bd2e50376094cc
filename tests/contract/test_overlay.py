from __future__ import annotations

from typing import Any

import pytest

from conformance.contract import overlay_files
from conformance.contract.errors import ContractError
from conformance.contract.overlay import Overlay

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
        ({"requirements": "none"}, "requirements: expected a list, found str"),
        ({"requirements": [1]}, r"requirements\[0\]: expected a mapping, found int"),
        ({"exclusions": [{"reason": "r"}]}, "give one of units, a kind, sections and pages"),
        ({"operations": [{"id": "x", "level": "documented"}]}, "operation x: expected text under 'route'"),
        ({"title": None}, "title is missing"),
        ({"more": 1}, "unknown key more"),
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
