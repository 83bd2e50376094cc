"""What would let a run decide more: the undecided requirements by what a user could give for them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mlconform.conformance.contract.model import Remedy
from mlconform.conformance.report.verdicts import Judgement, Kind, Verdict

TAKES: Final[Mapping[Remedy, str]] = {
    Remedy.SETTINGS: "Leave to change cluster settings for as long as the run takes: `--allow-settings`.",
    Remedy.USERS: "Several users with different roles, and security: `--user` or `--create-users`.",
    Remedy.NODES: "A cluster with more than one node, each of which the run reaches: `--target` again.",
    Remedy.RESTART: "A way to restart the target: `--restart-command`.",
    Remedy.NODE_COMMANDS: "A way to stop and start a node: `--stop-node-command`, `--start-node-command`.",
    Remedy.WAITING: "More time for checks that wait: a higher `--max-wait`.",
    Remedy.FRESH_CLUSTER: "A cluster on which nothing was made yet.",
    Remedy.ENGINE: "A node that can run local models: its native libraries are not here.",
    Remedy.VENDOR: "An account with the vendor of a model service.",
    Remedy.PERMISSION: "A user with more permissions: `--credentials`.",
    Remedy.ENDPOINT: "An address under which the target reaches this machine: `--endpoint-host`.",
    Remedy.MODEL: "A model that the run may use: `--model-id`.",
}
"""What each remedy takes, in a sentence."""

_CALLED: Final[Mapping[Remedy, str]] = {
    Remedy.SETTINGS: "settings",
    Remedy.USERS: "further users",
    Remedy.NODES: "a second node",
    Remedy.RESTART: "a restart command",
    Remedy.NODE_COMMANDS: "commands that stop and start a node",
    Remedy.WAITING: "waiting",
    Remedy.FRESH_CLUSTER: "a fresh cluster",
    Remedy.ENGINE: "an engine for local models",
    Remedy.VENDOR: "a vendor's account",
    Remedy.PERMISSION: "more permissions",
    Remedy.ENDPOINT: "a way to the run's endpoint",
    Remedy.MODEL: "a model",
}

_OPTION = re.compile(r"`(--[\w-]+)`")
# As what needs more time says how much.
_SECONDS = re.compile(r"--max-wait (\d+) or more")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why some requirements were not decided, and which."""

    text: str
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """The requirements that one remedy would let a run decide; without a remedy, nothing that a user gives
    would."""

    remedy: Remedy | None
    reasons: tuple[Reason, ...]

    @property
    def count(self) -> int:
        return sum(len(reason.verdicts) for reason in self.reasons)

    @property
    def price(self) -> str:
        """The offer in a few words: how many requirements more, and the options that it takes; the number
        alone where nothing would decide them."""
        if self.remedy is None:
            return str(self.count)
        seconds = max(
            (int(each) for reason in self.reasons for each in _SECONDS.findall(reason.text)), default=0
        )
        options = " or ".join(_OPTION.findall(self.takes)) + (f" {seconds}" if seconds else "")
        called = f"{seconds} s of " if seconds else ""
        return f"{called}{_CALLED[self.remedy]} (+{self.count}{': ' if options else ''}{options})"

    @property
    def takes(self) -> str:
        """What a user gives for it."""
        return TAKES[self.remedy] if self.remedy else "Nothing that a user could give would decide these."


def offers(judgement: Judgement) -> tuple[Offer, ...]:
    """The undecided requirements by remedy, the most first; those without one at the end."""
    return offers_of(judgement.verdicts)


def offers_of(verdicts: Iterable[Verdict]) -> tuple[Offer, ...]:
    """As `offers`, of these verdicts."""
    found: dict[Remedy | None, dict[str, list[Verdict]]] = defaultdict(lambda: defaultdict(list))
    for verdict in verdicts:
        if verdict.kind is Kind.UNTESTABLE:
            found[remedy_of(verdict)][verdict.reason].append(verdict)
    made = [
        Offer(remedy, tuple(Reason(text, tuple(each)) for text, each in reasons.items()))
        for remedy, reasons in found.items()
    ]
    return tuple(sorted(made, key=lambda offer: (offer.remedy is None, -offer.count)))


def more_with(judgement: Judgement) -> str:
    """What would let a run decide more, with the price of each; empty where nothing would."""
    return prices(offers(judgement))


def prices(offered: Iterable[Offer]) -> str:
    """The price of each that a user could give."""
    return ", ".join(offer.price for offer in offered if offer.remedy is not None)


def members(offered: Iterable[Offer]) -> list[dict[str, Any]]:
    """The offers for a program, with their prices."""
    return [
        {"remedy": each.remedy, "price": each.price, "requirements": each.count, "takes": each.takes}
        for each in offered
    ]


def untestable(reason: str, remedy: str | None) -> str:
    """What was not decided, by what would let a run decide it, and why."""
    takes = f" ({_CALLED[Remedy(remedy)]})" if remedy in list(Remedy) else ""
    return f"{Kind.UNTESTABLE}{takes}: {reason}"


def remedy_of(verdict: Verdict) -> Remedy | None:
    """What would let a run decide it: as its checks found, else as its contract says."""
    named = [each.decision.remedy for each in verdict.telling] or [verdict.requirement.remedy]
    known = [Remedy(each) for each in named if each in list(Remedy)]
    return known[0] if known else None
