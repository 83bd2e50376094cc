"""From the ending of a check to a verdict, seen in whole runs of single checks on real targets."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from hypothesis.errors import FlakyStrategyDefinition
from pytest_httpserver import HTTPServer

from mlconform.conformance.contract.model import Level
from mlconform.conformance.outcomes import BrokenAnswer, Untestable
from mlconform.conformance.report.events import Outcome
from mlconform.conformance.report.presentation import curl_sequence
from mlconform.conformance.report.verdicts import Judgement, Kind
from mlconform.conformance.running.judging import Judging
from mlconform.conformance.running.options import RunOptions
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.explore import Explore
from mlconform.conformance.suites.opensearch_ml.api import MlCommons
from mlconform.conformance.targets.connect import TargetOptions, connect
from mlconform.conformance.targets.opensearch_settings import PRIVATE_ADDRESSES, read_settings
from mlconform.conformance.targets.session import Session
from mlconform.conformance.targets.settle import Ending, Settled
from mlconform.mock_server import MockServer, Request
from mlconform.mock_server.httpserver import serve_on

STATUS = "osml.remote.example.deploy-answer"
BROKEN = "osml.wire.json"


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

    def test_a_broken_answer_that_one_example_met_makes_nothing_flaky(
        self, judged: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def met_and_not_met(*_: Any, **__: Any) -> None:
            # So hypothesis ends where an example that went on before ends with an answer now.
            flaky = FlakyStrategyDefinition("stopped drawing earlier")
            flaky.__context__ = BrokenAnswer(BROKEN, expected="a body that is JSON to its end", came="{")
            raise flaky

        monkeypatch.setattr(Explore, "machine", met_and_not_met)
        judgement = judged(f"*::test_any_sequence,{BROKEN}")
        kinds = {each.requirement.id: each.kind for each in judgement.verdicts}
        assert kinds[BROKEN] is Kind.FAIL
        assert Kind.FLAKY not in kinds.values()


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

    def test_what_a_check_could_not_remove_is_tried_again_at_the_end(
        self, judging: Judging, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # a worker leaves it to the run
        session = judging.target("opensearch-ml").session
        group = {"name": session.new_name("group"), "description": "x"}
        made = str(session.request("POST", f"{self.GROUPS}/_register", group).member("model_group_id"))
        judging.complaints += [f"model group {made} could not be removed: in use", "thing t stays"]
        judging.close()
        assert judging.complaints == ["thing t stays"]
        with closing(connect("opensearch-ml", judging.options.target)) as other:
            assert other.request("GET", f"{self.GROUPS}/{made}").status == 404

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
