"""Runs to make reports of: small ones built event by event, and one sample with every verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from mlconform.conformance.report.events import (
    CheckFinished,
    Decision,
    Event,
    ExchangeRecord,
    Outcome,
    Problem,
    RequirementListed,
    RunFinished,
    RunStarted,
    TargetDiscovered,
    Waiver,
)
from mlconform.conformance.report.stream import EventWriter, Run, gather
from mlconform.conformance.report.verdicts import footer

HOSTILE = (
    "</pre><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "\x1b[31mred\x1b[0m \x00 \x85 \u202eback \u2028 \ud800 \uffff ]]> `` ``` | **b** "
)
MODEL = "9f2xNZEBOWlitPXT0xkW"
NODE = "qTgKdC1nS5ub5Jw0W0rLsA"


class Build:
    """Makes events with defaults for all that a test does not care about."""

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
    events = [*_listed(build), *_passes(build), *_findings(build), *_open(build)]
    run = gather([build.header(), _target(), _waiver(), *events])
    return gather(
        [run.header, *run.targets, *run.waivers, *events, footer(run, "2025-06-03T14:24:48+00:00", 221.4)]
    )


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


_PASSING = [
    "deploy.endpoint",
    "deploy.in-memory",
    "deploy.model-id-required",
    "deploy.task",
    "predict.auto-deploy",
    "undeploy.endpoint",
    "undeploy.from-memory",
    "undeploy.ttl",
    "undeploy.ttl-not-before",
    "undeploy.ttl-window",
    "undeploy.ttl-renewed",
    "undeploy.ttl-setting",
    "delete.endpoint",
    "delete.gone",
    "update.endpoint",
    "update.is-enabled-default",
    "update.disabled",
    "update.rate-limiter",
    "update.rate-limiter.units",
    "update.interface",
    "update.interface.remove",
    "settings.sync-interval",
    "wire.json",
    "wire.content-type",
    "race.one-outcome",
]
_EXAMPLES = [
    "deploy.all-nodes",
    "deploy.answer",
    "deploy.example.all-nodes",
    "deploy.example.task-status",
    "task.answer",
    "task.completed",
    "undeploy.all-nodes",
    "undeploy.model-ids",
    "undeploy.answer",
    "delete.answer",
    "delete.answer.result",
    "delete.safe.default",
    "delete.safe.setting",
    "delete.safe.ingest-pipeline",
    "delete.safe.search-pipeline",
    "delete.safe.agent",
    "delete.safe.conflict",
    "update.answer",
    "update.example.disable",
    "settings.auto-deploy",
    "wire.documented-schema",
]


def _listed(build: Build) -> list[Event]:
    def check(name: str) -> list[str]:
        area, _, rest = name.partition(".")
        return [f"opensearch_ml/test_{area}.py::test_{rest.replace('.', '_').replace('-', '_')}"]

    listed: list[Event] = []
    for level, names in {"documented": _PASSING, "example": _EXAMPLES}.items():
        for name in names:
            words = name.replace(".", " ").replace("-", " ")
            listed.append(
                build.requirement(
                    f"osml.{name}", level=level, statement=f"Holds for {words}.", checks=check(name)
                )
            )
    add = build.requirement
    listed += [
        add(
            "osml.delete.group",
            statement="A group of models goes when its last version is deleted.",
            sources=["002.md:12 (draft)"],
            checks=check("delete.group"),
        ),
        add(
            "osml.wire.no-server-error",
            statement="A mistake of the client is never answered with a 5xx status.",
            sources=["RFC 9110, section 15.6"],
            checks=check("wire.no-server-error"),
        ),
        add(
            "osml.deploy.answer.status",
            "example",
            "The status in the answer to a deploy is DEPLOYING.",
            ["001.md:88 (2.19)"],
            check("deploy.answer.status"),
        ),
        add(
            "osml.undeploy.answer.value",
            "example",
            "For each model an undeploy answers UNDEPLOYED.",
            ["000.md:64 (2.19)", "000.md:90 (2.19)"],
            check("undeploy.answer.value"),
        ),
        add(
            "osml.update.connector-undeploy-first",
            statement="A connector can be updated once its model is undeployed.",
            sources=["004.md:31-33 (2.19)"],
            checks=check("update.connector-undeploy-first"),
        ),
        add(
            "osml.predict.auto-deploy-off",
            statement="With automatic deployment off, a predict does not deploy.",
            checks=check("predict.auto-deploy-off"),
        ),
        add(
            "osml.undeploy.node-ids",
            "example",
            "With node ids an undeploy leaves the other nodes alone.",
            checks=check("undeploy.node-ids"),
        ),
        add(
            "osml.restart.redeploy",
            statement="After a restart a model serves only once it is deployed again.",
            checks=[],
            unchecked="no session can restart a target",
        ),
        add(
            "osml.deploy.node-ids",
            statement="With node ids a model is deployed on those nodes and no other.",
            checks=check("deploy.node-ids"),
        ),
        add(
            "osml.get.answer",
            "observed",
            "Reading a model answers with its name, state and times.",
            ["recording 3.4.0/lifecycle#4"],
            inapplicable="recorded on 3.4.0, this target is 2.19.0",
        ),
        add(
            "osml.race.note",
            "unspecified",
            "What a deploy during an undeploy answers.",
            checks=check("race.note"),
        ),
        add(
            "osml.update.rate-limiter.no-reset",
            statement="A rate limiter can't be taken away again.",
            checks=check("update.rate-limiter.no-reset"),
        ),
    ]
    return listed


def _passes(build: Build) -> list[Event]:
    return [
        build.check(build.decide("pass", f"osml.{name}"), check=f"opensearch_ml/test_{number}.py::test_it")
        for number, name in enumerate([*_PASSING, *_EXAMPLES])
    ]


def _findings(build: Build) -> list[Event]:
    register = build.exchange(
        path="/_plugins/_ml/models/_register",
        request_body='{"name":"mlc-7c1f-m1","function_name":"remote","connector_id":"c1"}',
        response_body=f'{{"task_id":"t1","status":"CREATED","model_id":"{MODEL}"}}',
    )
    model = f"/_plugins/_ml/models/{MODEL}"
    deploy = build.exchange(
        at=0.3, response_body='{"task_id":"t2","task_type":"DEPLOY_MODEL","status":"COMPLETED"}'
    )
    undeploy = build.exchange(
        path=f"{model}/_undeploy",
        at=4.6,
        response_body=f'{{"{NODE}":{{"stats":{{"{MODEL}":"undeployed"}}}}}}',
    )
    empty = build.exchange(
        path="/_plugins/_ml/models/_undeploy",
        at=0.1,
        request_body='{"model_ids":[""]}',
        status=500,
        response_body='{"error":{"root_cause":[{"type":"status_exception","reason":"Failed to get data '
        'object from index .plugins-ml-model"}],"type":"status_exception"},"status":500}',
    )
    group = [
        register,
        build.exchange("DELETE", model, 0.4, response_body='{"result":"deleted"}'),
        build.exchange("GET", "/_plugins/_ml/model_groups/g1", 1.9, response_body='{"name":"mlc-7c1f-m1"}'),
    ]
    return [
        build.check(
            build.decide(
                "fail",
                "osml.wire.no-server-error",
                "The client's empty model id was answered as the server's own failure.",
                "a status from 400 to 499",
                "status 500",
            ),
            check="opensearch_ml/test_wire.py::test_no_server_error",
            exchanges=[empty],
            log="falsified after 17 of 100 cases, shrunk to 1 request",
        ),
        build.check(
            build.decide(
                "fail",
                "osml.delete.group",
                "The group can still be read after its only version was deleted.",
                "GET of the group answers 404 within 10 s",
                'GET of the group still answers 200 after 10 s: {"name":"mlc-7c1f-m1"}',
            ),
            check="opensearch_ml/test_delete.py::test_group",
            exchanges=group,
        ),
        build.check(
            build.decide("fail", "osml.deploy.answer.status", "", '"DEPLOYING"', '"COMPLETED"'),
            check="opensearch_ml/test_deploy.py::test_answer_status",
            exchanges=[register, deploy],
        ),
        build.check(
            build.decide("fail", "osml.undeploy.answer.value", "", '"UNDEPLOYED"', '"undeployed"'),
            check="opensearch_ml/test_undeploy.py::test_answer_value",
            exchanges=[register, deploy, undeploy],
        ),
        build.check(
            build.decide(
                "fail", "osml.update.rate-limiter.no-reset", "", "status 400", "status 200, and it was gone"
            ),
            check="opensearch_ml/test_update.py::test_rate_limiter_no_reset",
            exchanges=[register],
        ),
        build.check(
            build.decide(
                "flaky",
                "osml.update.connector-undeploy-first",
                "2 of 5 repetitions were refused.",
                "status 200",
                "status 400 at first, 200 when repeated",
            ),
            check="opensearch_ml/test_update.py::test_connector_undeploy_first",
            exchanges=[undeploy],
        ),
    ]


def _open(build: Build) -> list[Event]:
    return [
        build.check(
            build.decide("error", "osml.predict.auto-deploy-off", "KeyError in the check: 'model_state'"),
            check="opensearch_ml/test_predict.py::test_auto_deploy_off",
        ),
        build.check(
            build.decide("untestable", "osml.undeploy.node-ids", "needs two nodes, the target has one"),
            build.decide("untestable", "osml.deploy.node-ids", "needs --allow-settings off loopback"),
            check="opensearch_ml/test_undeploy.py::test_node_ids",
        ),
        build.check(
            build.decide("pass", "osml.race.note", came="200, and the model ends UNDEPLOYED"),
            check="opensearch_ml/test_race.py::test_note",
        ),
        Problem("cleanup", "connector mlc-7c1f-c4 could not be deleted (409); use mlconform sweep"),
    ]


def _target() -> TargetDiscovered:
    return TargetDiscovered(
        profile="opensearch-ml",
        product="opensearch",
        version="2.19.0",
        nodes=(NODE,),
        capabilities={"move-time": False, "change-settings": True, "second-node": False},
    )


def _waiver() -> Waiver:
    return Waiver(
        requirement="osml.update.rate-limiter.no-reset",
        reason="2.19 drops the limiter when null is sent; reported upstream",
        until="2025-12-31",
        origin="opensearch-2.19",
    )
