"""report.sarif: the findings for code scanning, as the Static Analysis Results Interchange Format 2.1.0."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from mlconform.conformance.contract.model import Level
from mlconform.conformance.report.events import RequirementListed
from mlconform.conformance.report.findings import Finding, findings
from mlconform.conformance.report.presentation import LEVELS, clip, one_line, visible
from mlconform.conformance.report.remedies import more_with
from mlconform.conformance.report.verdicts import Judgement, Kind

_LEVELS: Final = {Kind.FAIL: "error", Kind.FLAKY: "warning", Kind.WARN: "warning", Kind.KNOWN: "note"}
# The folder of the report, which the places of results are below.
_BASE: Final = "REPORT"


def render(judgement: Judgement) -> str:
    """The document: a rule for each requirement that has a finding, a result for each finding.

    A result lies in the finding's script. What is known is suppressed; our own errors are
    notifications, and so is what would let a run decide more.
    """
    header = judgement.run.header
    found = findings(judgement)
    told = [each for each in found if each.kind is not Kind.ERROR]
    rules = list({each.requirement.id: each.requirement for each in told}.values())
    run = {
        "tool": {
            "driver": {
                "name": "mlconform",
                "version": visible(header.tool_version),
                "rules": [_rule(each) for each in rules],
            }
        },
        "invocations": [
            {
                "executionSuccessful": judgement.run.complete,
                "exitCode": int(judgement.summary.exit_code),
                "startTimeUtc": _utc(header.started_at),
                "toolExecutionNotifications": _notifications(judgement, found),
            }
        ],
        "originalUriBaseIds": {_BASE: {"description": {"text": "The folder that holds this report."}}},
        "results": [_result(each, rules.index(each.requirement)) for each in told],
        "columnKind": "unicodeCodePoints",
    }
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2) + "\n"


def _rule(requirement: RequirementListed) -> dict[str, Any]:
    published = [link.published for link in requirement.links if link.published]
    sources = visible(", ".join(requirement.sources))
    rule = {
        "id": visible(requirement.id),
        "shortDescription": {"text": one_line(requirement.statement, 500)},
        "help": {"text": f"{LEVELS[Level(requirement.level)]}: {sources or 'no source'}"},
        "properties": {"tags": [requirement.profile, requirement.impact], "level": requirement.level},
    }
    return rule | ({"helpUri": published[0]} if published else {})


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    decision = finding.telling.decision
    told = [
        finding.requirement.statement,
        finding.signature,
        f"Expected: {decision.expected}" if decision.expected else "",
        f"Came: {decision.came}" if decision.came else "",
        f"Seen in {finding.seen} of {finding.tries} tries." if finding.tries > 1 else "",
    ]
    result: dict[str, Any] = {
        "ruleId": visible(finding.requirement.id),
        "ruleIndex": rule,
        "level": _LEVELS[finding.kind],
        "message": {"text": clip("\n".join(filter(None, told)))},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": f"findings/{finding.name}.sh", "uriBaseId": _BASE},
                    "region": {"startLine": 1},
                }
            }
        ],
        "partialFingerprints": {"finding/v1": _fingerprint(finding)},
    }
    waivers = [each.waiver for each in finding.evidence if each.waiver]
    if waivers:
        why = visible("; ".join(dict.fromkeys(waiver.reason for waiver in waivers)))
        result["suppressions"] = [{"kind": "external", "justification": why}]
    return result


def _notifications(judgement: Judgement, found: Sequence[Finding]) -> list[dict[str, Any]]:
    problems = [f"{problem.kind}: {problem.message}" for problem in judgement.problems]
    errors = [f"{each.requirement.id}: {each.verdict.reason}" for each in found if each.kind is Kind.ERROR]
    more = more_with(judgement)
    told = [(text, "error") for text in (*problems, *errors)] + (
        [(f"decides more with {more}", "note")] if more else []
    )
    return [{"level": level, "message": {"text": clip(text)}} for text, level in told]


def _fingerprint(finding: Finding) -> str:
    """The same for a finding in every run and on every target."""
    told = f"{finding.requirement.id}\n{finding.signature}"
    return hashlib.sha256(told.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _utc(time: str) -> str:
    moment = datetime.fromisoformat(time)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return f"{aware.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
