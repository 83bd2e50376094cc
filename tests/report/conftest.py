"""Runs to make reports of: small ones built event by event, and one sample with every verdict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mlconform.conformance.report.events import ExchangeRecord, Outcome, Problem, TargetDiscovered
from mlconform.conformance.report.stream import EventWriter, Run

from .building import Build
from .sample import sample_run

HOSTILE = (
    "</pre><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "\x1b[31mred\x1b[0m \x00 \x85 \u202eback \u2028 \ud800 \uffff ]]> `` ``` | **b** "
)


@pytest.fixture
def build() -> Build:
    return Build()


@pytest.fixture
def hostile() -> str:
    """What a hostile server may send, in any place where it can put text."""
    return HOSTILE


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Run], Path]:
    """Writes the events of a run as a run writes them, and tells where."""

    def write(run: Run) -> Path:
        path = tmp_path / "run" / "run.ndjson"
        with EventWriter(path) as writer:
            for event in (run.header, *run.targets, *run.requirements, *run.waivers, *run.checks):
                writer.write(event)
            for problem in run.problems:
                writer.write(problem)
            if run.footer:
                writer.write(run.footer)
        return path

    return write


@pytest.fixture
def sample(build: Build) -> Run:
    """A run with every verdict, like one against a cluster."""
    return sample_run(build)


@pytest.fixture
def hostile_run(build: Build, hostile: str) -> Run:
    """A run in which every text that comes from a target is hostile, and one body is huge."""
    exchange = ExchangeRecord(
        method=hostile,
        url=hostile,
        at=0.0,
        request_body=hostile,
        request_content_type=hostile,
        status=200,
        content_type=hostile,
        response_body=hostile * 1000,
        problem=hostile,
        curl=hostile,
    )
    decisions = [
        build.decide(outcome, f"osml.deploy.{outcome}", reason=hostile, expected=hostile, came=hostile * 1000)
        for outcome in Outcome
    ]
    return build.run(
        TargetDiscovered("opensearch-ml", hostile, hostile, (hostile,), {hostile: False}, (hostile,)),
        *(build.requirement(f"osml.deploy.{each}", statement=hostile, sources=[hostile]) for each in Outcome),
        build.check(*decisions, check=hostile, exchanges=[exchange], log=hostile),
        Problem(kind="cleanup", message=hostile),
    )
