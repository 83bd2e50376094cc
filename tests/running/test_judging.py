"""From the ending of a check to a verdict, seen in whole runs of single checks on real targets."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from rich.console import Console
from schemathesis import Case

from mlconform.conformance.contract.model import Level
from mlconform.conformance.outcomes import TargetUnreachable, Untestable
from mlconform.conformance.report.events import Outcome
from mlconform.conformance.report.presentation import curl_sequence
from mlconform.conformance.report.stream import read
from mlconform.conformance.report.verdicts import Judgement, Kind, judge
from mlconform.conformance.running.judging import Judging
from mlconform.conformance.running.options import RunOptions
from mlconform.conformance.running.record import STREAM
from mlconform.conformance.running.run import run
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.generated import send
from mlconform.conformance.suites.opensearch_ml import test_generated
from mlconform.conformance.suites.opensearch_ml.api import MlCommons
from mlconform.conformance.targets import connect as connect_module
from mlconform.conformance.targets import infrastructure
from mlconform.conformance.targets.connect import TargetOptions, connect
from mlconform.conformance.targets.opensearch_settings import PRIVATE_ADDRESSES, read_settings
from mlconform.conformance.targets.opensearch_sweep import sweep
from mlconform.conformance.targets.session import Session
from mlconform.conformance.targets.settle import Ending, Settled
from mlconform.conformance.targets.transport import HttpTransport
from mlconform.conformance.targets.turns import PREFIX
from mlconform.mock_server import MockServer, Request
from mlconform.mock_server.httpserver import serve_on

STATUS = "osml.remote.example.deploy-answer"
BROKEN = "osml.wire.json"


@pytest.fixture
def judged(tmp_path: Path) -> Callable[..., Judgement]:
    """Runs the checks of these requirements in this process, and reads the run from disk."""

    def run_checks(select: str, *, level: Level = Level.OBSERVED, **target: Any) -> Judgement:
        options = RunOptions(
            target=TargetOptions(**target),
            profile="opensearch-ml",
            level=level,
            select=select,
            docs_version=target.get("docs_version"),
            out=tmp_path / "out",
        )
        code = run(options, Console(quiet=True))
        judgement = judge(read(tmp_path / "out" / STREAM))
        assert code == judgement.summary.exit_code
        return judgement

    return run_checks


def verdict(judgement: Judgement, requirement: str) -> Any:
    return next(each for each in judgement.verdicts if each.requirement.id == requirement)


def test_a_check_that_holds_passes_without_evidence(judged: Any) -> None:
    judgement = judged(STATUS)
    assert verdict(judgement, STATUS).kind is Kind.PASS
    assert judgement.summary.exit_code == 0
    assert all(check.exchanges == () for check in judgement.run.checks)


def test_a_difference_fails_with_both_sides_and_the_requests(judged: Any) -> None:
    judgement = judged(STATUS, mutant="deploy-answers-started")
    found = verdict(judgement, STATUS)
    assert (found.kind, judgement.summary.exit_code) == (Kind.FAIL, 1)
    decision, check = found.telling[0].decision, found.telling[0].check
    assert "CREATED" in decision.expected
    assert "STARTED" in decision.came
    last = check.exchanges[-1]
    assert last.method == "POST"
    assert last.url.endswith("/_deploy")
    assert last.curl.startswith("curl ")


def test_a_difference_below_the_level_warns(judged: Any) -> None:
    judgement = judged(STATUS, level=Level.DOCUMENTED, mutant="deploy-answers-started")
    assert verdict(judgement, STATUS).kind is Kind.WARN
    assert judgement.summary.exit_code == 0


class TestRepetition:
    @pytest.fixture
    def served(self, httpserver: HTTPServer) -> HTTPServer:
        serve_on(httpserver, MockServer(docs_version="2.19"))
        return httpserver

    def differs(self, served: HTTPServer, times: int) -> None:
        """The answer to this many deploys has a status of its own."""
        for _ in range(times):
            served.expect_oneshot_request(re.compile(r".*/_deploy"), "POST").respond_with_json(
                {"task_id": "t", "status": "QUEUED"}
            )

    def test_a_difference_that_comes_once_fails_and_tells_how_often_it_came(
        self, judged: Any, served: HTTPServer
    ) -> None:
        self.differs(served, 1)
        judgement = judged(STATUS, target=served.url_for(""))
        found = verdict(judgement, STATUS)
        assert found.kind is Kind.FAIL
        decision = found.telling[0].decision
        assert (decision.came, decision.seen, decision.tries) == ("'QUEUED'", 1, 12)
        assert judgement.summary.exit_code == 1

    def test_a_budget_that_was_overrun_once_is_flaky(
        self, judged: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        late = [Settled("DEPLOYING", Ending.TIMED_OUT, 20.0)]
        in_time = MlCommons.settle_state

        def settle(ml: MlCommons, model: str, *states: str, **budget: float) -> Settled[str]:
            return late.pop() if late else in_time(ml, model, *states, **budget)

        monkeypatch.setattr(MlCommons, "settle_state", settle)
        found = verdict(judged("*::test_an_accepted_deploy*"), "osml.deploy.in-memory")
        assert (found.kind, found.telling[0].decision.came) == (Kind.FLAKY, "'DEPLOYING'")

    def test_a_difference_that_comes_again_is_a_failure(self, judged: Any, served: HTTPServer) -> None:
        self.differs(served, 2)
        assert verdict(judged(STATUS, target=served.url_for("")), STATUS).kind is Kind.FAIL

    def test_the_evidence_of_a_failure_is_that_of_the_repetition(
        self, judged: Any, served: HTTPServer
    ) -> None:
        self.differs(served, 2)
        found = verdict(judged(STATUS, target=served.url_for("")), STATUS)
        deploys = [each for each in found.telling[0].check.exchanges if each.url.endswith("/_deploy")]
        assert len(deploys) == 1

    def test_a_broken_answer_is_not_asked_for_again(self, judged: Any, served: HTTPServer) -> None:
        served.expect_oneshot_request(re.compile(r".*/_deploy"), "POST").respond_with_data("{")
        judgement = judged(f"{STATUS},{BROKEN}", target=served.url_for(""))
        assert verdict(judgement, BROKEN).kind is Kind.FAIL

    def test_a_broken_answer_is_a_finding_that_names_its_operation(
        self, judged: Any, served: HTTPServer
    ) -> None:
        served.expect_oneshot_request(re.compile(r".*/_deploy"), "POST").respond_with_data(
            "{", content_type="application/json"
        )
        judgement = judged(f"{STATUS},{BROKEN}", target=served.url_for(""))
        told = [each.decision.signature for each in verdict(judgement, BROKEN).telling]
        assert told
        assert all(signature.startswith("POST ") for signature in told)


class TestUntestable:
    @pytest.fixture
    def _no_model(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(_: MlCommons, **fields: Any) -> str:
            raise Untestable("no model can be made here")

        monkeypatch.setattr(MlCommons, "model", refuse)

    @pytest.mark.usefixtures("_no_model")
    def test_the_reason_is_told(self, judged: Any) -> None:
        judgement = judged(STATUS)
        found = verdict(judgement, STATUS)
        assert (found.kind, found.reason) == (Kind.UNTESTABLE, "no model can be made here")

    @pytest.mark.usefixtures("_no_model")
    def test_a_run_that_decides_nothing_is_not_conformant(self, judged: Any) -> None:
        assert judged(STATUS).summary.exit_code == 1

    @pytest.mark.usefixtures("_no_model")
    def test_exploration_ends_so_too(self, judged: Any) -> None:
        judgement = judged("*::test_concurrent_operations*")
        reasons = {d.reason for check in judgement.run.checks for d in check.decisions}
        assert "no model can be made here" in reasons
        assert not [
            d for check in judgement.run.checks for d in check.decisions if d.outcome is Outcome.ERROR
        ]

    def test_time_that_cannot_pass_is_untestable(self, judged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Session, "discover_control", lambda self: None)
        judgement = judged("osml.undeploy.ttl", max_wait=5.0)
        assert "--max-wait allows 5 s" in verdict(judgement, "osml.undeploy.ttl").reason


class TestOurOwnErrors:
    def test_an_exception_of_a_check_is_an_error(self, judged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: Any, **__: Any) -> Any:
            raise RuntimeError("our own mistake")

        monkeypatch.setattr(MlCommons, "deploy", fail)
        judgement = judged(STATUS)
        found = verdict(judgement, STATUS)
        assert (found.kind, found.reason) == (Kind.ERROR, "RuntimeError: our own mistake")
        assert "Traceback" in found.telling[0].check.log
        assert judgement.summary.exit_code == 4

    def test_a_check_that_evaluates_nothing_is_an_error(
        self, judged: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Expect, "that", lambda *_, **__: None)
        judgement = judged(STATUS)
        found = verdict(judgement, STATUS)
        assert (found.kind, found.reason) == (Kind.ERROR, "the check ended without evaluating it")
        assert judgement.summary.exit_code == 4

    def test_an_exception_after_a_check_is_not_lost(
        self, judged: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_: Session, back_to: int = 0) -> list[str]:
            if back_to:
                raise RuntimeError("our own mistake")
            return []

        monkeypatch.setattr(Session, "clean", fail)
        judgement = judged(STATUS)
        assert judgement.summary.exit_code == 4
        assert "our own mistake" in judgement.problems[0].message


def test_a_target_that_goes_away_ends_the_run_with_a_report(
    judged: Any, serve_mock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def gone(self: MlCommons, model_id: str, *_: Any) -> Any:
        calls.append(model_id)
        raise TargetUnreachable("nobody there any more")

    monkeypatch.setattr(MlCommons, "deploy", gone)
    judgement = judged("osml.deploy.*", target=serve_mock().url)
    assert judgement.summary.exit_code == 3
    assert [problem.kind for problem in judgement.problems] == ["unreachable"]
    assert len(calls) == 1


class TestInfrastructure:
    """What stands around the API is never judged as the API: exit code 3, and no failure."""

    @pytest.fixture(autouse=True)
    def _little_patience(self, monkeypatch: pytest.MonkeyPatch) -> None:
        little = partial(infrastructure.SteadyTransport, patience=0.2)
        monkeypatch.setattr(connect_module, "SteadyTransport", little)

    @pytest.fixture
    def server(self) -> Iterator[HTTPServer]:
        with HTTPServer(port=0) as server:
            serve_on(server, MockServer())
            yield server

    def stopped_at_the_deploy(self, monkeypatch: pytest.MonkeyPatch, stop: Callable[[], None]) -> None:
        deploy = MlCommons.deploy

        def stopping(self: MlCommons, *arguments: Any) -> Any:
            stop()
            return deploy(self, *arguments)

        monkeypatch.setattr(MlCommons, "deploy", stopping)

    def ended(self, judged: Any, server: HTTPServer) -> Judgement:
        judgement: Judgement = judged("osml.deploy.*", target=server.url_for(""))
        assert judgement.summary.exit_code == 3
        assert [problem.kind for problem in judgement.problems if problem.kind != "cleanup"] == [
            "unreachable"
        ]
        assert judgement.summary.counts[Kind.FAIL] == 0
        return judgement

    def test_a_server_that_is_gone_in_the_middle(
        self, judged: Any, server: HTTPServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.stopped_at_the_deploy(monkeypatch, lambda: server.stop() if server.is_running() else None)
        self.ended(judged, server)

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ("<html>Bad Gateway</html>", 502),
            ('{"error": {"type": "cluster_manager_not_discovered_exception"}}', 503),
        ],
        ids=["a proxy's page", "no manager"],
    )
    def test_everything_is_answered_by_something_else(
        self, judged: Any, server: HTTPServer, monkeypatch: pytest.MonkeyPatch, body: str, status: int
    ) -> None:
        def stop() -> None:
            server.clear()
            server.expect_request(re.compile(".*")).respond_with_data(body, status)

        self.stopped_at_the_deploy(monkeypatch, stop)
        assert str(status) in self.ended(judged, server).problems[0].message

    def test_a_server_that_accepts_and_never_answers(
        self, judged: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connect_module, "HttpTransport", partial(HttpTransport, timeout=0.2))
        with socket.create_server(("127.0.0.1", 0)) as silent:
            judgement = judged("osml.deploy.*", target=f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert judgement.summary.exit_code == 3
        assert [problem.kind for problem in judgement.problems] == ["unreachable"]
        assert "expected the API to answer" in judgement.problems[0].message

    def test_from_the_beginning(self, judged: Any, server: HTTPServer) -> None:
        server.clear()
        server.expect_request(re.compile(".*")).respond_with_data("<html>", 502)
        assert self.ended(judged, server).run.checks == ()


def test_a_run_whose_own_things_vanish_blames_nobody(
    judged: Any, serve_mock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = serve_mock().url
    undeploy = MlCommons.undeploy

    def swept(self: MlCommons, *arguments: Any) -> Any:
        with closing(connect("opensearch-ml", TargetOptions(target=target))) as other:
            sweep(other, PREFIX)
        return undeploy(self, *arguments)

    monkeypatch.setattr(MlCommons, "undeploy", swept)
    judgement = judged("osml.undeploy.*", target=target)
    assert judgement.summary.exit_code == 5
    assert [problem.kind for problem in judgement.problems] == ["disturbed"]
    assert "took away the mark of the run" in judgement.problems[0].message
    assert judgement.summary.counts[Kind.FAIL] == 0
    assert Kind.UNTESTABLE in {verdict.kind for verdict in judgement.verdicts}


class _Finalized:
    """What is raised while it is finalized is printed and forgotten."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


class TestInterruption:
    GENERATED = "*::test_generated_requests*,osml.deploy.answer*"

    @pytest.fixture(params=["raised", "lost"])
    def target(self, request: pytest.FixtureRequest, serve_mock: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
        """A mock; the third request that is generated is interrupted."""
        sent: list[Case[Any]] = []

        def interrupted(session: Session, case: Case[Any], **more: Any) -> Any:
            sent.append(case)
            if len(sent) == 3 and request.param == "raised":
                raise KeyboardInterrupt
            if len(sent) == 3:
                _Finalized()
            return send(session, case, **more)

        monkeypatch.setattr(test_generated, "send", interrupted)
        self.sent = sent
        return serve_mock()

    def test_in_a_generated_case_it_ends_the_run_without_a_verdict(
        self, judged: Any, target: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        judgement = judged(self.GENERATED, target=target.url)
        assert judgement.summary.exit_code == 5
        assert [problem.kind for problem in judgement.problems] == ["interrupted"]
        assert "test_generated_requests" not in {
            check.check.partition("::")[2] for check in judgement.run.checks
        }
        assert len(self.sent) == 3
        assert "KeyboardInterrupt" not in capsys.readouterr().err

    def test_the_target_is_cleaned(self, judged: Any, target: Any) -> None:
        judged(self.GENERATED, target=target.url)
        state = json.loads(target.server.handle(Request("GET", "/_mock/state")).body)
        cluster = state["profiles"]["opensearch-ml"]
        assert cluster["settings"]["persistent"] == {}
        assert {name for name, held in cluster["indices"].items() if held} <= {".plugins-ml-task"}

    def test_the_handler_of_the_caller_comes_back(self, judged: Any) -> None:
        before = signal.getsignal(signal.SIGINT)
        judged(STATUS)
        assert signal.getsignal(signal.SIGINT) is before


class TestApplying:
    def test_what_came_later_than_the_target_is_inapplicable(
        self, judged: Any, httpserver: HTTPServer
    ) -> None:
        select = "osml.deploy.model-id-required,osml.deploy.unknown-model"
        self.says_its_version(httpserver, "2.19.9")
        serve_on(httpserver, MockServer(docs_version="2.19"))
        judgement = judged(select, target=httpserver.url_for(""))
        recorded = [each for each in judgement.verdicts if each.requirement.level == Level.OBSERVED]
        assert [each.kind for each in recorded] == [Kind.INAPPLICABLE]
        assert "the target is 2.19.9" in recorded[0].reason

    def test_a_target_older_than_the_documentation_is_a_missing_prerequisite(
        self, judged: Any, httpserver: HTTPServer
    ) -> None:
        self.says_its_version(httpserver, "1.3.0")
        httpserver.expect_request("/_cat/plugins").respond_with_json([{"component": "opensearch-ml"}])
        httpserver.expect_request("/_nodes").respond_with_json({"nodes": {"n": {"roles": ["data"]}}})
        httpserver.expect_request("/_cluster/settings").respond_with_json({"persistent": {}})
        judgement = judged("osml.*", target=httpserver.url_for(""))
        assert judgement.summary.exit_code == 3
        assert "no documentation for the target's version '1.3.0'" in judgement.problems[0].message

    def says_its_version(self, httpserver: HTTPServer, version: str) -> None:
        root = {"version": {"number": version, "distribution": "opensearch"}}
        httpserver.expect_request("/").respond_with_json(root)


class TestLifeOfATarget:
    GROUPS = "/_plugins/_ml/model_groups"

    @pytest.fixture
    def judging(self, serve_mock: Any) -> Judging:
        target = TargetOptions(target=serve_mock().url, run_id="run")
        return Judging(RunOptions(target=target, profile="opensearch-ml"))

    def test_it_is_prepared_at_its_first_use_and_put_back_at_the_end(self, judging: Judging) -> None:
        closed = {"persistent": {PRIVATE_ADDRESSES: False}}
        with closing(connect("opensearch-ml", judging.options.target)) as other:
            other.request("PUT", "/_cluster/settings", closed)
        session = judging.target("opensearch-ml").session
        assert read_settings(session)[PRIVATE_ADDRESSES] == "true"
        judging.close()
        assert read_settings(session)[PRIVATE_ADDRESSES] == "false"
        assert judging.complaints == []

    @pytest.mark.parametrize("interrupted", [True, False])
    def test_what_an_interrupted_check_made_is_looked_for(self, judging: Judging, interrupted: bool) -> None:
        session = judging.target("opensearch-ml").session
        group = {"name": session.new_name("group"), "description": "x"}
        made = session.request("POST", f"{self.GROUPS}/_register", group).member("model_group_id")
        judging.close(interrupted_at=time.monotonic() if interrupted else None)
        assert (session.request("GET", f"{self.GROUPS}/{made}").status == 404) is interrupted


def test_the_docs_version_is_in_the_header(judged: Any) -> None:
    assert judged(STATUS, docs_version="2.19").run.header.docs_versions == {"opensearch-ml": "2.19"}


def test_options_that_a_repetition_needs_are_in_the_header() -> None:
    options = RunOptions(target=TargetOptions(model_ids=("a", "b"), insecure=True), known="x")
    assert options.repeated == ("--known", "x", "--model-id", "a", "--model-id", "b", "--insecure")
    assert replace(options, docs_version="2.19").repeated[:2] == ("--docs-version", "2.19")


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_requests_of_a_finding_show_it_on_another_target(judged: Any, serve_mock: Any) -> None:
    gone, fault = "osml.delete.gone", "delete-keeps-model"
    # Of one check: another goes on to look for more in random sequences, which takes a quarter of a minute.
    (told,) = verdict(judged("*::test_a_deleted_model_is_gone", mutant=fault), gone).telling
    other = serve_mock(mutant=fault, seed=1)
    allowed = json.dumps({"persistent": {PRIVATE_ADDRESSES: True}}).encode()
    kind = {"content-type": "application/json"}
    other.server.handle(Request("PUT", "/_cluster/settings", "", kind, allowed))
    script = curl_sequence(told.check).replace("http://mock", other.url)
    ended = subprocess.run(["sh", "-eu"], input=script, capture_output=True, text=True, check=True)
    assert '"result":"deleted"' in ended.stdout
    assert '"model_state":"REGISTERED"' in ended.stdout.partition('"result":"deleted"')[2]
