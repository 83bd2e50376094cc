"""A run as it may be published: without what would show others how to get in somewhere (SECURITY.md)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from mlconform.conformance.contract.model import Impact
from mlconform.conformance.report.events import CheckFinished, Decision, Outcome
from mlconform.conformance.report.stream import Run

WITHHELD: Final = "withheld until the server's maintainers have answered; see SECURITY.md"


def withheld(run: Run) -> Run:
    """The run with requirement and verdict of each finding that lets somebody in, without its evidence."""
    grave = {each.id for each in run.requirements if each.impact == Impact.LETS_IN}
    return replace(run, checks=tuple(_withheld(check, grave) for check in run.checks))


def _withheld(check: CheckFinished, grave: set[str]) -> CheckFinished:
    if not any(_shows_how(decision, grave) for decision in check.decisions):
        return check
    decisions = tuple(
        replace(decision, came=WITHHELD) if _shows_how(decision, grave) else decision
        for decision in check.decisions
    )
    # The exchanges of a check belong to all that it met.
    return replace(check, decisions=decisions, exchanges=(), log="")


def _shows_how(decision: Decision, grave: set[str]) -> bool:
    return decision.outcome is Outcome.FAIL and decision.requirement in grave
