"""What ends a run early is told, and never judged as the API."""

from __future__ import annotations

import json
import re
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from schemathesis import Case

from mlconform.conformance.errors import TargetUnreachable
from mlconform.conformance.report.verdicts import Judgement, Kind
from mlconform.conformance.suites.generated import send
from mlconform.conformance.suites.opensearch_ml import test_generated
from mlconform.conformance.suites.opensearch_ml.api import MlCommons
from mlconform.conformance.targets import connect as connect_module
from mlconform.conformance.targets import infrastructure
from mlconform.conformance.targets.connect import TargetOptions, connect
from mlconform.conformance.targets.opensearch_sweep import sweep
from mlconform.conformance.targets.pools import speaks_tls
from mlconform.conformance.targets.session import Session
from mlconform.conformance.targets.transport import HttpTransport
from mlconform.conformance.targets.turns import PREFIX
from mlconform.mock_server import MockServer, Request
from mlconform.mock_server.httpserver import serve_on

STATUS = "osml.remote.example.deploy-answer"


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
        monkeypatch.setattr(infrastructure, "LOOK_SECONDS", 1.0)
        monkeypatch.setattr(infrastructure, "speaks_tls", partial(speaks_tls, timeout=1.0))

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
