"""The end of a run at a terminal: a few lines that say what came out and where the rest is."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console
from rich.text import Text

from mlconform.conformance.report.findings import Finding, findings, known_set
from mlconform.conformance.report.presentation import decided, exit_meaning, headline, one_line
from mlconform.conformance.report.remedies import more_with
from mlconform.conformance.report.verdicts import Conclusion, Judgement, Kind

_LISTED = 20
_STYLES = {
    Kind.PASS: "green",
    Kind.WARN: "yellow",
    Kind.FAIL: "bold red",
    Kind.KNOWN: "cyan",
    Kind.FLAKY: "magenta",
    Kind.UNTESTABLE: "bright_black",
    Kind.INAPPLICABLE: "bright_black",
    Kind.ERROR: "bold magenta",
}
_HEADLINE_STYLES = {
    Conclusion.CONFORMANT: "bold green",
    Conclusion.NOT_CONFORMANT: "bold red",
    Conclusion.UNDECIDED: "bold yellow",
}


def print_summary(judgement: Judgement, report: Path | None, console: Console | None = None) -> None:
    """Prints the summary; colours only where the terminal has them and NO_COLOR is not set."""
    console = console or Console()
    summary = judgement.summary
    head = Text(headline(judgement), style=_HEADLINE_STYLES[summary.conclusion])
    _print(console, head.append(f": {decided(judgement)}", style="default"))
    _print(console, _counts(judgement))
    for problem in judgement.problems:
        _print(console, Text(f"{one_line(problem.kind)}: {one_line(problem.message, 600)}", style="yellow"))
    for note in judgement.notes:
        _print(console, Text(f"note: {one_line(note, 600)}", style="yellow"))
    found = [each for each in findings(judgement) if each.kind in {Kind.FAIL, Kind.ERROR, Kind.FLAKY}]
    for finding in found[:_LISTED]:
        _print(console, _line(finding))
    if len(found) > _LISTED:
        _print(console, Text(f"  and {len(found) - _LISTED} more"))
    known = known_set(found)
    if known is not None:
        name, count = known
        accepted = f"--known {name} accepts {'it' if count == 1 else 'those'}"
        _print(console, Text(f"this version is known for {count} of {len(found)}: {accepted}"))
    more = more_with(judgement)
    if more:
        _print(console, Text(f"decides more with {more}"))
    if report is not None:
        _print(console, Text(f"report: {report}"))
    meaning = "; ".join([exit_meaning(summary), *_because(judgement)])
    _print(console, Text(f"exit code {int(summary.exit_code)}: {meaning}"))


def summary_lines(judgement: Judgement, report: Path | None, *, colours: bool) -> list[str]:
    """The same lines, for somebody else's terminal."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=colours, color_system="standard" if colours else None)
    print_summary(judgement, report, console)
    return file.getvalue().splitlines()


def _line(finding: Finding) -> Text:
    """A finding by what it means to a user, and by its signature, which tells it apart from others."""
    verdict = finding.verdict
    line = Text("  ").append(f"{finding.kind:<6}", style=_STYLES[finding.kind])
    line.append(f" {one_line(finding.requirement.id)}", style="bold")
    impact = "" if finding.kind is Kind.ERROR else f"{finding.impact}: "
    line.append(f"  {impact}{one_line(verdict.reason or finding.requirement.statement, 120)}")
    return line.append(f"  [{one_line(finding.signature, 160)}]" if finding.signature else "")


def _counts(judgement: Judgement) -> Text:
    counts = judgement.summary.counts
    parts = [Text(f"{counts[kind]} {kind}", style=_STYLES[kind]) for kind in Kind if counts[kind]]
    if judgement.not_run:
        parts.append(Text(f"{len(judgement.not_run)} not run", style="bright_black"))
    return Text("  ").append(Text(", ").join(parts)) if parts else Text("  no requirement was judged")


def _because(judgement: Judgement) -> list[str]:
    """Why, but for the problems that have a line of their own."""
    told = {problem.message for problem in judgement.problems}
    return [one_line(sentence) for sentence in judgement.summary.because if sentence not in told]


def _print(console: Console, text: Text) -> None:
    # One line stays one line, whatever the width: logs and pipes are searched by line.
    console.print(text, soft_wrap=True, highlight=False)
