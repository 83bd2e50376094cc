"""From the events of a run to verdicts: what is said of each requirement, and of the whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from mlconform.conformance.contract.model import Level
from mlconform.conformance.report.events import (
    CheckFinished,
    Decision,
    Outcome,
    Problem,
    RequirementListed,
    RunFinished,
    Waiver,
)
from mlconform.conformance.report.exit_code import ExitCode
from mlconform.conformance.report.notes import notes
from mlconform.conformance.report.stream import Run
from mlconform.conformance.report.waivers import Difference, covering, holding, stale


class Kind(StrEnum):
    """What a run says of one requirement. The order is from what asks most attention to least."""

    FAIL = "fail"
    ERROR = "error"
    FLAKY = "flaky"
    WARN = "warn"
    KNOWN = "known"
    UNTESTABLE = "untestable"
    INAPPLICABLE = "inapplicable"
    PASS = "pass"

    @property
    def decided(self) -> bool:
        """Whether the run found out if the requirement holds."""
        return self in {Kind.PASS, Kind.WARN, Kind.FAIL, Kind.KNOWN}


class Conclusion(StrEnum):
    """The headline."""

    CONFORMANT = "conformant"
    NOT_CONFORMANT = "not conformant"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One decision, and the check that made it. `waiver` is the one that accepts its failure."""

    decision: Decision
    check: CheckFinished
    waiver: Waiver | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the run says of a requirement. `evidence` is all of it, `telling` the part that gave the kind.

    `binding` says that the requirement's level is one on which this run fails.
    """

    requirement: RequirementListed
    kind: Kind
    reason: str
    binding: bool
    evidence: tuple[Evidence, ...] = ()
    telling: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Noted:
    """An unspecified requirement and what was seen of it: written down, never judged."""

    requirement: RequirementListed
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """The run in numbers. `percent` is 0 to 100: the decided of those in force, which are all
    verdicts but the inapplicable. `because` says in sentences what led to conclusion and exit code.
    """

    counts: Mapping[Kind, int]
    decided: int
    in_force: int
    percent: float
    conclusion: Conclusion
    exit_code: ExitCode
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A run and all that follows from it. `not_run` are the requirements that the selection left out,
    and those that a run which ended early did not reach.

    `problems` are the run's own and those that judging it brought to light; `notes` are sentences on
    its waivers that a reader should know and that change no exit code.
    """

    run: Run
    verdicts: tuple[Verdict, ...]
    not_run: tuple[RequirementListed, ...]
    noted: tuple[Noted, ...]
    problems: tuple[Problem, ...]
    stale_waivers: tuple[Waiver, ...]
    notes: tuple[str, ...]
    summary: Summary


def judge(run: Run, waivers: Sequence[Waiver] | None = None) -> Judgement:
    """The verdicts of a run, with the waivers it was given, or with others."""
    waivers = run.waivers if waivers is None else waivers
    evidence = _evidence(run, holding(waivers, run.day))
    verdicts: list[Verdict] = []
    not_run: list[RequirementListed] = []
    noted: list[Noted] = []
    listed = {requirement.id: requirement for requirement in run.requirements}
    for requirement in listed.values():
        found = evidence.get(requirement.id, ())
        if requirement.level == Level.UNSPECIFIED:
            noted.append(Noted(requirement, found))
        elif _left_out(requirement, run, found):
            not_run.append(requirement)
        else:
            verdicts.append(_verdict(requirement, run, found))
    problems = (*run.problems, *_unlisted(evidence, listed))
    unused = _stale_waivers(run, waivers, verdicts, evidence)
    return Judgement(
        run=run,
        verdicts=tuple(verdicts),
        not_run=tuple(not_run),
        noted=tuple(noted),
        problems=problems,
        stale_waivers=unused,
        notes=notes(run, waivers, unused),
        summary=_summary(run, verdicts, not_run, problems, unused),
    )


def footer(run: Run, finished_at: str, duration: float) -> RunFinished:
    """The footer that ends a run which has none yet: its exit code and its verdicts by kind."""
    end = RunFinished(finished_at=finished_at, duration=duration, exit_code=ExitCode.CONFORMANT)
    summary = judge(replace(run, footer=end)).summary
    verdicts = {kind.value: count for kind, count in summary.counts.items()}
    return replace(end, exit_code=int(summary.exit_code), verdicts=verdicts)


def _evidence(run: Run, waivers: Sequence[Waiver]) -> dict[str, tuple[Evidence, ...]]:
    found = defaultdict(list)
    for check in run.checks:
        for decision in check.decisions:
            waiver = None
            if decision.outcome is Outcome.FAIL:
                waiver = covering(waivers, _difference(decision, check))
            found[decision.requirement].append(Evidence(decision, check, waiver))
    return {requirement: tuple(evidence) for requirement, evidence in found.items()}


def _difference(decision: Decision, check: CheckFinished) -> Difference:
    return Difference(decision.requirement, check.check, decision.signature)


def ended_early(run: Run) -> bool:
    """Whether something kept the run from going through all of its checks."""
    stopping = {"interrupted", "unreachable", "prerequisite", "disturbed"}
    return not run.complete or any(problem.kind in stopping for problem in run.problems)


def _left_out(requirement: RequirementListed, run: Run, found: Sequence[Evidence]) -> bool:
    if not requirement.selected:
        return True
    if found or requirement.inapplicable or not ended_early(run):
        return False
    # One of several checks may have come along for another requirement's sake.
    return not {check.check for check in run.checks}.issuperset(requirement.checks)


def _verdict(requirement: RequirementListed, run: Run, found: tuple[Evidence, ...]) -> Verdict:
    binding = Level(requirement.level).rank <= run.level.rank
    if requirement.inapplicable:
        return Verdict(requirement, Kind.INAPPLICABLE, requirement.inapplicable, binding, found)
    if not found:
        return Verdict(requirement, Kind.UNTESTABLE, _undecided(requirement, run), binding)
    kinds = [kind_of(each, binding=binding) for each in found]
    kind = min(kinds, key=_SEVERITY.index)
    telling = tuple(each for each, its in zip(found, kinds, strict=True) if its is kind)
    return Verdict(requirement, kind, _reason(kind, telling), binding, found, telling)


# The worst wins. A waived failure stands below our own errors and below flaky: a waiver forgives
# the failure it names and hides nothing else. Inapplicable comes last: it wins only where all are.
_SEVERITY = [
    Kind.FAIL,
    Kind.WARN,
    Kind.ERROR,
    Kind.FLAKY,
    Kind.KNOWN,
    Kind.UNTESTABLE,
    Kind.PASS,
    Kind.INAPPLICABLE,
]


def kind_of(evidence: Evidence, *, binding: bool) -> Kind:
    """What one decision alone makes of its requirement; `binding` says that the run fails on its level."""
    if evidence.decision.outcome is not Outcome.FAIL:
        return Kind(evidence.decision.outcome)
    if evidence.waiver:
        return Kind.KNOWN
    return Kind.FAIL if binding else Kind.WARN


def _reason(kind: Kind, telling: Iterable[Evidence]) -> str:
    if kind is Kind.KNOWN:
        reasons = [each.waiver.reason for each in telling if each.waiver]
    else:
        reasons = [each.decision.reason for each in telling]
    return "; ".join(dict.fromkeys(reason for reason in reasons if reason))


def _undecided(requirement: RequirementListed, run: Run) -> str:
    if requirement.unchecked:
        return requirement.unchecked
    if not requirement.checks:
        return "no check decided it: it has none"
    ran = {check.check for check in run.checks} & set(requirement.checks)
    if ran:
        return f"no check decided it: {', '.join(sorted(ran))} ended without a decision"
    return f"no check decided it: {', '.join(requirement.checks)} did not run"


def _unlisted(evidence: Mapping[str, Sequence[Evidence]], listed: Mapping[str, object]) -> list[Problem]:
    return [
        Problem(
            "internal",
            f"{found[0].check.check} decided {name} ({found[0].decision.outcome}), which the run "
            "does not list; its verdict is lost: report this as a mistake in the suite",
        )
        for name, found in evidence.items()
        if name not in listed
    ]


def _stale_waivers(
    run: Run,
    waivers: Sequence[Waiver],
    verdicts: Sequence[Verdict],
    evidence: Mapping[str, Sequence[Evidence]],
) -> tuple[Waiver, ...]:
    """Waivers that a whole run shows to be wrong; a part of a run can't tell."""
    if run.header.selection or ended_early(run):
        return ()
    failed = {
        _difference(each.decision, each.check)
        for found in evidence.values()
        for each in found
        if each.decision.outcome is Outcome.FAIL
    }
    # Where one of its checks could not decide, the finding that is waived may be the one it would have met.
    open_ids = {
        verdict.requirement.id
        for verdict in verdicts
        if not verdict.kind.decided
        or any(each.decision.outcome is Outcome.UNTESTABLE for each in verdict.evidence)
    }
    return stale(waivers, run.day, failed, open_ids, {requirement.id for requirement in run.requirements})


def _summary(
    run: Run,
    verdicts: Sequence[Verdict],
    not_run: Sequence[RequirementListed],
    problems: Sequence[Problem],
    unused: Sequence[Waiver],
) -> Summary:
    counts = {kind: sum(verdict.kind is kind for verdict in verdicts) for kind in Kind}
    in_force = len(verdicts) - counts[Kind.INAPPLICABLE]
    # Nobody asked for what an early end left out to be left out: it is missing from the decided.
    in_force += sum(requirement.selected for requirement in not_run)
    decided = sum(count for kind, count in counts.items() if kind.decided)
    percent = 100 * decided / in_force if in_force else 0.0
    codes = {
        **_stopped(run, problems),
        **_judged(run, verdicts, counts),
        **_own_faults(counts, problems, unused),
        **_unsure(run, verdicts, decided, in_force),
    }
    if counts[Kind.FAIL]:
        conclusion = Conclusion.NOT_CONFORMANT
    else:
        # A stale waiver is a mistake in its file, and says nothing about the target.
        unsure = set(codes.values()) - {ExitCode.USAGE}
        conclusion = Conclusion.UNDECIDED if unsure else Conclusion.CONFORMANT
    return Summary(
        counts=counts,
        decided=decided,
        in_force=in_force,
        percent=percent,
        conclusion=conclusion,
        exit_code=next(iter(codes.values()), ExitCode.CONFORMANT),
        because=tuple(codes) or (f"no failure among {_number(decided, 'decided requirement')}",),
    )


def _stopped(run: Run, problems: Sequence[Problem]) -> dict[str, ExitCode]:
    """Sentences on what kept the run from its end, each with its exit code; the gravest first."""
    codes = {"usage": ExitCode.USAGE, "unreachable": ExitCode.UNREACHABLE}
    codes |= {"prerequisite": ExitCode.UNREACHABLE, "disturbed": ExitCode.INCOMPLETE}
    codes |= {"interrupted": ExitCode.INCOMPLETE}
    found = {p.message: code for kind, code in codes.items() for p in problems if p.kind == kind}
    if not run.complete:
        found["the run did not come to its end"] = ExitCode.INCOMPLETE
    return found


def _judged(run: Run, verdicts: Sequence[Verdict], counts: Mapping[Kind, int]) -> dict[str, ExitCode]:
    if not counts[Kind.FAIL]:
        return {}
    binding = sum(verdict.binding and verdict.kind is not Kind.INAPPLICABLE for verdict in verdicts)
    told = _binding(binding, run)
    return {f"{counts[Kind.FAIL]} of {told} failed": ExitCode.NOT_CONFORMANT}


def _own_faults(
    counts: Mapping[Kind, int], problems: Sequence[Problem], unused: Sequence[Waiver]
) -> dict[str, ExitCode]:
    found = {p.message: ExitCode.OWN_ERROR for p in problems if p.kind == "internal"}
    if counts[Kind.ERROR]:
        told = _number(counts[Kind.ERROR], "requirement")
        found[f"{told} could not be judged through an error of our own"] = ExitCode.OWN_ERROR
    for waiver in unused:
        where = f" ({waiver.origin})" if waiver.origin else ""
        found[f"the waiver of {waiver.requirement}{where} matches no failure: remove it"] = ExitCode.USAGE
    return found


def _unsure(run: Run, verdicts: Sequence[Verdict], decided: int, in_force: int) -> dict[str, ExitCode]:
    """A run that can't vouch for conformance is not conformant, though it found no failure."""
    found = {}
    flaky = sum(verdict.kind is Kind.FLAKY and verdict.binding for verdict in verdicts)
    if flaky:
        told = _binding(flaky, run)
        found[f"{told} changed on repetition"] = ExitCode.NOT_CONFORMANT
    if not decided:
        found["no requirement was decided"] = ExitCode.NOT_CONFORMANT
    required = run.header.require_decided
    if required is not None and 100 * decided < required * in_force:
        told = f"{decided} of {_number(in_force, 'requirement')} decided, {required:g} % required"
        found[told] = ExitCode.NOT_CONFORMANT
    return found


def _binding(count: int, run: Run) -> str:
    """So many requirements that the run holds the target to."""
    told = _number(count, "documented requirement" if run.level is Level.DOCUMENTED else "requirement")
    return f"{told} of the documentation and its examples" if run.level is Level.EXAMPLE else told


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
