"""How many wrong answers the suite notices: every member of every answer of a run, and every write."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from mlconform.conformance.contract.answers import Form, Forms
from mlconform.conformance.contract.model import Contract, Level
from mlconform.conformance.mutants.alterations import Mutant, Place, mutants_of
from mlconform.conformance.mutants.candidates import rounds, undone
from mlconform.conformance.mutants.faults import BROKEN, broken_by
from mlconform.conformance.mutants.free import why_free
from mlconform.conformance.mutants.matrix import Baseline, Job, Matrix, Tried, in_order, run_matrix
from mlconform.conformance.running.options import RunOptions

PROFILES: Final = ("opensearch-ml", "nugen")
# What is free counts for nothing; it is tried to see that it ends in no error of ours.
_CHECKS_OF_FREE: Final = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """A mutant with what became of it; `level` is that of the member, `free` why it may be so."""

    profile: str
    tried: Tried
    level: Level
    free: str | None

    @property
    def noticed(self) -> bool:
        return self.tried.killer is not None


@dataclass(frozen=True, slots=True)
class Named:
    """A requirement that the run decided, and a mutant that its own checks named it for, if there is one."""

    requirement: str
    level: Level
    mutant: str | None


@dataclass(frozen=True, slots=True)
class Score:
    """What became of all mutants, and which of the decided requirements can fail."""

    outcomes: tuple[Outcome, ...]
    named: tuple[Named, ...]


def score(
    *,
    share: float = 1.0,
    seed: int = 0,
    workers: int = 2,
    requirements: bool = True,
    operations: Sequence[str] = (),
    profiles: Sequence[str] = PROFILES,
    select: str = "",
) -> Score:
    """Try every mutant of the answers of a run on the mock, or a seeded share of them.

    Only those of `operations` where some are named (globs), by the checks that `select` leaves. With
    `requirements`, also look for a mutant for each decided requirement that none has broken yet.
    """
    outcomes: list[Outcome] = []
    named: list[Named] = []
    for profile in profiles:
        plan = _Plan(share, seed, requirements, operations)
        options = RunOptions(level=Level.OBSERVED, profile=profile, select=select)
        matrix = run_matrix(options, plan, workers)
        outcomes += _outcomes(profile, matrix, plan)
        if requirements:
            named += _named(matrix)
    return Score(tuple(outcomes), tuple(named))


class _Plan:
    """First the members and the writes, then what may break the requirements that none of them broke."""

    def __init__(self, share: float, seed: int, requirements: bool, operations: Sequence[str]) -> None:
        self._share = share
        self._seed = seed
        self._requirements = requirements
        self._operations = operations or ("*",)
        self.first: set[Mutant] = set()

    def __call__(
        self, contract: Contract, baseline: Baseline, results: Sequence[Tried]
    ) -> Iterator[list[Job]]:
        mutants = [*mutants_of(baseline.members), *undone(baseline)]
        chosen = random.Random(self._seed).sample(mutants, round(len(mutants) * self._share))
        chosen = [each for each in chosen if self._names(each.place.operation)]
        self.first = set(chosen)
        yield [_job(mutant, contract, baseline) for mutant in sorted(chosen)]
        if self._requirements:
            yield from rounds(contract, baseline, results)

    def _names(self, operation: str) -> bool:
        return any(fnmatchcase(operation, each) for each in self._operations)


def _job(mutant: Mutant, contract: Contract, baseline: Baseline) -> Job:
    """All checks that meet the member; of those of a free one, which mostly none notices, a few."""
    checks = in_order(baseline, mutant.place)
    return Job(mutant, checks[:_CHECKS_OF_FREE] if why_free(mutant, contract) else checks)


def _outcomes(profile: str, matrix: Matrix, plan: _Plan) -> list[Outcome]:
    forms = Forms.of(matrix.contract, "")
    first = {tried.mutant: tried for tried in reversed(matrix.results) if tried.mutant in plan.first}
    return [
        Outcome(profile, tried, level_of(forms, mutant.place), why_free(mutant, matrix.contract))
        for mutant, tried in sorted(first.items())
    ]


def _named(matrix: Matrix) -> list[Named]:
    """The requirements that passed without a mutant, with the first that broke each."""
    assert matrix.baseline is not None
    by = {requirement: f"fault {name}" for name in BROKEN for requirement in broken_by(name)}
    for tried in reversed(matrix.results):
        by |= dict.fromkeys(tried.named, str(tried.mutant))
    decided = sorted({name for bound in matrix.baseline.bound.values() for name in bound})
    levels = matrix.contract.requirements
    return [Named(name, levels[name].level, by.get(name)) for name in decided]


def level_of(forms: Forms, place: Place) -> Level:
    """How firmly the pages show a member: observed where they do not."""
    for form in forms.by_answer.get((place.operation, str(place.status)), ()):
        found = _shown(form, place.path)
        if found is not None:
            return Level(found)
    return Level.OBSERVED


def _shown(form: Form, path: Sequence[str]) -> str | None:
    """The level at which a form has the member at this place, or None."""
    nodes: list[tuple[Mapping[str, Any], str]] = _with_references(form, form.schema, "")
    for step in path:
        following: list[tuple[Mapping[str, Any], str]] = []
        for node, level in nodes:
            inner = node.get("items") if step == "[]" else node.get("properties", {}).get(step)
            inner = inner or (node.get("additionalProperties") if step == "*" else None)
            if isinstance(inner, Mapping):
                following += _with_references(form, inner, level)
        nodes = following
    levels = [level for _, level in nodes if level]
    return min(levels, key=lambda level: Level(level).rank) if levels else None


def _with_references(form: Form, node: Mapping[str, Any], level: str) -> list[tuple[Mapping[str, Any], str]]:
    """The schema and the shared one that it refers to, each with its level."""
    here = str(node.get("x-level", level))
    reference = node.get("$ref")
    if not isinstance(reference, str):
        return [(node, here)]
    shared: Any = form.schema
    for step in reference.removeprefix("#/").split("/"):
        shared = shared[step]
    return [(node, here), *_with_references(form, shared, level)]
