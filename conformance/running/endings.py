"""From the ending of a check to the event that reports it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Generator, Sequence
from typing import Final

import pytest
from hypothesis.errors import Flaky

from mlconform.conformance.contract.model import Remedy
from mlconform.conformance.errors import PrerequisiteMissing, TargetUnreachable
from mlconform.conformance.outcomes import BrokenAnswer, InTheWay, Nonconformance, Untestable
from mlconform.conformance.report.codec import encode
from mlconform.conformance.report.events import CheckFinished, Decision, ExchangeRecord, Outcome, Problem
from mlconform.conformance.running.attached import EVENT_PROPERTY
from mlconform.conformance.running.checks import bound_requirements, check_name, profile_of
from mlconform.conformance.running.judging import Judging
from mlconform.conformance.running.shown import shape
from mlconform.conformance.suites.expect import Expect, Finding
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.interruption import raise_if_came
from mlconform.conformance.targets.session import Session
from mlconform.conformance.watch.watch import Watched

EXPECT_KEY: Final = pytest.StashKey[Expect]()
SESSION_KEY: Final = pytest.StashKey[Session]()
# A cut-off keeps the stream readable; the report cuts further.
_LONGEST_EVIDENCE = 60
_LAST_CALLS = 12
_ENOUGH_TO_BE_SETTLED = 2
_MOST_TRIES = 12
_REPEATING_SECONDS = 15.0
_UNDECIDED = (Untestable, TargetUnreachable, PrerequisiteMissing, pytest.skip.Exception)


class FlakyDifference(Exception):  # noqa: N818 - an ending of a check, not an error
    """A check met a difference that did not come again when the check was repeated."""

    def __init__(self, first: Nonconformance) -> None:
        super().__init__(f"met once and not again: {first}")
        self.first = first


def call_and_repeat(judging: Judging, item: pytest.Item) -> Generator[None, object, object]:
    """Run a check; repeat it where it met a difference, unless hypothesis did so already.

    A difference that comes again at once is a settled one. One that does not is asked for more often, to
    tell how often it comes: it stands in the evidence, so it fails. Only where a budget of time decided it
    is it flaky.
    """
    session = item.stash.get(SESSION_KEY, None)
    mark = session.tracker.mark() if session is not None else 0
    try:
        return (yield)
    except Nonconformance as first:
        expect = item.stash.get(EXPECT_KEY, None)
        if isinstance(first, BrokenAnswer) or getattr(first, "__notes__", None) or expect is None:
            raise
        if expect.tries > 1:
            # The check itself tried more than once.
            raise
        ends = time.monotonic() + _REPEATING_SECONDS
        while expect.tries < _MOST_TRIES and time.monotonic() < ends:
            if session is not None:
                # A setting that is still set is not set again, and would be missing from the evidence.
                judging.complaints += session.clean(mark)
                session.begin_sequence()
            came_again = _comes_again(item, expect)
            if came_again is None or (came_again and expect.tries == _ENOUGH_TO_BE_SETTLED):
                break
            if not came_again and first.timing:
                raise FlakyDifference(first) from None
        raise


def _comes_again(item: pytest.Item, expect: Expect) -> bool | None:
    """Whether a repetition met a difference too; None where it could not be repeated."""
    expect.again()
    try:
        item.runtest()
    except Nonconformance:
        return True
    except Untestable:
        return None
    return False


def conclude(
    judging: Judging,
    item: pytest.Item,
    call: pytest.CallInfo[None],
    error: BaseException | None,
    report: pytest.TestReport,
) -> None:
    """Attach the event of this phase, which ended with `error`, and let pytest's outcome follow the verdict.

    Of a check that was interrupted nothing is said, even where it did not notice.
    """
    raise_if_came()
    if call.when == "teardown" and error is not None:
        problem = f"{check_name(item)} could not be ended: {type(error).__name__}: {error}"
        report.user_properties.append((EVENT_PROPERTY, encode(Problem("internal", problem))))
    if call.when == "setup" and error is None:
        return
    watched = _watched(judging, item)
    if call.when == "teardown":
        decisions = _failures(watched.differences, None)
        if not decisions:
            return
    else:
        decisions = _decisions(judging, item, error, watched)
    session = item.stash.get(SESSION_KEY, None)
    disturbed = _disturbed(session, decisions) if session is not None else None
    if disturbed is not None:
        decisions = tuple(_untestable(d.requirement, disturbed, None) for d in decisions)
        report.user_properties.append((EVENT_PROPERTY, encode(Problem("disturbed", disturbed))))
        item.session.shouldstop = disturbed
    told = session is not None and any(d.outcome is not Outcome.PASS for d in decisions)
    met = _first_met(item, watched)
    expect = item.stash.get(EXPECT_KEY, None)
    event = CheckFinished(
        check=check_name(item),
        profile=profile_of(item) or "",
        duration=round(call.duration, 4),
        decisions=decisions,
        exchanges=_evidence(session, met) if told and session is not None else (),
        log="\n".join(filter(None, (*(session.deeds if session is not None else ()), _log(error)))),
        endpoint=session.endpoint.address if told and session is not None else "",
        access=tuple(expect.access) if expect is not None and call.when == "call" else (),
    )
    report.user_properties.append((EVENT_PROPERTY, encode(event)))
    if isinstance(error, TargetUnreachable):
        report.user_properties.append((EVENT_PROPERTY, encode(Problem("unreachable", str(error)))))
        item.session.shouldstop = str(error)
    shape(report, event, judging)


def _disturbed(session: Session, decisions: Sequence[Decision]) -> str | None:
    """Why these are no word on the target: what the run stands on was taken away. None where it is there."""
    if all(decision.outcome in {Outcome.PASS, Outcome.ERROR} for decision in decisions):
        return None
    try:
        missing = session.missing()
    except (TargetUnreachable, BrokenAnswer):
        return None
    if missing is None:
        return None
    return (
        f"somebody took away {missing}, which the run had made and needs: nothing that came after it is "
        "judged. Keep other runs and `mlconform sweep --force` off the cluster meanwhile"
    )


def _watched(judging: Judging, item: pytest.Item) -> Watched:
    """What the watch over the check's target learned since the last check ended."""
    target = judging.found().get(profile_of(item) or "")
    return Watched() if target is None else target.watch.take()


def _decisions(
    judging: Judging, item: pytest.Item, error: BaseException | None, watched: Watched
) -> tuple[Decision, ...]:
    """What the check says of its own requirements, and the watch of any that an answer differs from."""
    own = _own_decisions(judging, item, error, watched)
    seen = _failures(watched.differences, None)
    wrong = {each.requirement for each in seen}
    told = {(each.requirement, each.signature) for each in own}
    kept = (each for each in own if each.requirement not in wrong or not _tells_less(each))
    return (*kept, *(each for each in seen if (each.requirement, each.signature) not in told))


def _tells_less(own: Decision) -> bool:
    """Whether the watch's finding says more: of an answer that nobody can read it tells the operation too."""
    unread = own.outcome is Outcome.FAIL and not own.signature
    return unread or own.outcome in {Outcome.PASS, Outcome.UNTESTABLE}


def _own_decisions(
    judging: Judging, item: pytest.Item, error: BaseException | None, watched: Watched
) -> tuple[Decision, ...]:
    bound = [name for name in bound_requirements(item) if judging.judges(name)]
    expect = item.stash.get(EXPECT_KEY, None)
    in_the_way = _in_the_way(expect, watched)
    decided = (expect.decided if expect is not None else set()) | watched.decided
    first = None if error is None else _first_difference(error)
    if first is not None and not judging.selected(first.requirement):
        error, first = InTheWay(first), None
    if _is_flaky(error, first):
        assert error is not None
        names = [first.requirement] if first is not None else bound
        return tuple(_flaky(name, error, first) for name in names)
    seen = list(expect.differences) if expect is not None else []
    if first is not None:
        # The smallest case comes first: the evidence shows it.
        seen = [first, *seen]
    failed = _failures(seen, expect)
    if error is None:
        # Exploration need not meet every case; a check that does not explore must.
        explores = "explore" in getattr(item, "fixturenames", ()) and expect is not None and expect.tries == 1
        wrong = {decision.requirement for decision in failed}
        rest = [n for n in bound if n not in wrong and (n in decided or not explores)]
        return (*failed, *(_passed_or_forgotten(n, n in decided, in_the_way) for n in rest))
    if first is not None:
        return failed
    if isinstance(error, _UNDECIDED):
        # A later example found the target in the way of deciding: the differences met before stand.
        remedy = error.remedy if isinstance(error, Untestable) else None
        open_ = [name for name in bound if not failed]
        return (*failed, *(_untestable(name, str(error), remedy) for name in open_))
    told = f"{type(error).__name__}: {error}"
    if in_the_way is not None:
        reason = f"{in_the_way} ({told})"
        return (*failed, *(_untestable(name, reason, None) for name in bound if not failed))
    wrong = {decision.requirement for decision in failed}
    return (
        *failed,
        *(Decision(name, Outcome.ERROR, reason=told) for name in bound if name not in wrong),
    )


def _in_the_way(expect: Expect | None, watched: Watched) -> str | None:
    """What may have kept a check from deciding, or have led it astray; None where nothing did."""
    if watched.differences:
        return "an answer of another form than expected was in the way"
    unselected = (*(() if expect is None else expect.unselected), *watched.unselected)
    return str(InTheWay(unselected[0])) if unselected else None


def _is_flaky(error: BaseException | None, first: Nonconformance | None) -> bool:
    """Whether what was met may have been the fault of a budget of time, or nothing tells what was met."""
    if isinstance(error, FlakyDifference):
        return True
    return isinstance(error, Flaky) and (first is None or first.timing)


def _failures(differences: Sequence[Nonconformance], expect: Expect | None) -> tuple[Decision, ...]:
    """A decision for each finding; the first that met it tells what came."""
    findings: dict[Finding, Nonconformance] = {}
    for each in differences:
        findings.setdefault((each.requirement, each.signature), each)
    return tuple(_failed(each, expect) for each in findings.values())


def _failed(difference: Nonconformance, expect: Expect | None) -> Decision:
    seen = 0 if expect is None else expect.seen((difference.requirement, difference.signature))
    return Decision(
        difference.requirement,
        Outcome.FAIL,
        expected=difference.expected,
        came=difference.came,
        signature=difference.signature,
        seen=max(seen, 1),
        tries=1 if expect is None or not seen else expect.tries,
    )


def _untestable(name: str, reason: str, remedy: Remedy | None) -> Decision:
    return Decision(name, Outcome.UNTESTABLE, reason=reason, remedy=remedy)


def _first_difference(error: BaseException) -> Nonconformance | None:
    if isinstance(error, Nonconformance):
        return error
    if isinstance(error, FlakyDifference):
        return error.first
    if isinstance(error, BaseExceptionGroup):
        found = [_first_difference(inner) for inner in error.exceptions]
        return next((inner for inner in found if inner is not None), None)
    if isinstance(error, Flaky) and error.__context__ is not None:
        # An example met it, and went on where it was repeated.
        return _first_difference(error.__context__)
    return None


def _passed_or_forgotten(name: str, decided: bool, in_the_way: str | None) -> Decision:
    if decided:
        return Decision(name, Outcome.PASS)
    if in_the_way is not None:
        return _untestable(name, in_the_way, None)
    return Decision(name, Outcome.ERROR, reason="the check ended without evaluating it")


def _flaky(name: str, error: BaseException, first: Nonconformance | None) -> Decision:
    return Decision(
        name,
        Outcome.FLAKY,
        reason=f"it changed on repetition: {str(error).splitlines()[0]}",
        expected=first.expected if first is not None else "",
        came=first.came if first is not None else "",
        signature=first.signature if first is not None else "",
    )


def _first_met(item: pytest.Item, watched: Watched) -> list[Exchange]:
    """The exchanges in which the check, and the watch over it, met their findings, each once."""
    expect = item.stash.get(EXPECT_KEY, None)
    kept = [] if expect is None else [each for met in expect.evidence.values() for each in met]
    kept += watched.met
    return list({id(each): each for each in kept}.values())


def _evidence(session: Session, met: Sequence[Exchange]) -> tuple[ExchangeRecord, ...]:
    shown = (met or session.journal)[-_LONGEST_EVIDENCE:]
    shared = [
        exchange
        for name, made in session.shared.items()
        if any(name in each.curl for each in shown)
        for exchange in made
        if exchange not in shown
    ]
    return tuple(exchange.record() for exchange in (*shared, *shown))


def _log(error: BaseException | None) -> str:
    if error is None or isinstance(error, Nonconformance | Untestable | FlakyDifference):
        notes = getattr(error, "__notes__", [])
        return "\n".join(notes)
    # The last calls, whatever the length of the paths: cut by characters, its first line might go.
    return "".join(traceback.format_exception(error, limit=-_LAST_CALLS))
