"""Every operation of the contract can be asked for by every user."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mlconform.conformance.contract import store
from mlconform.conformance.suites.opensearch_ml.api import MlCommons
from mlconform.conformance.suites.opensearch_ml.operations import READS, is_open, operations, send
from mlconform.conformance.targets.connect import TargetOptions, connect, prepare

VERSIONS = store.versions("opensearch-ml")


@pytest.fixture(scope="module")
def ml() -> Iterator[MlCommons]:
    session = connect("opensearch-ml", TargetOptions(security=True, run_id="operations"))
    prepare(session)
    yield MlCommons(session)
    assert session.clean() == []
    session.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_each_is_a_request_that_the_server_knows(ml: MlCommons, version: str) -> None:
    model = ml.model()
    for operation in operations(store.load("opensearch-ml", version)):
        answered = send(ml, operation, model)
        assert "no handler found" not in answered.text, operation
        assert answered.status not in (401, 403, 405, 500), (operation, answered.summary)
        assert "{" not in answered.request.path


def test_what_is_switched_off_is_closed_to_all(ml: MlCommons) -> None:
    closed = {
        operation.id
        for operation in operations(store.load("opensearch-ml"))
        if not is_open(send(ml, operation, "none"))
    }
    assert closed == {"register_model_meta", "upload_model_chunk"}


def test_what_a_reader_may_is_among_them() -> None:
    assert {operation.id for operation in operations(store.load("opensearch-ml"))} >= READS


def test_what_only_reads_changes_nothing() -> None:
    changing = {each.id for each in operations(store.load("opensearch-ml")) if each.changes}
    assert changing >= {"update_model", "undeploy_models", "predict_model", "put_ingest_pipeline"}
    assert not changing & READS
