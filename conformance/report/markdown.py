"""report.md: the report as Markdown, for a pull request or a wiki."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from mlconform.conformance.contract.model import Level
from mlconform.conformance.report.access import access_table
from mlconform.conformance.report.events import RequirementListed
from mlconform.conformance.report.findings import Finding, findings, groups, known_set
from mlconform.conformance.report.presentation import (
    LEVELS,
    SCRIPT_LIMIT,
    areas,
    can_fail,
    clip,
    decided,
    fails_on,
    headline,
    moment,
    not_run_because,
    of_kinds,
    one_line,
    repeat_command,
    run_duration,
)
from mlconform.conformance.report.remedies import offers
from mlconform.conformance.report.verdicts import Judgement, Kind, Verdict

LISTED = 30
"""Requirements of one kind that are named one by one; of more there is a number."""
_SPECIAL = re.compile(r"[\\`*_\[\]<>~&]|(?<=:)//|(?i:(?<=www)\.)|^[-+#=]|(?<=^\d)[.)](?=\s)")


def render(judgement: Judgement, scripts: Mapping[str, str]) -> str:
    """The document, in GitHub's Markdown; `scripts` are those of its findings, by name."""
    lines = [
        f"# {headline(judgement)}: {_code(judgement.run.header.target)}",
        "",
        f"**{decided(judgement)}**",
        "",
        *(f"- {_text(sentence)}" for sentence in judgement.summary.because),
        "",
        *_warnings(judgement),
        *_findings(judgement, scripts),
        *_known(of_kinds(judgement, [Kind.KNOWN])),
        *_undecided(judgement),
        *_access(judgement),
        *_facts(judgement),
        *_counts(judgement),
        *_left_out(judgement),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _access(judgement: Judgement) -> Iterator[str]:
    """Only what is wrong: the whole table is in the page."""
    table = access_table(judgement)
    wrong = [row for row in table.rows if row.wrong]
    if not table.rows:
        return
    yield "## Who may do what"
    yield ""
    yield (
        f"{len(table.users)} users asked for {len(table.rows)} operations; {len(wrong)} of them let "
        "somebody in or refused somebody against the documentation."
    )
    yield ""
    if wrong:
        yield _row("Operation", *map(_text, table.users))
        yield _row("---", *("---" for _ in table.users))
        for row in wrong:
            yield _row(f"{_code(row.operation)} {_text(row.thing)}", *map(row.told, table.users))
        yield ""


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
        found = _text(f"{target.product} {target.version}, {nodes}")
        yield _row(f"Found for {_text(target.profile)}", found)
    for profile, version in header.docs_versions.items():
        yield _row(f"Documentation of {_text(profile)}", _text(version))
    yield _row("Fails on", fails_on(header))
    told = can_fail(judgement)
    if told is not None:
        yield _row("Checks that can fail", told)
    yield _row("Seed", str(header.seed))
    if header.max_rate is not None:
        yield _row("Pace", f"at most {header.max_rate:g} requests a second")
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


def _findings(judgement: Judgement, scripts: Mapping[str, str]) -> Iterator[str]:
    found = [each for each in findings(judgement) if each.kind is not Kind.KNOWN]
    if not found:
        return
    yield "## Findings"
    yield ""
    known = known_set(found)
    if known:
        yield f"This version is known for {known[1]} of them: {_code(f'--known {known[0]}')} accepts those."
        yield ""
    yield _row("Verdict", "Requirement", "What it means", "Finding")
    yield _row(*("---" for _ in range(4)))
    for finding in found:
        told = _code(finding.signature) if finding.signature else _said(finding.requirement.statement)
        yield _row(finding.kind, _code(finding.requirement.id), finding.impact, told)
    yield ""
    for group in groups(found):
        for finding in group.findings:
            yield from _finding(finding, scripts.get(finding.name, ""))


def _finding(finding: Finding, script: str) -> Iterator[str]:
    requirement, decision = finding.requirement, finding.telling.decision
    yield f"### {finding.kind}: {_code(requirement.id)}"
    yield ""
    yield _said(requirement.statement)
    yield ""
    often = f"; seen in {finding.seen} of {finding.tries} tries" if finding.tries > 1 else ""
    yield f"{LEVELS[Level(requirement.level)]}: {_sources(requirement)}{often}."
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
    if script:
        yield "To see it yourself:"
        yield ""
        yield from _fence(clip(script, SCRIPT_LIMIT), "sh")


def _sources(requirement: RequirementListed) -> str:
    """The sources, each a link to where it is published."""
    links = {link.source: link.published for link in requirement.links if link.published}
    told = [
        f"[{_text(each)}]({links[each]})" if each in links else _code(each) for each in requirement.sources
    ]
    return ", ".join(told) or "no source"


def _undecided(judgement: Judgement) -> Iterator[str]:
    made = offers(judgement)
    if not made:
        return
    yield "## Not decided"
    yield ""
    for offer in made:
        yield f"- **{_text(offer.price)}**: {_said(offer.takes)}"
        for reason in offer.reasons[:LISTED]:
            names = ", ".join(_code(each.requirement.id) for each in reason.verdicts[:3])
            more = f" and {len(reason.verdicts) - 3} more" if len(reason.verdicts) > 3 else ""
            yield f"  - {_said(reason.text)} ({names}{more})"
        if len(offer.reasons) > LISTED:
            yield f"  - and {len(offer.reasons) - LISTED} more reasons"
    yield ""


def _known(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """Each with what the documentation asks instead, and where it does."""
    listed = list(verdicts)
    if not listed:
        return
    yield "## Known deviations"
    yield ""
    for verdict in listed:
        asked = verdict.requirement
        yield f"- {_code(asked.id)}: {_text(verdict.reason)}"
        yield f"  - {LEVELS[Level(asked.level)]} ({_sources(asked)}): {_said(asked.statement)}"
    yield ""


def _left_out(judgement: Judgement) -> Iterator[str]:
    for title, why, requirements in (
        ("Not run", not_run_because(judgement), judgement.not_run),
        (
            "Not applicable",
            "of another version, or without what it needs",
            [verdict.requirement for verdict in of_kinds(judgement, [Kind.INAPPLICABLE])],
        ),
        ("Noted, never judged", "the documentation leaves it open", [n.requirement for n in judgement.noted]),
    ):
        if requirements:
            yield f"## {title}: {len(requirements)}"
            yield ""
            names = ", ".join(_code(each.id) for each in requirements)
            yield f"{why}: {names}" if len(requirements) <= LISTED else f"{why}; `report.html` names them"
            yield ""


def _row(*cells: str) -> str:
    inner = " | ".join(cell.replace("|", r"\|") for cell in cells)
    return f"| {inner} |"


def _text(text: str) -> str:
    """Text as Markdown that shows it on one line and does nothing else: no markup, link or list."""
    return _escaped(one_line(text, 500))


def _escaped(line: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", line)


def _said(text: str) -> str:
    """A sentence of our own, in which backticks mark code."""
    parts = one_line(text, 500).split("`")
    if len(parts) % 2 == 0:
        return _text(text)
    return "".join(
        _code(part) if number % 2 and part else _escaped(part) for number, part in enumerate(parts)
    )


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
