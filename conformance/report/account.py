"""What was found of a requirement as plain text, for places that show no other: junit.xml and pytest."""

from __future__ import annotations

from collections.abc import Mapping

from mlconform.conformance.report.findings import findings_of
from mlconform.conformance.report.presentation import SCRIPT_LIMIT, clip, visible
from mlconform.conformance.report.verdicts import Verdict


def account(verdict: Verdict, scripts: Mapping[str, str]) -> str:
    """What is required and where that is written, then each finding: expected, came, and its script.

    `scripts` are those of the run's findings, by name. Whatever a target sent shows itself and no more.
    """
    requirement = verdict.requirement
    lines = [visible(requirement.statement), f"source: {visible(', '.join(requirement.sources))}"]
    for finding in findings_of(verdict):
        decision, check = finding.telling.decision, finding.telling.check
        lines += [f"finding: {visible(finding.signature)}" if finding.signature else ""]
        lines += [f"check: {visible(check.check)}"]
        if decision.reason:
            lines.append(f"reason: {clip(decision.reason)}")
        if decision.expected or decision.came:
            lines += [f"expected: {clip(decision.expected)}", f"came: {clip(decision.came)}"]
        lines.append(clip(scripts.get(finding.name, ""), SCRIPT_LIMIT))
    return "\n".join(filter(None, lines))
