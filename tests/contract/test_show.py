from __future__ import annotations

import json

import pytest

from mlconform.conformance.contract import show, store
from mlconform.conformance.contract.build import build
from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.contract.model import Contract

from .conftest import PAGE, Project


@pytest.fixture
def contract(project: Project) -> Contract:
    project.write_page(PAGE.replace('"speed": 4', '"speed": "4"'))
    build(project.docs, overlays=project.root)
    return store.load("things", root=project.root)


def test_the_list_has_a_line_a_requirement(contract: Contract) -> None:
    lines = show.requirements([contract]).split("\n")
    assert [line.split()[0] for line in lines] == list(contract.requirements)


def test_the_json_list_has_sources(contract: Contract) -> None:
    values = json.loads(show.requirements_json([contract]))
    assert {value["id"] for value in values} == set(contract.requirements)
    assert all(value["sources"] for value in values)


def test_one_requirement_is_shown_with_its_source(contract: Contract) -> None:
    text = show.requirement([contract], "things.start.field.speed")
    assert "source: start:22 (2.3)" in text
    assert "undecided" in text


def test_an_unknown_requirement_is_told_with_those_near_it(contract: Contract) -> None:
    with pytest.raises(ContractError, match=r"did you mean .*things\.start\.answer"):
        show.requirement([contract], "things.start.answr")


def test_an_unsettled_contradiction_is_shown_as_such(contract: Contract) -> None:
    text = show.contradictions([contract])
    assert "start/example-type/speed (things 2.3)" in text
    assert "not settled" in text


def test_every_shipped_contradiction_is_settled_and_cited() -> None:
    for profile in store.profiles():
        for entry in store.load(profile).contradictions:
            assert entry.settled, entry.id
            assert entry.sources, entry.id
