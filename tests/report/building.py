"""Runs built event by event, with defaults for all that a test does not care about."""

from __future__ import annotations

from collections.abc import Sequence

from mlconform.conformance.report.events import (
    CheckFinished,
    Decision,
    Event,
    ExchangeRecord,
    Outcome,
    RequirementListed,
    RunFinished,
    RunStarted,
)
from mlconform.conformance.report.stream import Run, gather

MODEL = "9f2xNZEBOWlitPXT0xkW"


class Build:
    """Makes events."""

    def header(
        self,
        level: str = "documented",
        selection: str = "",
        require_decided: float | None = None,
        started_at: str = "2025-06-03T14:21:07+00:00",
    ) -> RunStarted:
        return RunStarted(
            run_id="r-7c1f",
            started_at=started_at,
            tool_version="0.1.0",
            target="http://127.0.0.1:9200",
            profiles=("opensearch-ml",),
            docs_versions={"opensearch-ml": "2.19"},
            level=level,
            seed=20250603,
            max_wait_seconds=120.0,
            selection=selection,
            require_decided=require_decided,
        )

    def requirement(
        self,
        id: str = "osml.deploy.answer",  # noqa: A002
        level: str = "documented",
        statement: str = "A deploy answers with a task id and a status.",
        sources: Sequence[str] = ("001.md:83-90 (2.19)",),
        checks: Sequence[str] = ("test_deploy.py::test_it",),
        unchecked: str | None = None,
        inapplicable: str | None = None,
        profile: str = "opensearch-ml",
        broken_by: str | None = None,
        selected: bool = True,
    ) -> RequirementListed:
        return RequirementListed(
            id=id,
            profile=profile,
            level=level,
            statement=statement,
            sources=tuple(sources),
            checks=tuple(checks),
            unchecked=unchecked,
            inapplicable=inapplicable,
            broken_by=broken_by,
            selected=selected,
        )

    def check(
        self,
        *decisions: Decision,
        check: str = "test_deploy.py::test_it",
        exchanges: Sequence[ExchangeRecord] = (),
        log: str = "",
        duration: float = 0.5,
    ) -> CheckFinished:
        return CheckFinished(
            check=check,
            profile="opensearch-ml",
            duration=duration,
            decisions=decisions,
            exchanges=tuple(exchanges),
            log=log,
        )

    def decide(
        self,
        outcome: Outcome | str,
        requirement: str = "osml.deploy.answer",
        reason: str = "",
        expected: str = "",
        came: str = "",
    ) -> Decision:
        return Decision(requirement, Outcome(outcome), reason, expected, came)

    def exchange(
        self,
        method: str = "POST",
        path: str = f"/_plugins/_ml/models/{MODEL}/_deploy",
        at: float = 0.0,
        request_body: str | None = None,
        status: int | None = 200,
        response_body: str | None = "{}",
        problem: str | None = None,
    ) -> ExchangeRecord:
        url = f"http://127.0.0.1:9200{path}"
        data = f" -H 'Content-Type: application/json' -d '{request_body}'" if request_body else ""
        return ExchangeRecord(
            method=method,
            url=url,
            at=at,
            request_body=request_body,
            request_content_type="application/json" if request_body else None,
            status=status,
            content_type=None if status is None else "application/json; charset=UTF-8",
            response_body=response_body,
            problem=problem,
            curl=f"curl -X {method} '{url}'{data}",
        )

    def footer(self) -> RunFinished:
        return RunFinished(finished_at="2025-06-03T14:24:48+00:00", duration=221.4, exit_code=0)

    def run(self, *events: Event, header: RunStarted | None = None, ended: bool = True) -> Run:
        return gather([header or self.header(), *events, *([self.footer()] if ended else [])])

    def decided(self, *outcomes: Outcome | str, level: str = "documented") -> Run:
        """A run with one requirement and one check for each outcome."""
        checks = [
            self.check(self.decide(outcome), check=f"test_deploy.py::test_{number}")
            for number, outcome in enumerate(outcomes)
        ]
        return self.run(self.requirement(level=level), *checks)
