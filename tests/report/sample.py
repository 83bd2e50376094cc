"""One run with every verdict, like one against a cluster."""

from __future__ import annotations

from mlconform.conformance.report.events import Event, Problem, TargetDiscovered, Waiver
from mlconform.conformance.report.stream import Run, gather
from mlconform.conformance.report.verdicts import footer

from .building import MODEL, Build

NODE = "qTgKdC1nS5ub5Jw0W0rLsA"

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


def sample_run(build: Build) -> Run:
    events = [*_listed(build), *_passes(build), *_findings(build), *_open(build)]
    run = gather([build.header(), _target(), _waiver(), *events])
    return gather(
        [run.header, *run.targets, *run.waivers, *events, footer(run, "2025-06-03T14:24:48+00:00", 221.4)]
    )


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
