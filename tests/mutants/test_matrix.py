"""The matrix on a part of the suite: what a run meets, and what its checks notice of answers made wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from mlconform.conformance.contract.model import Contract, Level
from mlconform.conformance.mutants.alterations import Kind, Mutant, Place
from mlconform.conformance.mutants.matrix import (
    Baseline,
    Impatient,
    Job,
    Matrix,
    Noticed,
    Tried,
    in_order,
    run_matrix,
)
from mlconform.conformance.outcomes import Nonconformance
from mlconform.conformance.running.options import RunOptions

# The checks of controllers: few, quick, and they write and read.
OPTIONS = RunOptions(profile="opensearch-ml", level=Level.OBSERVED, select="*test_controllers*")
LIMIT = Mutant(Place("get_controller", 200, ("user_rate_limiter",)), Kind.LEFT_OUT)
CREATED = Mutant(Place("create_controller", 200), Kind.UNDONE)
CHARSET = Mutant(Place("get_controller", 200, ("nothing", "has", "this")), Kind.LEFT_OUT)


@pytest.fixture(scope="module")
def matrix() -> Matrix:
    def plan(contract: Contract, baseline: Baseline, results: Sequence[Tried]) -> Iterator[list[Job]]:
        del contract, results
        everything = list(baseline.met)
        yield [Job(mutant, in_order(baseline, mutant.place)) for mutant in (LIMIT, CREATED)]
        yield [Job(CHARSET, everything)]
        yield [Job(LIMIT, everything, until="osml.no.such.requirement")]

    return run_matrix(OPTIONS, plan, workers=2)


def tried(matrix: Matrix, mutant: Mutant) -> Tried:
    return next(each for each in matrix.results if each.mutant == mutant)


def test_the_baseline_knows_what_each_check_met(matrix: Matrix) -> None:
    assert matrix.baseline is not None
    meeting = [name for name, met in matrix.baseline.met.items() if LIMIT.place in met]
    assert meeting
    assert all("test_controllers" in name for name in meeting)
    assert matrix.baseline.methods[CREATED.place] == "POST"


def test_a_member_left_out_is_noticed(matrix: Matrix) -> None:
    found = tried(matrix, LIMIT)
    assert (found.killer is not None, found.struck, found.error) == (True, True, None)
    assert found.named


def test_a_write_that_is_not_done_is_noticed(matrix: Matrix) -> None:
    assert tried(matrix, CREATED).killer is not None


def test_what_is_not_there_strikes_nothing_and_nobody_notices(matrix: Matrix) -> None:
    assert tried(matrix, CHARSET) == Tried(CHARSET, None, frozenset(), None, struck=False)


def test_a_requirement_that_is_looked_for_keeps_the_checks_going(matrix: Matrix) -> None:
    looked, first = matrix.results[-1], tried(matrix, LIMIT)
    assert looked.named >= first.named


def test_checks_of_answers_come_first_then_the_quick_ones() -> None:
    place = Place("get_model", 200)
    sent = {"a::test_many": 900, "b::test_late": 20, "c::test_soon": 10, "test_answers.py::test": 20}
    met = {name: frozenset({place}) for name in sent} | {"d::test_elsewhere": frozenset()}
    baseline = Baseline({}, {}, sent | {"d::test_elsewhere": 0}, met, {})
    assert in_order(baseline, place) == ["test_answers.py::test", "c::test_soon", "b::test_late"]


class _Watch:
    def __init__(self) -> None:
        self.differences: list[Nonconformance] = []

    def saw(self, exchange: object, *, racing: bool) -> None:
        del exchange, racing
        self.differences.append(Nonconformance("a.b", expected="x", came="y"))


def test_a_check_ends_at_the_first_difference_of_the_watch() -> None:
    watch = Impatient(_Watch(), None)  # type: ignore[arg-type]
    with pytest.raises(Noticed):
        watch.saw(None, racing=False)  # type: ignore[arg-type]
    assert watch.met == {"a.b"}


def test_a_check_goes_on_until_the_requirement_that_is_looked_for() -> None:
    Impatient(_Watch(), "a.c").saw(None, racing=False)  # type: ignore[arg-type]
    with pytest.raises(Noticed):
        Impatient(_Watch(), "a.b").saw(None, racing=False)  # type: ignore[arg-type]
