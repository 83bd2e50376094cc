"""A whole run from options to exit code, as its user sees it: by the command."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from rich.console import Console

from mlconform.conformance.contract.model import Level
from mlconform.conformance.report.events import Outcome
from mlconform.conformance.report.exit_code import ExitCode
from mlconform.conformance.report.stream import read
from mlconform.conformance.report.verdicts import Judgement, judge
from mlconform.conformance.running.options import RunOptions
from mlconform.conformance.running.run import run as run_suite
from mlconform.conformance.targets.connect import TargetOptions
from mlconform.mock_server import MockServer
from mlconform.mock_server.fixture import RunningMock
from mlconform.mock_server.httpserver import serve_on

REPORTS = {"run.ndjson", "report.html", "report.md", "report.sarif", "summary.json", "junit.xml"}
FEW = ("--profile", "opensearch-ml", "--select", "osml.deploy.answer*")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def run(command: Any, out: Path) -> Callable[..., Any]:
    """Runs `mlconform run` with these options; the reports go to `out`."""
    return lambda *arguments: command("run", "--out", str(out), *arguments)


def judged(out: Path) -> Judgement:
    return judge(read(out / "run.ndjson"))


def kinds(judgement: Judgement) -> dict[str, str]:
    return {verdict.requirement.id: verdict.kind.value for verdict in judgement.verdicts}


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def test_until_failed_the_first_check_that_fails_is_the_last(out: Path) -> None:
    target = TargetOptions(mutant="nugen-endpoint-always")
    options = RunOptions(target=target, profile="nugen", level=Level.OBSERVED, out=out, until_failed=True)
    assert run_suite(options, Console(quiet=True)) == ExitCode.NOT_CONFORMANT
    told = read(out / "run.ndjson")
    failed = [any(each.outcome is Outcome.FAIL for each in check.decisions) for check in told.checks]
    assert failed.index(True) == len(failed) - 1 < len(told.requirements) // 2


class TestEndings:
    def test_a_conformant_target(self, run: Any, out: Path) -> None:
        ended = run(*FEW)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert "Conformant" in ended.stdout
        assert {path.name for path in out.iterdir() if path.is_file()} == REPORTS

    def test_a_target_with_a_fault(self, run: Any, out: Path) -> None:
        ended = run(*FEW, "--level", "example", "--mutant", "deploy-answers-started")
        assert ended.returncode == 1
        assert "osml.deploy.answer.status" in ended.stdout
        assert {path.name for path in out.iterdir() if path.is_file()} == REPORTS

    def test_nobody_there(self, run: Any, out: Path, free_port: int) -> None:
        ended = run("--target", f"http://127.0.0.1:{free_port}")
        assert ended.returncode == 3
        assert "Traceback" not in ended.stderr
        assert {path.name for path in out.iterdir() if path.is_file()} == REPORTS

    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            pytest.param(("{}", 500, "application/json"), "500", id="500 to everything"),
            pytest.param(("<html>hi</html>", 200, "text/html"), "<html>", id="HTML"),
            pytest.param(("", 401, "text/plain"), "credentials", id="credentials missing"),
        ],
    )
    def test_something_else_there(
        self, run: Any, out: Path, httpserver: HTTPServer, answer: tuple[str, int, str], message: str
    ) -> None:
        body, status, kind = answer
        for method in ("GET", "PUT", "POST", "DELETE"):
            httpserver.expect_request("/", method).respond_with_data(body, status, content_type=kind)
        ended = run("--profile", "opensearch-ml", "--target", httpserver.url_for(""))
        assert ended.returncode == 3
        assert "Traceback" not in ended.stderr
        (problem,) = judged(out).problems
        assert (problem.kind, message in problem.message) == ("prerequisite", True)
        assert {path.name for path in out.iterdir() if path.is_file()} == REPORTS

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(b"Content-Length: 500\r\n\r\n{", id="cut off"),
            pytest.param(b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", id="undecodable"),
        ],
    )
    def test_answers_broken_on_the_wire(self, run: Any, out: Path, raw_server: Any, answer: bytes) -> None:
        server = raw_server(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + answer)
        ended = run("--profile", "opensearch-ml", "--target", server.url)
        assert (ended.returncode, ended.stderr) == (1, "")
        assert kinds(judged(out))["osml.wire.json"] == "fail"

    def test_an_address_of_ours_that_only_the_server_knows(
        self, run: Any, out: Path, serve_mock: Any
    ) -> None:
        few = ("--profile", "opensearch-ml", "--select", "osml.predict*")
        ended = run("--target", serve_mock().url, "--endpoint-host", "192.0.2.7", *few)
        assert "Traceback" not in ended.stderr
        reasons = {verdict.reason for verdict in judged(out).verdicts if verdict.kind == "error"}
        assert reasons == set()


class TestTrace:
    """A run over HTTP leaves the target as it found it."""

    SETTING = "plugins.ml_commons.model_auto_deploy.enable"

    @pytest.fixture
    def target(self, serve_mock: Any) -> RunningMock:
        mock: RunningMock = serve_mock(nodes=2)
        request = urllib.request.Request(
            f"{mock.url}/_cluster/settings",
            json.dumps({"persistent": {self.SETTING: False}}).encode(),
            {"Content-Type": "application/json"},
            method="PUT",
        )
        with urllib.request.urlopen(request, timeout=10):
            return mock

    def left(self, target: RunningMock) -> dict[str, Any]:
        """How much the mock holds of each kind that a run can make and remove."""
        state = get(f"{target.url}/_mock/state")["profiles"]["opensearch-ml"]
        pipelines = {kind: state[kind] for kind in ("ingest_pipelines", "search_pipelines")}
        indices = {name: index for name, index in state["indices"].items() if "task" not in name}
        return {name: held for name, held in (pipelines | indices).items() if held}

    def test_nothing_stays_of_a_run(self, run: Any, out: Path, target: RunningMock) -> None:
        select = "osml.delete.*,osml.settings.*,!*test_any_sequence"
        ended = run("--target", target.url, "--level", "observed", "--select", select)
        assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
        judgement = judged(out)
        checked = [verdict for verdict in judgement.verdicts if verdict.requirement.checks]
        assert {verdict.kind for verdict in checked} == {"pass"}
        assert judgement.problems == ()
        assert self.left(target) == {}
        settings = get(f"{target.url}/_cluster/settings?flat_settings=true")
        assert settings["persistent"] == {self.SETTING: "false"}


def test_two_workers_give_the_verdicts_of_one(run: Any, out: Path) -> None:
    select = "osml.delete.safe.conflict,osml.delete.answer*,!*test_any_sequence"
    few = ("--profile", "opensearch-ml", "--level", "observed", "--select", select)
    run(*few, "--mutant", "conflict-is-400")
    alone = kinds(judged(out))
    run(*few, "--mutant", "conflict-is-400", "--workers", "2")
    assert kinds(judged(out)) == alone
    assert "fail" in alone.values()
    assert {".".join(name.split(".")[:2]) for name in alone} == {"osml.delete"}


def test_the_callers_folder_and_variables_steer_nothing_and_stay_as_they_are(
    command: Any, out: Path, tmp_path: Path
) -> None:
    hostile = {
        "pytest.ini": "[pytest]\naddopts = --no-such-option\n",
        "conftest.py": "raise RuntimeError('the conftest of the caller')\n",
        "schemathesis.toml": "no such = configuration",
    }
    for name, content in hostile.items():
        (command.folder / name).write_text(content, encoding="utf-8")
    (tmp_path / "loud.py").write_text("raise RuntimeError('the plugin of the caller')\n", encoding="utf-8")
    env = {
        "PYTEST_ADDOPTS": "--no-such-option",
        "PYTEST_PLUGINS": "loud",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")])),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(command.folder / "hypothesis"),
    }
    few = ("--select", "nugen.undeploy.validation,osml.deploy.answer", "--workers", "2")
    ended = command("run", "--out", str(out), *few, env=env)
    assert (ended.returncode, ended.stderr) == (0, "")
    checks = {check.check for check in judged(out).run.checks}
    assert "nugen/test_generated.py::test_generated_requests" in checks
    assert "opensearch_ml/test_deploy.py::test_the_answer_names_a_task_and_a_status" in checks
    assert {path.name for path in command.folder.iterdir()} == set(hostile)


def test_without_a_folder_the_report_goes_into_the_callers(command: Any) -> None:
    command("run", *FEW)
    assert [path.name for path in command.folder.iterdir()] == ["reports"]
    latest = command.folder / "reports" / "latest"
    assert {path.name for path in latest.iterdir() if path.is_file()} == REPORTS


def test_a_server_with_both_profiles_is_judged_by_both(run: Any, out: Path, httpserver: HTTPServer) -> None:
    serve_on(httpserver, MockServer())
    select = "osml.deploy.answer,nugen.aligned.answer"
    ended = run("--target", httpserver.url_for(""), "--select", select)
    assert ended.returncode == 0
    assert kinds(judged(out)) == {"osml.deploy.answer": "pass", "nugen.aligned.answer": "pass"}


def test_a_profile_that_is_not_there_is_left_out_of_all(run: Any, out: Path, serve_mock: Any) -> None:
    url = serve_mock(profiles=["opensearch-ml"]).url
    ended = run("--target", url, "--select", "osml.deploy.answer,nugen.aligned.answer")
    assert ended.returncode == 0
    assert kinds(judged(out)) == {"osml.deploy.answer": "pass"}


def test_a_pace_is_told_at_the_start_and_in_the_report(run: Any, out: Path, serve_mock: Any) -> None:
    ended = run("--target", serve_mock().url, *FEW, "--max-rate", "200")
    assert ended.returncode == 0
    assert "sends at most 200 requests a second" in ended.stdout
    assert judged(out).run.header.max_rate == 200
    for name in ("report.md", "report.html"):
        text = (out / name).read_text(encoding="utf-8")
        assert "at most 200 requests a second" in text
        assert "--max-rate 200" in text


def test_what_a_check_could_not_decide_says_what_would_let_it(run: Any, out: Path) -> None:
    ended = run("--profile", "opensearch-ml", "--select", "osml.access.admin")
    (verdict,) = judged(out).verdicts
    assert [each.decision.remedy for each in verdict.evidence] == ["users"]
    assert "decides more with further users (+1: --user or --create-users)" in ended.stdout.splitlines()
