"""Checks of time wait together."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from rich.console import Console

from mlconform.conformance.report.stream import read
from mlconform.conformance.report.verdicts import Kind, judge
from mlconform.conformance.running.options import RunOptions
from mlconform.conformance.running.record import STREAM
from mlconform.conformance.running.run import run
from mlconform.conformance.targets.clock import TargetClock
from mlconform.conformance.targets.connect import TargetOptions
from mlconform.conformance.targets.session import Session
from mlconform.mock_server import MockServer
from mlconform.mock_server.httpserver import serve_on

CHECKS = "osml.undeploy.ttl-minus-one", "osml.rate-limit.refused"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run in this process is no worker of the tests' own run."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)


@pytest.fixture
def real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The target does not say that its time can be moved."""
    monkeypatch.setattr(Session, "discover_control", lambda self: None)


def ran(httpserver: HTTPServer, out: Path, *, workers: int = 1, **target: Any) -> tuple[str, dict[str, Kind]]:
    serve_on(httpserver, MockServer())
    options = TargetOptions(target=httpserver.url_for(""), **target)
    with (out / "console").open("w") as written:
        console = Console(record=True, width=400, quiet=False, file=written)
        asked = RunOptions(target=options, profile="opensearch-ml", select=",".join(CHECKS), out=out)
        run(replace(asked, workers=workers), console)
    verdicts = {each.requirement.id: each.kind for each in judge(read(out / STREAM)).verdicts}
    return console.export_text(), verdicts


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.usefixtures("real_time")
def test_checks_of_time_go_on_beside_each_other(
    httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """Each waits until the other is there too: one after the other they would never meet."""
    meeting, calls = threading.Barrier(2, timeout=20), itertools.count()
    monkeypatch.setattr(
        TargetClock, "let_pass", lambda *_: meeting.wait() if next(calls) < len(CHECKS) else None
    )
    told, verdicts = ran(httpserver, tmp_path, workers=workers)
    assert told.count("once for all of") == 1
    assert verdicts["osml.undeploy.ttl-minus-one"] is Kind.PASS


@pytest.mark.usefixtures("real_time")
def test_the_plan_tells_what_the_budget_leaves_out(httpserver: HTTPServer, tmp_path: Path) -> None:
    told, verdicts = ran(httpserver, tmp_path, max_wait=0.0)
    assert "--max-wait 0 leaves out 2 checks of time" in told
    assert set(verdicts.values()) == {Kind.UNTESTABLE}


@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_is_planned_where_time_can_be_moved(
    httpserver: HTTPServer, tmp_path: Path, workers: int
) -> None:
    told, verdicts = ran(httpserver, tmp_path, workers=workers)
    finished = [each.check for each in read(tmp_path / STREAM).checks]
    assert len(set(finished)) == len(finished)
    assert "will wait" not in told
    assert set(verdicts.values()) == {Kind.PASS}


@pytest.mark.usefixtures("real_time")
def test_a_group_is_made_before_those_that_register_beside_each_other(
    httpserver: HTTPServer, tmp_path: Path
) -> None:
    ran(httpserver, tmp_path, workers=2, max_wait=0.0)
    made = [request.path for request, _ in httpserver.log if request.method == "POST"]
    registrations = [path for path in made if path.endswith(("/models/_register", "/model_groups/_register"))]
    assert registrations[0].endswith("/model_groups/_register")
