"""What all formats of a report say alike: its words, its order, and how hostile text is shown."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from mlconform.conformance.contract.model import Level
from mlconform.conformance.report.events import CheckFinished, ExchangeRecord, RequirementListed, RunStarted
from mlconform.conformance.report.exit_code import ExitCode
from mlconform.conformance.report.script import commands
from mlconform.conformance.report.stream import Run
from mlconform.conformance.report.verdicts import Conclusion, Judgement, Kind, Summary, Verdict

BODY_LIMIT = 4000
"""Characters of one body, message or log that a report shows; the stream has all of it."""

SCRIPT_LIMIT = 4 * BODY_LIMIT
"""Characters of a script: one that is cut shows nothing to who pastes it, and its bodies are short."""

WHOLE_IN = "run.ndjson has"
"""How a text that is cut says where the whole is."""

EXCHANGE_LIMIT = 60
"""Exchanges of one check that a report shows: the last ones, where the difference shows itself."""

EVIDENCE_LIMIT = 5
"""Checks that a report names for one finding: those with the fewest requests."""

MEANING = {
    Kind.PASS: "The target does what the requirement says.",
    Kind.WARN: "It does not, but the requirement stands on less than the level this run fails on.",
    Kind.FAIL: "It does not: the target is not conformant.",
    Kind.KNOWN: "It does not, and a waiver accepts that.",
    Kind.FLAKY: "The same check came to different answers when it was repeated.",
    Kind.UNTESTABLE: "Not decided: the environment or the budget did not allow it, or no check exists.",
    Kind.INAPPLICABLE: "Not in force here: a version, feature or setting is not there.",
    Kind.ERROR: "Not decided through a fault of the suite itself, not of the target.",
}

LEVELS = {
    Level.DOCUMENTED: "The documentation says it",
    Level.EXAMPLE: "An example of the documentation shows it",
    Level.OBSERVED: "A recording of this version shows it",
    Level.UNSPECIFIED: "The documentation leaves it open",
}
"""How firmly a requirement stands, in the words of a finding."""

LEVEL_MEANING = {
    Level.DOCUMENTED: "The documentation says it, or a standard that every API stands on.",
    Level.EXAMPLE: "Only an example of the documentation shows it.",
    Level.OBSERVED: "The documentation is silent; a recording of a real server of this version shows it.",
}

_FAILS_ON = {
    Level.DOCUMENTED: "what the documentation says",
    Level.EXAMPLE: "what the documentation says or shows in examples",
    Level.OBSERVED: "what the documentation says or shows in examples, and what was recorded of this version",
}

_EXIT_MEANING = {
    ExitCode.CONFORMANT: "conformant",
    ExitCode.NOT_CONFORMANT: "not conformant",
    ExitCode.USAGE: "a mistake in how the run was asked for, or in its waivers",
    ExitCode.UNREACHABLE: "the target could not be reached, or a prerequisite is missing",
    ExitCode.OWN_ERROR: "an error of the suite itself",
    ExitCode.INCOMPLETE: "interrupted or incomplete",
}

# Controls (but newline and tab), marks that turn the direction of text, line separators that only
# some readers know, lone surrogates, and what XML 1.0 forbids.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff\ud800-\udfff]"
)


def visible(text: str) -> str:
    """The text with every character that hides, moves or breaks other text as a backslash escape."""
    return _INVISIBLE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def clip(text: str, limit: int = BODY_LIMIT) -> str:
    """The visible text, cut at `limit` characters with a note of how much is missing."""
    if len(text) <= limit:
        return visible(text)
    return (
        f"{visible(text[:limit])}\n"
        f"[cut: {limit:,} of {len(text):,} characters are shown; {WHOLE_IN} them all]"
    )


def one_line(text: str, limit: int = 200) -> str:
    """The visible text on one line of at most `limit` characters."""
    # Cut before joining too: the text may be a body of megabytes.
    joined = " ".join(visible(text[: 4 * limit]).split())
    return joined if len(joined) <= limit else f"{joined[: limit - 1]}…"


def decided(judgement: Judgement) -> str:
    """How much was decided, for the headline. The percent is rounded down: 100 means all."""
    summary = judgement.summary
    tenths = math.floor(summary.percent * 10) / 10
    return f"{tenths:g} % decided ({summary.decided} of {summary.in_force} requirements)"


def can_fail(judgement: Judgement) -> str | None:
    """How many of the documented requirements that the run decided were ever seen to be broken; None where
    nobody tried."""
    documented = [
        each.requirement
        for each in judgement.verdicts
        if each.kind.decided and each.requirement.level == Level.DOCUMENTED
    ]
    broken = sum(each.broken_by is not None for each in documented)
    if not broken:
        return None
    percent = 100 * broken // len(documented)
    return (
        f"{percent} % of the documented requirements that were decided ({broken} of {len(documented)}): a "
        "deliberate fault or an altered answer of a mock was seen to break them, and their checks named it"
    )


def exit_meaning(summary: Summary) -> str:
    """What the exit code of a run says."""
    if summary.exit_code is ExitCode.NOT_CONFORMANT and summary.conclusion is Conclusion.UNDECIDED:
        return "too little decided to say"
    return _EXIT_MEANING[summary.exit_code]


def not_run_because(judgement: Judgement) -> str:
    """Why requirements were not run."""
    reasons = {
        "left out by the selection": any(not each.selected for each in judgement.not_run),
        "the run ended before it reached them": any(each.selected for each in judgement.not_run),
    }
    return ", or ".join(reason for reason, holds in reasons.items() if holds)


def headline(judgement: Judgement) -> str:
    """Conformant, not conformant or undecided, and that a run is incomplete if it is."""
    conclusion = judgement.summary.conclusion.capitalize()
    if judgement.run.complete or judgement.summary.conclusion is Conclusion.UNDECIDED:
        return conclusion
    return f"{conclusion}, and incomplete"


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 05 s` or `2 h 07 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def fails_on(header: RunStarted) -> str:
    """What the run holds the target to, in words."""
    return _FAILS_ON.get(Level(header.level), "everything")


def moment(time: str) -> str:
    """An ISO 8601 time as `2025-06-03 14:21:07 UTC`."""
    return f"{datetime.fromisoformat(time):%Y-%m-%d %H:%M:%S %Z}".rstrip()


def run_duration(run: Run) -> str:
    """How long the run took; without a footer, how long its checks took together."""
    if run.footer:
        return duration(run.footer.duration)
    return f"unknown (its checks took {duration(sum(check.duration for check in run.checks))})"


def repeat_command(header: RunStarted) -> str:
    """The shell command that does this run again."""
    words = ["mlconform", "run", "--target", header.target]
    # `all` is the name of more than one profile at once.
    words += ["--profile", header.profiles[0] if len(header.profiles) == 1 else "all"]
    versions = set(header.docs_versions.values())
    if len(versions) == 1:
        words += ["--docs-version", versions.pop()]
    words += ["--level", header.level, "--seed", str(header.seed)]
    words += ["--max-wait", f"{header.max_wait_seconds:g}"]
    if header.selection:
        words += ["--select", header.selection]
    if header.require_decided is not None:
        words += ["--require-decided", f"{header.require_decided:g}"]
    return visible(shlex.join([*words, *header.options]))


def shown(check: CheckFinished) -> Sequence[ExchangeRecord]:
    """The exchanges of a check that a report shows."""
    return check.exchanges[-EXCHANGE_LIMIT:]


def curl_sequence(check: CheckFinished) -> str:
    """The requests of a check as a shell script, with its waits as comments.

    On another target the script makes its own things: their ids are carried from answer to request.
    """
    lines = []
    hidden = len(check.exchanges) - len(shown(check))
    if hidden:
        lines.append(f"# the first {hidden} requests are left out here; {WHOLE_IN} them")
    before: float | None = None
    for exchange, command in zip(shown(check), commands(shown(check)), strict=True):
        if before is not None and exchange.at - before >= 1:
            lines.append(f"# {duration(exchange.at - before)} later")
        before = exchange.at
        lines.append(clip(command))
    return "\n".join(lines)


def answer(exchange: ExchangeRecord) -> str:
    """The answer of an exchange in a few words: its status and type, or what kept it from coming."""
    if exchange.status is None:
        return f"no answer: {one_line(exchange.problem or 'unknown')}"
    told = f"{exchange.status} {one_line(exchange.content_type or 'without a content type')}"
    return f"{told}, {one_line(exchange.problem)}" if exchange.problem else told


@dataclass(frozen=True, slots=True)
class Area:
    """The verdicts of one area of one profile: `deploy` has all ids like `osml.deploy.node-ids`."""

    profile: str
    name: str
    verdicts: tuple[Verdict, ...]

    def count(self, kind: Kind) -> int:
        return sum(verdict.kind is kind for verdict in self.verdicts)


def areas(judgement: Judgement) -> tuple[Area, ...]:
    """All verdicts by profile and area, in order of their ids."""

    def key(verdict: Verdict) -> tuple[str, str]:
        return verdict.requirement.profile, _area(verdict.requirement)

    ordered = sorted(judgement.verdicts, key=lambda verdict: (*key(verdict), verdict.requirement.id))
    return tuple(Area(*names, tuple(group)) for names, group in groupby(ordered, key=key))


def _area(requirement: RequirementListed) -> str:
    parts = requirement.id.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def of_kinds(judgement: Judgement, kinds: Iterable[Kind]) -> Iterator[Verdict]:
    """The verdicts of these kinds, in order of the kinds."""
    for kind in kinds:
        yield from (verdict for verdict in judgement.verdicts if verdict.kind is kind)
