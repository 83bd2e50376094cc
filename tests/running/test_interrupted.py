"""A run on a server whose time is real, ended while checks of time wait: it leaves the server as it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mlconform.conformance.cli import main
from mlconform.conformance.report.stream import read
from mlconform.conformance.report.verdicts import judge
from mlconform.mock_server import MockServer, Request
from mlconform.mock_server.asgi import serving
from mlconform.mock_server.core import Response

SETTINGS = {"plugins.ml_commons.sync_up_job_interval_in_seconds": "11"}
# Checks of time, and beside them such as make models, groups, connectors, agents and pipelines.
SELECT = "osml.undeploy.ttl*,osml.delete.*,osml.update.*,!*test_any_sequence"
OF_TIME = "opensearch_ml/test_ttl.py::"
REPORTS = {"run.ndjson", "report.html", "report.md", "report.sarif", "summary.json", "junit.xml"}
# An idle machine needs two; the checks of time would wait for more than a minute.
BOUND_SECONDS = 20.0
Ender = Callable[[int, int], None]


class RealTime:
    """A mock that lets nobody steer it over HTTP."""

    def __init__(self) -> None:
        self.inner = MockServer(profiles=["opensearch-ml"], nodes=1)
        body = json.dumps({"persistent": SETTINGS}).encode()
        kind = {"content-type": "application/json"}
        self.inner.handle(Request("PUT", "/_cluster/settings", "", kind, body))
        self.before = self.held()

    def handle(self, request: Request) -> Response:
        return Response(404, (), b"") if request.path.startswith("/_mock/") else self.inner.handle(request)

    def held(self) -> dict[str, Any]:
        """What it holds of each kind that a run can make and change, but for tasks."""
        answer = self.inner.handle(Request("GET", "/_mock/state"))
        state = json.loads(answer.body)["profiles"]["opensearch-ml"]
        pipelines = {kind: state[kind] for kind in ("ingest_pipelines", "search_pipelines")}
        indices = {name: held for name, held in state["indices"].items() if "task" not in name}
        kept = {name: held for name, held in (pipelines | indices).items() if held}
        return kept | {"settings": state["settings"]}


class Started:
    """A run under way, in a group of processes of its own."""

    def __init__(self, process: subprocess.Popen[str], out: Path) -> None:
        self.process = process
        self._stream = out / "run.ndjson"

    def until_others_have_ended(self) -> int:
        """Until checks have ended while those of time wait; how many."""
        while self.process.poll() is None:
            written = self._stream.read_bytes() if self._stream.exists() else b""
            ended = written.count(b'"event":"check_finished"')
            if ended > 3:
                return ended
            time.sleep(0.05)
        pytest.fail(f"the run ended before it was ended: {self.process.communicate()}")

    def is_gone(self) -> bool:
        """Whether within the bound no process of the group is left."""
        ends = time.monotonic() + BOUND_SECONDS
        while time.monotonic() < ends:
            try:
                os.killpg(self.process.pid, 0)
            except ProcessLookupError:
                return True
            time.sleep(0.05)
        return False


@pytest.fixture
def target() -> Iterator[tuple[str, RealTime]]:
    server = RealTime()
    with serving(server) as url:
        yield url, server


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def start(command: Any, out: Path, target: tuple[str, RealTime]) -> Iterator[Callable[[str], Started]]:
    """Starts a run on the target with so many workers."""
    with ExitStack() as ending:

        def start(workers: str) -> Started:
            options = ("--target", target[0], "--profile", "opensearch-ml", "--select", SELECT)
            process = command.start("run", "--out", str(out), "--workers", workers, *options)
            ending.enter_context(process)
            ending.callback(process.kill)
            return Started(process, out)

        yield start


@pytest.mark.parametrize(
    ("workers", "tell"),
    [("1", os.kill), ("2", os.kill), ("3", os.killpg)],
    ids=["alone", "two", "three at a terminal"],
)
def test_an_interrupted_run_reports_and_leaves_nothing(
    start: Any, target: tuple[str, RealTime], out: Path, workers: str, tell: Ender
) -> None:
    run = start(workers)
    learned = run.until_others_have_ended()
    tell(run.process.pid, signal.SIGINT)
    told, stderr = run.process.communicate(timeout=BOUND_SECONDS)
    assert (run.process.returncode, stderr) == (5, "")
    assert "will wait" in told
    assert {path.name for path in out.iterdir() if path.is_file()} == REPORTS
    judgement = judge(read(out / "run.ndjson"))
    assert [problem.kind for problem in judgement.problems] == ["interrupted"]
    assert len(judgement.run.checks) >= learned
    assert judgement.summary.decided
    assert not any(check.check.startswith(OF_TIME) for check in judgement.run.checks)
    assert run.is_gone()
    assert target[1].held() == target[1].before


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_a_killed_run_left_is_swept(start: Any, target: tuple[str, RealTime], workers: str) -> None:
    url, server = target
    run = start(workers)
    run.until_others_have_ended()
    run.process.kill()
    run.process.communicate(timeout=BOUND_SECONDS)
    assert run.is_gone()
    assert server.held() != server.before
    spared = CliRunner().invoke(main, ["sweep", "--target", url])
    assert "left alone: what belongs to the run" in spared.output
    swept = CliRunner().invoke(main, ["sweep", "--target", url, "--force"])
    assert swept.exit_code == 0, swept.output
    assert server.held() == server.before
