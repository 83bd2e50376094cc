"""A run as it may be published: without what would show others how to get in somewhere (SECURITY.md), or
how the machines of the run and its target are laid out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from mlconform.conformance.contract.model import Impact
from mlconform.conformance.report.codec import decode, encode
from mlconform.conformance.report.events import CheckFinished, Decision, Event, Outcome
from mlconform.conformance.report.stream import Run, gather

# A path below one of the usual roots, as a line of JSON has it; evidence stands there as JSON within JSON.
_FILE = re.compile(
    r"(?<![\w./-])(?:/(?:etc|home|mnt|opt|private|root|srv|tmp|usr|Users|var)/|[A-Z]:\\+(?=\w))"
    r"[^\s\"'\\,;:()<>\]]+(?:\\\\+[\w.-]+)*"
)
# In the options of a run every path is one of files: elsewhere an address may look so.
_FILE_IN_OPTION = re.compile(r"(?<![\w./])/[^\s\"'\\]+")
_FILE_SHOWN: Final = "(a file)"
WITHHELD: Final = "withheld until the server's maintainers have answered; see SECURITY.md"


def published(run: Run) -> Run:
    """The run without the evidence of what lets somebody in, and without paths of files."""
    kept = withheld(run)
    options = tuple(_FILE_IN_OPTION.sub(_FILE_SHOWN, option) for option in kept.header.options)
    told: list[Event] = [replace(kept.header, options=options), *kept.targets, *kept.checks, *kept.problems]
    listed: list[Event] = [*kept.requirements, *kept.waivers, *kept.deviations]
    ended: list[Event] = [kept.footer] if kept.footer is not None else []
    events = [*map(_without_paths, told), *listed, *ended, *kept.unknown]
    return gather(events, cut_off=kept.cut_off)


def _without_paths(event: Event) -> Event | Mapping[str, object]:
    return decode(_FILE.sub(_FILE_SHOWN, encode(event)))


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
