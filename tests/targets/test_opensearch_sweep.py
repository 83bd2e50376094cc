"""What dead runs left on a cluster is found by its name and removed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mlconform.conformance.targets.connect import PREFIX, TargetOptions, connect
from mlconform.conformance.targets.opensearch_ml import ML
from mlconform.conformance.targets.opensearch_preparation import prepare
from mlconform.conformance.targets.opensearch_sweep import sweep
from mlconform.conformance.targets.session import Session


def left_behind(session: Session, name: str) -> str:
    """A pipeline and a deployed model of a run that died."""
    body = {"name": name, "function_name": "remote", "connector": {}, "description": "x"}
    connector = {
        "name": name,
        "version": 1,
        "protocol": "http",
        "credential": {"key": "x"},
        "actions": [{"action_type": "predict", "method": "POST", "url": "http://127.0.0.1:9/"}],
    }
    made = session.request("POST", f"{ML}/connectors/_create", connector)
    body["connector_id"] = made.member("connector_id")
    del body["connector"]
    model = str(session.request("POST", f"{ML}/models/_register", body).member("model_id"))
    session.request("POST", f"{ML}/models/{model}/_deploy")
    processor = {"ml_inference": {"model_id": model, "input_map": [{"a": "b"}]}}
    session.request("PUT", f"/_ingest/pipeline/{name}", {"processors": [processor]})
    return model


@pytest.fixture
def cluster(serve_mock: Any) -> Iterator[Session]:
    session = connect("opensearch-ml", TargetOptions(target=serve_mock().url))
    prepare(session)
    yield session
    session.clean()
    session.close()


def test_removes_what_a_dead_run_left(cluster: Session) -> None:
    model = left_behind(cluster, "mlconform-dead-thing-1")
    removed, complaints = sweep(cluster, "mlconform-dead-")
    assert complaints == []
    kinds = [line.rpartition(" ")[0] for line in removed]
    assert kinds == ["ingest pipeline", "model", "connector"]
    assert cluster.request("GET", f"{ML}/models/{model}").status == 404


def test_touches_nothing_of_other_people(cluster: Session) -> None:
    model = left_behind(cluster, "my-thing")
    removed, complaints = sweep(cluster, PREFIX)
    assert (removed, complaints) == ([f"ingest pipeline {cluster.options.prefix}settings"], [])
    assert cluster.request("GET", f"{ML}/models/{model}").status == 200
    assert cluster.request("GET", "/_ingest/pipeline/my-thing").status == 200


def test_says_what_it_could_not_look_for(talk_to: Any) -> None:
    session, _ = talk_to({("POST", f"{ML}/models/_search"): (403, {"error": "no"})})
    removed, complaints = sweep(session, PREFIX)
    assert removed == []
    assert complaints == ['models could not be searched: 403 {"error": "no"}']


def test_says_that_pipelines_could_not_be_listed(talk_to: Any) -> None:
    session, _ = talk_to({("GET", "/_ingest/pipeline"): (403, {"error": "no"})})
    _, complaints = sweep(session, PREFIX)
    assert complaints == ['ingest pipelines could not be searched: 403 {"error": "no"}']


def test_says_that_more_was_found_than_told(talk_to: Any) -> None:
    hits = {"hits": {"total": {"value": 5, "relation": "eq"}, "hits": []}}
    session, _ = talk_to({("POST", f"{ML}/agents/_search"): (200, hits)})
    _, complaints = sweep(session, PREFIX)
    assert complaints == ["agents could not be searched: 0 of 5 were found at once; sweep again"]
