"""A run whose account has the role ml_full_access and no more: what it may not do is found out once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from mlconform.conformance.contract.model import Remedy
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets import opensearch_ml, opensearch_preparation, opensearch_settings
from mlconform.conformance.targets.credentials import basic
from mlconform.conformance.targets.session import Session, SessionOptions
from mlconform.conformance.targets.transport import InProcessTransport
from mlconform.mock_server import DEFAULT_PASSWORD, MockServer, Security
from mlconform.mock_server.core import Request

SAFE_DELETE = "plugins.ml_commons.safe_delete_model"


@pytest.fixture
def session() -> Iterator[Session]:
    server = MockServer(security=Security())

    def handle(
        method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        response = server.handle(Request(method, path, query, headers, body))
        return response.status, list(response.headers), response.body

    options = SessionOptions(prefix="mlconform-test-", credentials=basic("ml_full", DEFAULT_PASSWORD))
    session = Session(InProcessTransport(handle), options, "osml.wire.json")
    yield session
    session.close()


def test_a_refused_setting_names_the_permission_and_leaves_nothing_to_clean(session: Session) -> None:
    with pytest.raises(Untestable, match="cluster:admin/settings/update") as caught:
        opensearch_settings.change_settings(session, {SAFE_DELETE: True})
    assert caught.value.remedy is Remedy.PERMISSION
    assert session.clean() == []


def test_what_may_not_be_removed_is_tried_once(session: Session) -> None:
    opensearch_ml.track(session, "ingest pipeline", "mlconform-test-x")
    before = len(session.journal)
    (complaint,) = session.clean()
    assert "cluster:admin/ingest/pipeline/delete" in complaint
    assert len(session.journal) - before == 1


def test_it_is_learned_before_the_first_check(session: Session) -> None:
    opensearch_preparation.prepare(session)
    sent = len(session.journal)
    with pytest.raises(Untestable, match="may not change cluster settings"):
        opensearch_settings.remember_settings(session, [SAFE_DELETE])
    assert len(session.journal) == sent
