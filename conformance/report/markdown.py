"""report.md: the report as Markdown, for a pull request or a wiki."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from conformance.report.presentation import (
    areas,
    clip,
    curl_sequence,
    decided,
    fails_on,
    headline,
    moment,
    of_kinds,
    one_line,
    others,
    repeat_command,
    run_duration,
    shortest,
)
from conformance.report.verdicts import Evidence, Judgement, Kind, Verdict

_FINDINGS = (Kind.FAIL, Kind.ERROR, Kind.FLAKY, Kind.WARN)
_SPECIAL = re.compile(r"[\\`*_\[\]<>~&]|(?<=:)//|(?i:(?<=www)\.)|^[-+#=]|(?<=^\d)[.)](?=\s)")


def render(judgement: Judgement) -> str:
    """The document, in GitHub's Markdown."""
    lines = [
        f"# {headline(judgement)}: {_code(judgement.run.header.target)}",
        "",
        f"**{decided(judgement)}**",
        "",
        *(f"- {_text(sentence)}" for sentence in judgement.summary.because),
        "",
        *_warnings(judgement),
        *_facts(judgement),
        *_counts(judgement),
        *_findings(judgement),
        *_reasons("Known deviations", of_kinds(judgement, [Kind.KNOWN])),
        *_reasons("Not decided", of_kinds(judgement, [Kind.UNTESTABLE])),
        *_reasons("Not applicable", of_kinds(judgement, [Kind.INAPPLICABLE])),
        *_left_out(judgement),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _warnings(judgement: Judgement) -> Iterator[str]:
    if not judgement.run.complete:
        yield "> **Incomplete:** this run did not come to its end. What it did not reach is not decided."
        yield ""
    for problem in judgement.problems:
        yield f"> **{_text(problem.kind)}:** {_text(problem.message)}"
        yield ""
    for note in judgement.notes:
        yield f"> **note:** {_text(note)}"
        yield ""


def _facts(judgement: Judgement) -> Iterator[str]:
    header = judgement.run.header
    yield _row("", "")
    yield _row("---", "---")
    yield _row("Started", _text(moment(header.started_at)))
    yield _row("Duration", _text(run_duration(judgement.run)))
    for target in judgement.run.targets:
        nodes = f"{len(target.nodes)} node" + ("" if len(target.nodes) == 1 else "s")
        told = _text(f"{target.product} {target.version}, {nodes}")
        yield _row(f"Found for {_text(target.profile)}", told)
    for profile, version in header.docs_versions.items():
        yield _row(f"Documentation of {_text(profile)}", _text(version))
    yield _row("Fails on", fails_on(header))
    yield _row("Seed", str(header.seed))
    yield _row("mlconform", _text(header.tool_version))
    yield ""
    yield from _fence(repeat_command(header), "sh")


def _counts(judgement: Judgement) -> Iterator[str]:
    yield "## Areas"
    yield ""
    yield _row("Area", *Kind)
    yield _row("---", *("---:" for _ in Kind))
    for area in areas(judgement):
        counts = (area.count(kind) for kind in Kind)
        yield _row(_text(f"{area.profile} {area.name}"), *(str(count or "") for count in counts))
    yield _row("**all**", *(f"**{judgement.summary.counts[kind]}**" for kind in Kind))
    yield ""


def _findings(judgement: Judgement) -> Iterator[str]:
    findings = list(of_kinds(judgement, _FINDINGS))
    if not findings:
        return
    yield "## Findings"
    yield ""
    yield _row("Verdict", "Requirement", "Level", "Statement", "Source")
    yield _row(*("---" for _ in range(5)))
    for verdict in findings:
        required = verdict.requirement
        source = ", ".join(map(_code, required.sources))
        yield _row(verdict.kind, _code(required.id), required.level, _text(required.statement), source)
    yield ""
    for verdict in findings:
        yield f"### {verdict.kind}: {_code(verdict.requirement.id)}"
        yield ""
        yield _text(verdict.requirement.statement)
        yield ""
        for each in shortest(verdict):
            yield from _evidence(each)
        if others(verdict):
            yield others(verdict)
            yield ""


def _evidence(evidence: Evidence) -> Iterator[str]:
    decision = evidence.decision
    yield f"Check {_code(evidence.check.check)}"
    yield ""
    if decision.reason:
        yield _text(decision.reason)
        yield ""
    if decision.expected or decision.came:
        yield "Expected:"
        yield ""
        yield from _fence(clip(decision.expected))
        yield "Came:"
        yield ""
        yield from _fence(clip(decision.came))
    if evidence.check.exchanges:
        yield from _fence(curl_sequence(evidence.check), "sh")


def _reasons(title: str, verdicts: Iterable[Verdict]) -> Iterator[str]:
    listed = list(verdicts)
    if not listed:
        return
    yield f"## {title}"
    yield ""
    for verdict in listed:
        yield f"- {_code(verdict.requirement.id)}: {_text(verdict.reason)}"
    yield ""


def _left_out(judgement: Judgement) -> Iterator[str]:
    for title, requirements in {
        "Not run": judgement.not_run,
        "Noted, never judged": [noted.requirement for noted in judgement.noted],
    }.items():
        if requirements:
            yield f"## {title}: {len(requirements)}"
            yield ""
            # A list of names: what was left out by choice needs no sentence in a pull request.
            yield ", ".join(_code(each.id) for each in requirements)
            yield ""


def _row(*cells: str) -> str:
    inner = " | ".join(cell.replace("|", r"\|") for cell in cells)
    return f"| {inner} |"


def _text(text: str) -> str:
    """Text as Markdown that shows it on one line and does nothing else: no markup, link or list."""
    return _SPECIAL.sub(r"\\\g<0>", one_line(text, 500))


def _code(text: str) -> str:
    """Text as a code span, on one line."""
    line = one_line(text, 500)
    fence = "`" * (_longest_run(line) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def _fence(text: str, language: str = "") -> Iterator[str]:
    """A code block that its content can't end: its fence is longer than any run of backticks in it."""
    fence = "`" * max(3, _longest_run(text) + 1)
    yield from (f"{fence}{language}", text, fence, "")


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
