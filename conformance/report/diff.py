"""Two runs side by side: what got better, what got worse, what is new and what is gone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace

from mlconform.conformance.report.findings import findings_of
from mlconform.conformance.report.html import document
from mlconform.conformance.report.presentation import headline, one_line
from mlconform.conformance.report.remedies import members, more_with, offers
from mlconform.conformance.report.verdicts import Judgement, Kind, Verdict

# From good to bad; a step down this list is worse.
_ORDER = [
    Kind.PASS,
    Kind.INAPPLICABLE,
    Kind.KNOWN,
    Kind.WARN,
    Kind.UNTESTABLE,
    Kind.FLAKY,
    Kind.ERROR,
    Kind.FAIL,
]


_BAD = {Kind.FAIL, Kind.FLAKY, Kind.ERROR}


@dataclass(frozen=True, slots=True)
class Change:
    """One requirement whose verdict differs. `before` or `after` is None where a run did not judge it."""

    requirement: str
    before: Kind | None
    after: Kind | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Diff:
    """All changes between two runs, in order of requirement ids.

    `undecided` are those that the first run decided and the second did not: neither better nor
    worse is known of them. A requirement with a finding that it did not have is worse, though its
    verdict is the same.
    """

    better: tuple[Change, ...]
    worse: tuple[Change, ...]
    undecided: tuple[Change, ...]
    new: tuple[Change, ...]
    gone: tuple[Change, ...]
    unchanged: int

    def regressions(self, *, allow_undecided: bool) -> tuple[Change, ...]:
        """What got worse, what is new and fails, and, unless allowed, what is no longer decided: because it
        could not be, or because the second run never came to it."""
        found = [*self.worse, *(change for change in self.new if change.after in _BAD)]
        if not allow_undecided:
            found += self.undecided
            found += [change for change in self.gone if change.before and change.before.decided]
        return tuple(sorted(found, key=lambda change: change.requirement))


def compare(before: Judgement, after: Judgement) -> Diff:
    """What changed from one judged run to another."""
    first, second = _by_id(before), _by_id(after)
    found: dict[str, list[Change]] = {"better": [], "worse": [], "undecided": [], "new": [], "gone": []}
    for name in sorted(first.keys() | second.keys()):
        change = _change(name, first.get(name), second.get(name))
        if change.before is not change.after:
            found[_direction(change)].append(change)
        elif new := _new_findings(first.get(name), second.get(name)):
            found["worse"].append(replace(change, reason=f"another finding: {'; '.join(new)}"))
    changed = sum(map(len, found.values()))
    return Diff(
        **{direction: tuple(changes) for direction, changes in found.items()},
        unchanged=len(first.keys() | second.keys()) - changed,
    )


def to_text(diff: Diff, before: Judgement, after: Judgement) -> str:
    """The changes for a reader at a terminal or in a log."""
    lines = [f"before: {_run(before)}", f"after:  {_run(after)}"]
    for title, changes in _directions(diff):
        lines += ["", f"{title} ({len(changes)})"]
        for change in changes:
            steps = " -> ".join(kind or "absent" for kind in (change.before, change.after))
            reason = f": {one_line(change.reason)}" if change.reason else ""
            lines.append(f"  {one_line(change.requirement)}  {steps}{reason}")
    lines += ["", f"{diff.unchanged} unchanged"]
    more = more_with(after)
    if more:
        lines.append(f"the second decides more with {more}")
    return "\n".join(lines) + "\n"


def to_json(diff: Diff, before: Judgement, after: Judgement) -> str:
    """The changes for a program; members as in `Diff`, kinds null where a run did not judge."""
    document: dict[str, object] = {"before": _facts(before), "after": _facts(after)}
    for title, changes in _directions(diff):
        document[title] = [asdict(change) for change in changes]
    document["unchanged"] = diff.unchanged
    return json.dumps(document, indent=2) + "\n"


def to_html(diff: Diff, before: Judgement, after: Judgement) -> str:
    """The changes as a page of its own."""
    directions = [(title, changes) for title, changes in _directions(diff) if changes]
    return document(
        "diff.html.j2",
        runs={"before": _run(before), "after": _run(after)},
        directions=directions,
        unchanged=diff.unchanged,
        more=more_with(after),
    )


def _by_id(judgement: Judgement) -> Mapping[str, Verdict]:
    return {verdict.requirement.id: verdict for verdict in judgement.verdicts}


def _change(name: str, before: Verdict | None, after: Verdict | None) -> Change:
    return Change(
        requirement=name,
        before=before.kind if before else None,
        after=after.kind if after else None,
        reason=after.reason if after else "",
    )


def _new_findings(before: Verdict | None, after: Verdict | None) -> list[str]:
    """The signatures of findings that only the second run has, known ones left out."""
    if before is None or after is None:
        return []
    had = {finding.signature for finding in findings_of(before)}
    return [
        finding.signature
        for finding in findings_of(after)
        if finding.signature not in had and finding.kind in _BAD | {Kind.WARN}
    ]


def _direction(change: Change) -> str:
    if change.before is None or change.after is None:
        return "new" if change.before is None else "gone"
    if change.before.decided and not change.after.decided:
        return "undecided"
    return "better" if _ORDER.index(change.after) < _ORDER.index(change.before) else "worse"


def _directions(diff: Diff) -> Iterator[tuple[str, tuple[Change, ...]]]:
    for item in fields(diff):
        changes = getattr(diff, item.name)
        if isinstance(changes, tuple):
            yield item.name, changes


def _run(judgement: Judgement) -> str:
    header = judgement.run.header
    version = ", ".join(f"{each.product} {each.version}" for each in judgement.run.targets)
    told = f"{header.target} ({version or 'not discovered'}), {header.started_at}, level {header.level}"
    return f"{one_line(told)}: {headline(judgement).lower()}"


def _facts(judgement: Judgement) -> dict[str, object]:
    header = judgement.run.header
    return {
        "run_id": header.run_id,
        "target": header.target,
        "started_at": header.started_at,
        "level": header.level,
        "docs_versions": header.docs_versions,
        "complete": judgement.run.complete,
        "conclusion": judgement.summary.conclusion,
        "more": members(offers(judgement)),
    }
