"""report.sarif: what code scanning makes of a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from mlconform.conformance.report.events import Link, Waiver
from mlconform.conformance.report.sarif import render
from mlconform.conformance.report.stream import Run
from mlconform.conformance.report.verdicts import judge

SCHEMA = (
    Path(__file__).parent / "browser/node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"
)


def results(run: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(render(judge(run)))["runs"][0]["results"]
    return found


@pytest.mark.skipif(not SCHEMA.is_file(), reason="needs `npm ci --prefix tests/report/browser`")
@pytest.mark.parametrize("name", ["sample", "hostile_run"])
def test_is_valid(name: str, request: pytest.FixtureRequest) -> None:
    document = json.loads(render(judge(request.getfixturevalue(name))))
    Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(document)


def test_a_result_for_each_finding_with_its_level(sample: Run) -> None:
    levels = {each["ruleId"]: each["level"] for each in results(sample)}
    assert levels == {
        "osml.wire.no-server-error": "error",
        "osml.delete.group": "error",
        "osml.update.connector-undeploy-first": "warning",
        "osml.deploy.answer.status": "warning",
        "osml.undeploy.answer.value": "warning",
        "osml.update.rate-limiter.no-reset": "note",
    }


def test_an_accepted_finding_is_suppressed_with_its_reason(build: Any) -> None:
    run = build.run(
        build.requirement(), Waiver("osml.deploy.answer", "agreed"), build.check(build.decide("fail"))
    )
    (result,) = results(run)
    assert result["suppressions"] == [{"kind": "external", "justification": "agreed"}]


def test_a_finding_is_the_same_in_every_run(build: Any) -> None:
    def fingerprint(came: str, signature: str) -> str:
        failed = replace(build.decide("fail", came=came), signature=signature)
        (result,) = results(build.run(build.requirement(), build.check(failed)))
        return str(result["partialFingerprints"])

    assert fingerprint("one", "POST: 500") == fingerprint("other", "POST: 500")
    assert fingerprint("one", "POST: 500") != fingerprint("one", "GET: 500")


def test_a_rule_leads_to_the_documentation(build: Any) -> None:
    link = Link("001.md:83-90 (2.19)", "https://docs.example/deploy/#answer")
    run = build.run(replace(build.requirement(), links=(link,)), build.check(build.decide("fail")))
    (rule,) = json.loads(render(judge(run)))["runs"][0]["tool"]["driver"]["rules"]
    assert rule["helpUri"] == link.published


def test_our_own_errors_are_no_results(build: Any) -> None:
    document = json.loads(render(judge(build.decided("error"))))
    assert document["runs"][0]["results"] == []
    assert len(document["runs"][0]["invocations"][0]["toolExecutionNotifications"]) == 1
