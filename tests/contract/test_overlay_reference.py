"""docs/overlay.md is held to the loader: its keys, what it says is needed, and its examples."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlconform.conformance.contract import overlay as kinds
from mlconform.conformance.contract import overlay_files

from .conftest import OVERLAY, Project

PAGE = Path(__file__).parents[2] / "docs" / "overlay.md"
_SECTION = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| (.+?) \| `(.+)` \|$", re.MULTILINE)
# What the loader makes of the keys of each section, without the members that stand for a key of a mapping.
SECTIONS: dict[str, tuple[type, frozenset[str]]] = {
    "Overlay": (kinds.Overlay, frozenset()),
    "Pattern": (kinds.Pattern, frozenset()),
    "Page": (kinds.PageEntry, frozenset()),
    "Operation": (kinds.OperationEntry, frozenset({"cites"})),
    "Member": (kinds.Member, frozenset({"path"})),
    "Answer": (kinds.Answer, frozenset({"status"})),
    "Requirement": (kinds.RequirementEntry, frozenset({"cites"})),
    "Exclusion": (kinds.Exclusion, frozenset()),
    "Contradiction": (kinds.ContradictionEntry, frozenset({"cites"})),
    "Deviation": (kinds.DeviationEntry, frozenset({"cites"})),
}
OPERATION = OVERLAY["operations"][0]


def rows() -> dict[str, dict[str, tuple[str, str]]]:
    """The default and the example of each key, by section."""
    text = PAGE.read_text(encoding="utf-8")
    return {
        name: {row[1]: (row[3], row[4]) for row in _ROW.finditer(body)}
        for name, body in _SECTION.findall(text)
    }


def known(section: str) -> set[str]:
    """The keys that the loader takes in a section."""
    kind, hidden = SECTIONS[section]
    names = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if "cites" in hidden:
        names |= {field.name for field in dataclasses.fields(kinds.Citation)}
    return names - hidden


def changes(section: str, given: dict[str, Any]) -> dict[str, Any]:
    """An overlay's keys in which an entry of the section has what is given, and else only what it needs."""
    chosen = {} if given.keys() & {"units", "kind", "sections", "pages"} else {"pages": ["start"]}
    deviation = {"requirement": "r", "finding": "f", "recordings": ["a#1"], "recorded": ["2.3.0"]}
    operation = {
        "Operation": given,
        "Member": {"members": {"speed": {"schema": {}, "units": [], **given}}},
        "Answer": {"answers": {"200": given}},
    }
    return {
        "Overlay": given,
        "Pattern": {"endpoint": {**OVERLAY["endpoint"], "unchecked": "It is so.", **given}},
        "Page": {"pages": [{"id": "start", "file": "start.md", "area": "things.start", **given}]},
        "Requirement": {"requirements": [{**OVERLAY["requirements"][0], "unchecked": "It is so.", **given}]},
        "Exclusion": {"exclusions": [{"reason": "r", **chosen, **given}]},
        "Contradiction": {"contradictions": [{"id": "c", "finding": "f", "settled": "s", **given}]},
        "Deviation": {"deviations": [deviation | given]},
    }.get(section) or {"operations": [OPERATION | operation[section]]}


def test_the_page_has_every_section() -> None:
    assert rows().keys() == SECTIONS.keys()


@pytest.mark.parametrize("section", SECTIONS)
def test_the_page_has_the_keys_of_the_loader_and_no_others(section: str) -> None:
    assert set(rows()[section]) == known(section)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_example_loads_and_is_taken(section: str, project: Project) -> None:
    for key, (_, example) in rows()[section].items():
        given = yaml.safe_load(example)
        assert list(given) == [key], example
        project.write_overlay(**changes(section, given))
        overlay_files.load(project.root / "things" / "overlay.yaml")


@pytest.mark.parametrize("section", SECTIONS)
def test_what_has_no_default_is_told_to_be_needed(section: str) -> None:
    kind, _ = SECTIONS[section]
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        default = rows()[section].get(field.name, ("", ""))[0]
        has_default = (
            field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        )
        if default == "needed":
            assert not has_default, field.name
        elif default and not has_default:
            # What the loader itself fills in where the entry is silent.
            assert (section, field.name) in {("Operation", "level"), ("Member", "level")}
