"""Findings: the differences of a run, each told apart by requirement and signature, the gravest first."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mlconform.conformance.contract.model import Impact
from mlconform.conformance.report.events import KnownDeviation, Outcome, RequirementListed
from mlconform.conformance.report.verdicts import Evidence, Judgement, Kind, Verdict, kind_of

# In the name of a file.
_UNSAFE = re.compile(r"[^\w.-]")
_ORDER = (Kind.FAIL, Kind.FLAKY, Kind.WARN, Kind.ERROR, Kind.KNOWN)


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference from one requirement, or our own error on it, with all that the run knows of it.

    `name` is its own within the run and may be a file's: the requirement's id, with a number where it is
    not the first.
    `evidence` begins with what took the fewest requests. It was `seen` in so many of `tries`. `known`
    names the known set that would have accepted it, had the run been given it.
    """

    name: str
    verdict: Verdict
    kind: Kind
    signature: str
    evidence: tuple[Evidence, ...]
    seen: int
    tries: int
    known: str = ""

    @property
    def requirement(self) -> RequirementListed:
        return self.verdict.requirement

    @property
    def impact(self) -> Impact:
        return Impact(self.requirement.impact)

    @property
    def telling(self) -> Evidence:
        """The evidence that a reader sees first."""
        return self.evidence[0]


@dataclass(frozen=True, slots=True)
class Group:
    """Findings that belong under one heading."""

    title: str
    findings: tuple[Finding, ...]


def findings(judgement: Judgement) -> tuple[Finding, ...]:
    """All of them: what the target does differently by what it means to a user, then our own errors, then
    what is known."""
    found = [
        each for verdict in judgement.verdicts for each in findings_of(verdict, judgement.run.deviations)
    ]
    return tuple(sorted(found, key=_rank))


def groups(found: Sequence[Finding]) -> tuple[Group, ...]:
    """The findings under headings; a heading without a finding is not there."""
    new = [each for each in found if _new(each)]
    parts = [
        *((impact.capitalize(), [each for each in new if each.impact is impact]) for impact in Impact),
        ("Our own errors", [each for each in found if each.kind is Kind.ERROR]),
        ("Known and accepted", [each for each in found if each.kind is Kind.KNOWN]),
    ]
    return tuple(Group(title, tuple(each)) for title, each in parts if each)


def known_set(found: Iterable[Finding]) -> tuple[str, int] | None:
    """The known set that would accept most of these findings, and how many; None where none would."""
    counted = Counter(each.known for each in found if each.known)
    return counted.most_common(1)[0] if counted else None


def findings_of(verdict: Verdict, deviations: Sequence[KnownDeviation] = ()) -> Iterator[Finding]:
    """Those of one requirement, the gravest verdict first."""
    told: dict[tuple[Kind, str], list[Evidence]] = defaultdict(list)
    for each in verdict.evidence:
        if each.decision.outcome in {Outcome.FAIL, Outcome.FLAKY, Outcome.ERROR}:
            told[kind_of(each, binding=verdict.binding), each.decision.signature].append(each)
    ordered = sorted(told.items(), key=lambda item: (_ORDER.index(item[0][0]), item[0][1]))
    for number, ((kind, signature), evidence) in enumerate(ordered, 1):
        name = _UNSAFE.sub("_", verdict.requirement.id)
        shortest = sorted(evidence, key=lambda each: len(each.check.exchanges))
        yield Finding(
            name=name if number == 1 else f"{name}-{number}",
            verdict=verdict,
            kind=kind,
            signature=signature,
            evidence=tuple(shortest),
            seen=sum(each.decision.seen for each in evidence),
            tries=sum(each.decision.tries for each in evidence),
            known=_known(verdict.requirement.id, kind, signature, deviations),
        )


def _known(name: str, kind: Kind, signature: str, deviations: Sequence[KnownDeviation]) -> str:
    if kind not in {Kind.FAIL, Kind.WARN}:
        return ""
    fitting = (
        each.known for each in deviations if each.requirement == name and each.signature in (None, signature)
    )
    return next(fitting, "")


def _new(finding: Finding) -> bool:
    return finding.kind not in {Kind.ERROR, Kind.KNOWN}


def _rank(finding: Finding) -> tuple[int, int, int, str]:
    apart = 0 if _new(finding) else _ORDER.index(finding.kind)
    return apart, list(Impact).index(finding.impact), _ORDER.index(finding.kind), finding.name
