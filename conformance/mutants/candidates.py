"""What may break a requirement: answers made wrong that its checks meet, the most likely first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from mlconform.conformance.contract.model import Contract, Requirement
from mlconform.conformance.mutants.alterations import Kind, Mutant, Place
from mlconform.conformance.mutants.altering import NO_OPERATION
from mlconform.conformance.mutants.faults import BROKEN, broken_by
from mlconform.conformance.mutants.matrix import Baseline, Job, Tried

# Sends something and writes nothing.
_NO_WRITE: Final = ("search", "predict", "profile", "create_completion")
# A requirement that none of so many alterations of what its checks meet breaks is left.
_MOST_ROUNDS: Final = 24
_MOST_CHECKS: Final = 3
# How often a list of several gives way to the one after it.
_OF_ANSWERS: Final = 8
_OF_MEMBERS: Final = 8


def undone(baseline: Baseline) -> list[Mutant]:
    """Every write that was answered with success, answered and not done."""
    return [
        Mutant(place, Kind.UNDONE)
        for place, method in sorted(baseline.methods.items())
        if method != "GET"
        and place.status < 300
        and place.operation != NO_OPERATION
        and not place.operation.startswith(_NO_WRITE)
    ]


def rounds(contract: Contract, baseline: Baseline, results: Sequence[Tried]) -> Iterator[list[Job]]:
    """Each requirement that was not named yet with the next mutant that may break it, again and again."""
    checks: dict[str, list[str]] = {}
    for name, bound in baseline.bound.items():
        for requirement in bound:
            checks.setdefault(requirement, []).append(name)
    waiting = {
        name: candidates(contract.requirements[name], baseline, found)
        for name, found in sorted(checks.items())
    }
    for _ in range(_MOST_ROUNDS):
        named = {name for tried in results for name in tried.named}
        named |= {name for fault in BROKEN for name in broken_by(fault)}
        jobs = []
        for name, mutants in waiting.items():
            following = None if name in named else next(mutants, None)
            if following is not None:
                quick = sorted(checks[name], key=lambda each: baseline.requests[each])[:_MOST_CHECKS]
                jobs.append(Job(following, quick, until=name))
        if not jobs:
            return
        yield jobs


def candidates(requirement: Requirement, baseline: Baseline, checks: Sequence[str]) -> Iterator[Mutant]:
    """What its checks meet answered otherwise, not done, or altered; each mutant once.

    First the answers of the requirement's own operation, successes before refusals, then the members that it
    names, then the rest.
    """
    met = {place for name in checks for place in baseline.met[name]}
    # What few checks meet is nearest to what these are about.
    rare = sorted(met, key=lambda place: (sum(place in each for each in baseline.met.values()), place))
    given: set[Mutant] = set()
    for mutant in _ordered(requirement, baseline, rare):
        if mutant not in given:
            given.add(mutant)
            yield mutant


def _ordered(requirement: Requirement, baseline: Baseline, rare: Sequence[Place]) -> Iterator[Mutant]:
    answers = [place for place in rare if not place.path]
    members = [place for place in rare if place.path and place in baseline.members]
    own = sorted(
        (place for place in answers if place.operation == requirement.operation),
        key=lambda place: place.status,
    )
    writes = {mutant.place for mutant in undone(baseline)}
    yield from _otherwise(own, writes)
    # That an operation is there is also told by what refuses.
    yield from (Mutant(place, Kind.NO_ROUTE) for place in own)
    words = _words(requirement)
    named = [place for place in members if words & {*place.path[-1:]}]
    named.sort(key=lambda place: place.operation != requirement.operation)
    yield from _wrong(baseline, named[:_OF_MEMBERS])
    yield from _otherwise(answers[:_OF_ANSWERS], writes)
    yield from _wrong(baseline, members)


def _otherwise(answers: Sequence[Place], writes: set[Place]) -> Iterator[Mutant]:
    for place in answers:
        yield Mutant(place, Kind.STATUS)
        if place.status < 300:
            yield Mutant(place, Kind.NO_ROUTE)
        if place in writes:
            yield Mutant(place, Kind.UNDONE)


def _wrong(baseline: Baseline, members: Sequence[Place]) -> Iterator[Mutant]:
    for kind in (Kind.VALUE, Kind.LEFT_OUT):
        for place in members:
            if kind in baseline.members[place].kinds(place.path):
                yield Mutant(place, kind)


def _words(requirement: Requirement) -> set[str]:
    """The members that it names: the end of its id, and what its statement quotes."""
    quoted = re.findall(r"`([^`]+)`", requirement.statement)
    return {step for name in (requirement.id, *quoted) for step in [name.rpartition(".")[2]]}
