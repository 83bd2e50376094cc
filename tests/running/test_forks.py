"""A run on the mock in this process, whose checks go on in forks of it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mlconform.conformance.contract.model import Level
from mlconform.conformance.report.events import Outcome
from mlconform.conformance.report.exit_code import ExitCode
from mlconform.conformance.report.stream import Run, read
from mlconform.conformance.running import endings, forks
from mlconform.conformance.running.checks import check_name
from mlconform.conformance.running.options import RunOptions
from mlconform.conformance.running.record import Recorder
from mlconform.conformance.running.run import run
from mlconform.conformance.targets.connect import TargetOptions

pytestmark = pytest.mark.skipif(not forks.POSSIBLE, reason="this system cannot fork")

Around = Callable[[pytest.Item], None]
BOUND_SECONDS = 20.0


@pytest.fixture
def judged(tmp_path: Path) -> Callable[..., tuple[int, Run]]:
    """Runs the checks of nugen in so many forks."""

    def judge(workers: int, **target: Any) -> tuple[int, Run]:
        options = RunOptions(
            target=TargetOptions(**target),
            profile="nugen",
            level=Level.OBSERVED,
            workers=workers,
            out=tmp_path / "out",
        )
        return run(options, Console(quiet=True)), read(tmp_path / "out" / "run.ndjson")

    return judge


@pytest.fixture
def within(monkeypatch: pytest.MonkeyPatch) -> Callable[[Around], None]:
    """Has something done in each check, in the process that runs it."""

    def have(done: Around) -> None:
        inner = endings.call_and_repeat

        def call(judging: Any, item: pytest.Item) -> Generator[None, object, object]:
            done(item)
            return (yield from inner(judging, item))

        monkeypatch.setattr(endings, "call_and_repeat", call)

    return have


def decided(told: Run) -> list[tuple[str, str, Outcome]]:
    return sorted((each.check, d.requirement, d.outcome) for each in told.checks for d in each.decisions)


def test_forks_decide_what_one_process_decides(judged: Any) -> None:
    alone, told_alone = judged(1, mutant="nugen-endpoint-always")
    forked, told = judged(3, mutant="nugen-endpoint-always")
    assert (forked, decided(told)) == (alone, decided(told_alone))
    assert any(outcome is Outcome.FAIL for _, _, outcome in decided(told))


def test_the_checks_are_run_by_other_processes(judged: Any, within: Any, tmp_path: Path) -> None:
    within(lambda item: (tmp_path / f"{os.getpid()}.pid").touch())
    judged(2)
    pids = {int(path.stem) for path in tmp_path.glob("*.pid")}
    assert len(pids) == 2
    assert os.getpid() not in pids


def test_what_explores_is_begun_first(judged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    monkeypatch.setattr(Recorder, "pytest_runtest_logstart", lambda _, nodeid: begun.append(nodeid))
    judged(2)
    assert "test_generated" in begun[0] or "test_sequences" in begun[0]


def test_a_fork_that_dies_is_told_with_its_check(judged: Any, within: Any) -> None:
    dead = "nugen/test_models.py::test_the_list_of_aligned_models"
    within(lambda item: os._exit(1) if check_name(item) == dead else None)
    code, told = judged(2)
    assert code == ExitCode.OWN_ERROR
    assert [problem.message for problem in told.problems] == [f"the process that ran {dead} died"]
    assert dead not in {check.check for check in told.checks}
    assert told.checks


def test_what_a_fork_could_not_remove_is_told(judged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = forks.Forks._go_through

    def go_through(self: forks.Forks, *given: Any) -> None:
        inner(self, *given)
        self._judging.complaints.append("model stayed")

    monkeypatch.setattr(forks.Forks, "_go_through", go_through)
    assert {problem.message for problem in judged(2)[1].problems} == {"model stayed"}


@pytest.fixture
def under_way(command: Any, tmp_path: Path) -> Any:
    """A run in forks that has told of a check, in a group of processes of its own."""
    stream = tmp_path / "out" / "run.ndjson"
    with command.start("run", "--out", str(stream.parent), "--workers", "2") as process:
        while process.poll() is None and not (
            stream.exists() and b'"event":"check_finished"' in stream.read_bytes()
        ):
            time.sleep(0.02)
        yield process
        process.kill()


def is_gone(process: subprocess.Popen[str]) -> bool:
    """Whether within the bound no process of the group is left."""
    ends = time.monotonic() + BOUND_SECONDS
    while time.monotonic() < ends:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("tell", [os.kill, os.killpg], ids=["the run", "all at a terminal"])
def test_an_interrupted_run_reports_and_leaves_no_process(under_way: Any, tmp_path: Path, tell: Any) -> None:
    tell(under_way.pid, signal.SIGINT)
    _, stderr = under_way.communicate(timeout=BOUND_SECONDS)
    assert (under_way.returncode, stderr) == (ExitCode.INCOMPLETE, "")
    told = read(tmp_path / "out" / "run.ndjson")
    assert [problem.kind for problem in told.problems] == ["interrupted"]
    assert (tmp_path / "out" / "report.html").exists()
    assert is_gone(under_way)


def test_forks_end_when_the_run_was_killed(under_way: Any) -> None:
    under_way.kill()
    under_way.wait()
    assert is_gone(under_way)
