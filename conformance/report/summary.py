"""summary.json: what came of a run, for programs; `reports/summary.schema.json` has its form."""

from __future__ import annotations

import json
from typing import Any, Final

from mlconform.conformance.report.findings import Finding, findings
from mlconform.conformance.report.presentation import exit_meaning
from mlconform.conformance.report.remedies import members, offers, remedy_of
from mlconform.conformance.report.verdicts import Judgement, Kind, Verdict

SCHEMA_VERSION: Final = 1


def render(judgement: Judgement) -> str:
    """The document, one requirement and one finding an object."""
    run, summary = judgement.run, judgement.summary
    document = {
        "schema_version": SCHEMA_VERSION,
        "run_id": run.header.run_id,
        "started_at": run.header.started_at,
        "tool_version": run.header.tool_version,
        "target": run.header.target,
        "found": [
            {"profile": each.profile, "product": each.product, "version": each.version}
            for each in run.targets
        ],
        "docs_versions": run.header.docs_versions,
        "level": run.header.level,
        "selection": run.header.selection,
        "complete": run.complete,
        "conclusion": summary.conclusion,
        "exit_code": int(summary.exit_code),
        "meaning": exit_meaning(summary),
        "because": summary.because,
        "counts": {kind.value: summary.counts[kind] for kind in Kind} | {"not_run": len(judgement.not_run)},
        "decided": summary.decided,
        "in_force": summary.in_force,
        "percent_decided": round(summary.percent, 2),
        "findings": [_finding(each) for each in findings(judgement)],
        "more": members(offers(judgement)),
        "requirements": [_requirement(each) for each in judgement.verdicts],
    }
    return json.dumps(document, indent=2) + "\n"


def _finding(finding: Finding) -> dict[str, Any]:
    decision = finding.telling.decision
    return {
        "name": finding.name,
        "requirement": finding.requirement.id,
        "verdict": finding.kind,
        "impact": finding.impact,
        "signature": finding.signature,
        "expected": decision.expected,
        "came": decision.came,
        "reason": decision.reason,
        "seen": finding.seen,
        "tries": finding.tries,
        "known": finding.known or None,
        "checks": [each.check.check for each in finding.evidence],
    }


def _requirement(verdict: Verdict) -> dict[str, Any]:
    requirement = verdict.requirement
    return {
        "id": requirement.id,
        "profile": requirement.profile,
        "level": requirement.level,
        "impact": requirement.impact,
        "verdict": verdict.kind,
        "reason": verdict.reason,
        "remedy": remedy_of(verdict) if verdict.kind is Kind.UNTESTABLE else None,
    }
