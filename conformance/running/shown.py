"""What pytest shows of a check: an outcome that follows the verdicts, a failure as the reports tell it."""

from __future__ import annotations

from typing import Final

import pytest

from mlconform.conformance.report.account import account
from mlconform.conformance.report.events import CheckFinished, Outcome
from mlconform.conformance.report.presentation import WHOLE_IN, clip, of_kinds, one_line
from mlconform.conformance.report.remedies import untestable
from mlconform.conformance.report.reproduction import reproductions
from mlconform.conformance.report.stream import gather
from mlconform.conformance.report.verdicts import Kind, judge
from mlconform.conformance.report.waivers import Difference
from mlconform.conformance.running.judging import Judging
from mlconform.conformance.targets.credentials import all_presentable, presentable

_DIFFERS: Final = {Outcome.FAIL, Outcome.FLAKY}


def shape(report: pytest.TestReport, event: CheckFinished, judging: Judging) -> None:
    """A difference that does not bind is shown by pytest as an expected failure, not as a failure.

    So is what could not be tested; a check that forgot a requirement fails, and so does one that went
    on after a difference that binds. What fails is told as in the reports, without our own frames.
    """
    if not event.decisions:
        return
    undecided = [each for each in event.decisions if each.outcome is Outcome.UNTESTABLE]
    errors = any(each.outcome is Outcome.ERROR for each in event.decisions)
    binds = any(
        judging.binding(Difference(each.requirement, event.check, each.signature))
        for each in event.decisions
        if each.outcome in _DIFFERS
    )
    if errors or binds:
        report.outcome = "failed"
        report.longrepr = failure(event, judging)
    elif report.outcome == "failed":
        report.outcome = "skipped"
        report.wasxfail = f"does not fail the run: {', '.join(d.requirement for d in event.decisions)}"
    elif undecided and isinstance(report.longrepr, tuple):
        # Pytest lists what was skipped by its reason; so it is grouped by what it takes.
        file, line, _ = report.longrepr
        reasons = dict.fromkeys(untestable(one_line(each.reason), each.remedy) for each in undecided)
        report.longrepr = (file, line, f"Skipped: {'; '.join(reasons)}")


def failure(event: CheckFinished, judging: Judging) -> str:
    """What the reports of a run with this check alone would say of its failures, the log of errors last."""
    listed = judging.listed(event.profile)
    judgement = judge(gather((judging.header(), *listed, *judging.waivers, all_presentable(event))))
    scripts = reproductions(judgement)
    parts = [
        f"{verdict.requirement.id}: {account(verdict, scripts)}"
        for verdict in of_kinds(judgement, (Kind.FAIL, Kind.FLAKY, Kind.ERROR))
    ]
    log = [clip(presentable(event.log))] if event.log else []
    told = "\n\n".join([*parts, *log])
    if judging.options.out is None and WHOLE_IN in told:
        told += f"\n\n({WHOLE_IN} what is cut here; it is written where --ml-out DIR is given)"
    return told


def hide_secrets(report: pytest.TestReport) -> None:
    """Take secrets out of what pytest itself would show of a check."""
    shown = str(report.longrepr) if report.longrepr is not None else ""
    if presentable(shown) != shown:
        report.longrepr = presentable(shown)
    report.sections = [(name, presentable(text)) for name, text in report.sections]
