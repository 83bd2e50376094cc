"""The score of the answers' mutants as text, as JSON, and as a page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from mlconform.conformance.contract.model import Level
from mlconform.conformance.mutants.alterations import Kind
from mlconform.conformance.mutants.answers import Outcome, Score
from mlconform.conformance.mutants.faults import BROKEN, broken_by

_SHOWN = (Level.DOCUMENTED, Level.EXAMPLE)


def percent(part: int, whole: int) -> str:
    """Rounded down: 100 % is said only of all."""
    return f"{100 * part // whole if whole else 100} % ({part} of {whole})"


def summary(score: Score) -> str:
    """The figures, a line each."""
    return "\n".join(_figures(score))


def _figures(score: Score) -> Iterator[str]:
    judged = [each for each in score.outcomes if each.free is None]
    yield f"{percent(sum(each.noticed for each in judged), len(judged))} of the altered answers are noticed"
    for kind in Kind:
        for shown in (True, False):
            of_kind = [
                each for each in judged if each.tried.mutant.kind is kind and (each.level in _SHOWN) is shown
            ]
            if of_kind:
                where = "of members that the pages show" if shown else "of others"
                yield f"  {kind}, {where}: {percent(sum(each.noticed for each in of_kind), len(of_kind))}"
    yield f"{len(score.outcomes) - len(judged)} are free, by their nature or because no source says"
    for level in (Level.DOCUMENTED, Level.EXAMPLE, Level.OBSERVED):
        found = [each for each in score.named if each.level is level]
        if found:
            told = percent(sum(each.mutant is not None for each in found), len(found))
            yield f"{told} of the decided requirements at level {level} are broken by a mutant and named"


def as_json(score: Score) -> str:
    """The score with every survivor, every free member, and the mutant that breaks each requirement."""
    judged = [each for each in score.outcomes if each.free is None]
    value: dict[str, Any] = {
        "figures": list(_figures(score)),
        "mutants": len(judged),
        "noticed": sum(each.noticed for each in judged),
        "operations": _by_operation(judged),
        "survivors": sorted(_name(each) for each in judged if not each.noticed),
        "free": {_name(each): each.free for each in score.outcomes if each.free is not None},
        "requirements": dict(sorted((_faults() | _named(score)).items())),
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _named(score: Score) -> dict[str, str | None]:
    return {each.requirement: each.mutant for each in score.named}


def _faults() -> dict[str, str | None]:
    """What only a mock with users decides is broken by faults alone."""
    return {requirement: f"fault {name}" for name in BROKEN for requirement in broken_by(name)}


def _name(outcome: Outcome) -> str:
    return f"{outcome.profile}: {outcome.tried.mutant}"


def _by_operation(judged: Iterable[Outcome]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for each in judged:
        counts = found.setdefault(
            f"{each.profile}: {each.tried.mutant.place.operation}", {"mutants": 0, "noticed": 0}
        )
        counts["mutants"] += 1
        counts["noticed"] += each.noticed
    return dict(sorted(found.items()))


def as_page(score: Score) -> str:
    """The same for people, in Markdown."""
    judged = [each for each in score.outcomes if each.free is None]
    lines = ["# Answers guarded", "", "Made by `mlconform mutants --answers`.", ""]
    lines += [f"- {line.strip()}" for line in _figures(score)]
    lines += ["", "| operation | altered answers | noticed |", "| --- | ---: | ---: |"]
    lines += [
        f"| {name} | {each['mutants']} | {each['noticed']} |" for name, each in _by_operation(judged).items()
    ]
    lines += ["", "## Not noticed", ""]
    lines += [f"- {name}" for name in sorted(_name(each) for each in judged if not each.noticed)]
    lines += ["", "## Free", ""]
    reasons: dict[str, list[str]] = {}
    for each in score.outcomes:
        if each.free is not None:
            reasons.setdefault(each.free, []).append(_name(each))
    lines += [f"- {reason} {len(names)}, such as {names[0]}." for reason, names in sorted(reasons.items())]
    lines += ["", "## Requirements that no mutant broke", ""]
    lines += [f"- {each.requirement} ({each.level})" for each in score.named if each.mutant is None]
    return "\n".join(lines) + "\n"


def fallen(score: Score, published: str) -> list[str]:
    """What this score does not notice and the published one did, and answers that led to an error of ours.

    An answer that a race brings about does not come in each run; then there was nothing to notice.
    """
    known = set(json.loads(published)["survivors"])
    judged = [each for each in score.outcomes if each.free is None]
    missed = [each for each in judged if each.tried.struck and not each.noticed]
    lost = sorted(_name(each) for each in missed if _name(each) not in known)
    errors = sorted(f"{_name(each)}: {each.tried.error}" for each in score.outcomes if each.tried.error)
    return lost + errors
