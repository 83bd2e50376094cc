"""The score as text, JSON and page, and what fell since the published one."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from mlconform.conformance.contract.model import Level
from mlconform.conformance.mutants.alterations import Kind, Mutant, Place
from mlconform.conformance.mutants.answers import Named, Outcome, Score
from mlconform.conformance.mutants.matrix import Tried
from mlconform.conformance.mutants.page import as_json, as_page, fallen, percent, summary

NAME = Place("get_model", 200, ("name",))
TOOK = Place("search_models", 200, ("took",))


def outcome(
    place: Place = NAME,
    kind: Kind = Kind.VALUE,
    *,
    noticed: bool = True,
    level: Level = Level.DOCUMENTED,
    free: str | None = None,
    error: str | None = None,
    struck: bool = True,
) -> Outcome:
    killer = "test_models.py::test_get" if noticed else None
    return Outcome(
        "opensearch-ml", Tried(Mutant(place, kind), killer, frozenset(), error, struck), level, free
    )


@pytest.fixture
def score() -> Score:
    outcomes: Iterator[Outcome] = iter(
        [
            outcome(),
            outcome(kind=Kind.TYPE, noticed=False),
            outcome(TOOK, level=Level.OBSERVED, noticed=False, free="New each time."),
        ]
    )
    named = (Named("osml.a", Level.DOCUMENTED, "fault x"), Named("osml.b", Level.DOCUMENTED, None))
    return Score(tuple(outcomes), named)


def test_what_is_free_is_not_counted(score: Score) -> None:
    assert summary(score).splitlines()[0] == "50 % (1 of 2) of the altered answers are noticed"
    assert "1 are free" in summary(score)


def test_the_figures_are_by_kind_and_by_what_the_pages_show(score: Score) -> None:
    assert "  value, of members that the pages show: 100 % (1 of 1)" in summary(score).splitlines()
    assert "  type, of members that the pages show: 0 % (0 of 1)" in summary(score).splitlines()


def test_the_share_of_requirements_that_can_fail_is_told(score: Score) -> None:
    assert "50 % (1 of 2) of the decided requirements at level documented" in summary(score)


def test_json_has_the_survivors_and_the_reasons(score: Score) -> None:
    value = json.loads(as_json(score))
    assert value["survivors"] == ["opensearch-ml: get_model 200 name: type"]
    assert value["free"] == {"opensearch-ml: search_models 200 took: value": "New each time."}
    assert value["operations"]["opensearch-ml: get_model"] == {"mutants": 2, "noticed": 1}
    assert value["requirements"].items() >= {"osml.a": "fault x", "osml.b": None}.items()


def test_what_only_a_mock_with_users_decides_is_broken_by_its_fault(score: Score) -> None:
    requirements = json.loads(as_json(score))["requirements"]
    assert requirements["osml.access.wrong-credentials"] == "fault any-password"


def test_the_page_lists_what_was_not_noticed_and_what_no_mutant_broke(score: Score) -> None:
    page = as_page(score)
    assert "- opensearch-ml: get_model 200 name: type\n" in page
    assert "- osml.b (documented)\n" in page
    assert "- New each time. 1, such as opensearch-ml: search_models 200 took: value." in page


def test_what_is_no_longer_noticed_is_told(score: Score) -> None:
    worse = Score((outcome(noticed=False), *score.outcomes[1:]), ())
    assert fallen(worse, as_json(score)) == ["opensearch-ml: get_model 200 name: value"]


def test_what_was_not_noticed_before_may_go_on(score: Score) -> None:
    assert fallen(score, as_json(score)) == []


def test_an_answer_that_did_not_come_is_not_missed(score: Score) -> None:
    another = Score((outcome(noticed=False, struck=False), *score.outcomes[1:]), ())
    assert fallen(another, as_json(score)) == []


def test_an_answer_that_led_to_an_error_of_ours_is_told(score: Score) -> None:
    wrong = Score((outcome(error="test_get: KeyError"),), ())
    assert fallen(wrong, as_json(score)) == ["opensearch-ml: get_model 200 name: value: test_get: KeyError"]


def test_a_hundred_percent_is_said_only_of_all() -> None:
    assert percent(999, 1000).startswith("99 %")
    assert percent(0, 0).startswith("100 %")
