"""The suite, run on the mock of a recorded version, fails at its deviations and nowhere else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mlconform.conformance.contract import store
from mlconform.conformance.contract.model import Level
from mlconform.conformance.report.exit_code import ExitCode
from mlconform.conformance.report.stream import Run, read
from mlconform.conformance.report.verdicts import Kind, judge
from mlconform.conformance.running.known import known_waivers
from mlconform.conformance.running.options import RunOptions
from mlconform.conformance.running.record import STREAM
from mlconform.conformance.running.run import run
from mlconform.conformance.targets.connect import TargetOptions
from mlconform.mock_server.opensearch_ml.behaviours import deviations_of

# Of these versions a node with users was recorded.
SECURED = {"opensearch-3.4"}
# What shows where access is controlled all the time, to who is no admin, or over connections alone.
SEEN_ELSEWHERE = {
    "osml.access.connection",
    "osml.undeploy.mixed",
    "osml.undeploy.model-ids",
    "osml.undeploy.several-unknown",
    "osml.update.unknown-group",
}
SERVE = """
from mlconform.mock_server import MockServer
from mlconform.mock_server.asgi import serve
serve(MockServer(docs_version="3.4", nodes=3), "127.0.0.1", 0, lambda url: print(url, flush=True))
"""


def _ran(out: Path, *, level: Level = Level.OBSERVED, **given: Any) -> tuple[int, Run]:
    target = TargetOptions(
        **{name: given.pop(name) for name in ("target", "behaviour", "mutant", "security") if name in given}
    )
    target = replace(target, docs_version=given.get("docs_version"))
    options = RunOptions(target=target, profile="opensearch-ml", level=level, out=out, **given)
    code = run(options, Console(quiet=True))
    return code, read(out / STREAM)


def _of_kind(run: Run, kind: Kind) -> set[str]:
    return {verdict.requirement.id for verdict in judge(run).verdicts if verdict.kind is kind}


def _broken_by(behaviour: str) -> set[str]:
    return {name for deviation in deviations_of(behaviour) for name in deviation.requirements}


@pytest.mark.parametrize("behaviour", ["opensearch-2.19", "opensearch-3.4"])
def test_a_known_set_accepts_what_the_version_deviates_in_and_the_suite_finds_just_that(
    behaviour: str, tmp_path: Path
) -> None:
    """One run shows both: without its waivers its known verdicts are failures."""
    code, ran = _ran(tmp_path, behaviour=behaviour, known=behaviour, security=behaviour in SECURED)
    assert code == ExitCode.CONFORMANT
    found, waivers = _of_kind(ran, Kind.KNOWN), known_waivers(behaviour)
    # On a busy machine fewer tries fit the budget, and what depends on chance alone may not come.
    always = {waiver.requirement for waiver in waivers if not waiver.chance}
    by_chance = {waiver.requirement for waiver in waivers} - always
    assert found | by_chance == _broken_by(behaviour) | by_chance
    assert always <= found <= {waiver.requirement for waiver in waivers}
    bare = replace(ran, waivers=())
    assert _of_kind(bare, Kind.FAIL) == found
    assert judge(bare).summary.exit_code == ExitCode.NOT_CONFORMANT


def test_a_fault_of_the_server_that_no_known_set_lists_is_named(tmp_path: Path) -> None:
    code, ran = _ran(
        tmp_path,
        behaviour="opensearch-3.4",
        mutant="bad-json-is-500",
        known="opensearch-3.4",
        select="osml.wire.no-server-error",
    )
    assert code == ExitCode.NOT_CONFORMANT
    assert _of_kind(ran, Kind.FAIL) == {"osml.wire.no-server-error"}


@pytest.mark.exhaustive
def test_a_newer_version_judged_by_older_pages_deviates_in_nothing_else(tmp_path: Path) -> None:
    code, ran = _ran(tmp_path, behaviour="opensearch-3.4", docs_version="2.19", security=True)
    assert code == ExitCode.NOT_CONFORMANT
    chance = {waiver.requirement for waiver in known_waivers("opensearch-3.4") if waiver.chance}
    older = set(store.load("opensearch-ml", "2.19").requirements)
    broken = (_broken_by("opensearch-3.4") - SEEN_ELSEWHERE) & older
    # Only the older page has another word for the deploy of a local model.
    found = _of_kind(ran, Kind.FAIL) - {"osml.deploy.answer.status"}
    assert broken - chance <= found <= broken


@pytest.mark.parametrize("version", ["2.19", "3.4"])
def test_the_answers_by_the_pages_have_the_form_of_those_that_were_recorded(
    version: str, tmp_path: Path
) -> None:
    code, ran = _ran(tmp_path, docs_version=version, select="osml.wire.recorded-answer")
    assert (code, _of_kind(ran, Kind.PASS)) == (ExitCode.CONFORMANT, {"osml.wire.recorded-answer"})


@pytest.fixture
def three_nodes() -> Iterator[str]:
    with subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


@pytest.mark.exhaustive
def test_three_nodes_over_http_conform(three_nodes: str, tmp_path: Path) -> None:
    code, ran = _ran(tmp_path, target=three_nodes, select="osml.nodes.*,osml.deploy.*,osml.undeploy.*")
    assert (code, _of_kind(ran, Kind.FAIL)) == (ExitCode.CONFORMANT, set())
    (found,) = ran.targets
    assert len(found.nodes) == 3
