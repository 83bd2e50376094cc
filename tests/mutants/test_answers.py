"""The score of a few operations by a few checks, and how firmly a member stands."""

from __future__ import annotations

from typing import Any, Final

import pytest

from mlconform.conformance.contract import store
from mlconform.conformance.contract.answers import Forms
from mlconform.conformance.contract.model import Level
from mlconform.conformance.mutants.alterations import Kind, Place
from mlconform.conformance.mutants.answers import Score, level_of, score

PART: Final[dict[str, Any]] = {
    "profiles": ("opensearch-ml",),
    "select": "*test_controllers*",
    "requirements": False,
}


@pytest.fixture(scope="module")
def found() -> Score:
    return score(**PART, operations=("*_controller",))


def test_only_the_named_operations_are_altered(found: Score) -> None:
    operations = {each.tried.mutant.place.operation for each in found.outcomes}
    assert operations == {f"{verb}_controller" for verb in ("create", "get", "update")}


def test_the_writes_are_answered_and_not_done_and_each_is_noticed(found: Score) -> None:
    undone = [each for each in found.outcomes if each.tried.mutant.kind is Kind.UNDONE]
    assert len(undone) == 2
    assert all(each.noticed for each in undone)


def test_no_altered_answer_is_an_error_of_ours(found: Score) -> None:
    assert [each.tried.error for each in found.outcomes if each.tried.error] == []


def test_a_share_is_a_part_that_the_seed_chooses() -> None:
    names = [
        [str(each.tried.mutant) for each in score(share=0.05, seed=seed, **PART).outcomes]
        for seed in (1, 1, 2)
    ]
    assert names[0] == names[1] != names[2]


@pytest.mark.parametrize(
    ("place", "level"),
    [
        (Place("get_task", 200, ("model_id",)), Level.DOCUMENTED),
        (Place("get_model", 200, ("nothing_of_the_pages",)), Level.OBSERVED),
        (Place("no_operation", 200, ("name",)), Level.OBSERVED),
    ],
)
def test_a_member_stands_as_firmly_as_the_pages_show_it(place: Place, level: Level) -> None:
    assert level_of(Forms.of(store.load("opensearch-ml", "3.4"), ""), place) is level
