"""Models that were deleted and that nodes still have in memory are freed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from mlconform.conformance.suites.opensearch_ml.api import MlCommons
from mlconform.conformance.targets.connect import PREFIX, TargetOptions, connect, prepare
from mlconform.conformance.targets.opensearch_memory import in_memory, memory_of_deleted
from mlconform.conformance.targets.opensearch_ml import ML
from mlconform.conformance.targets.opensearch_settings import CUSTOM_PLAN, read_settings
from mlconform.conformance.targets.opensearch_sweep import sweep
from mlconform.conformance.targets.session import Session
from mlconform.conformance.targets.transport import Answer, Forwarding, OutgoingRequest, Transport

NODE = "node-1"


@dataclass
class Forgetful(Forwarding):
    """A node that has models in memory which are gone, as 3.4.0 does: of several models that it is to
    undeploy, one of the `stuck` keeps them all, and one alone must be there."""

    inner: Transport
    models: set[str] = field(default_factory=set)
    stuck: frozenset[str] = frozenset()

    def send(self, request: OutgoingRequest) -> Answer:
        if request.path == f"{ML}/profile/models":
            models = {model: {"model_state": "DEPLOYED"} for model in self.models}
            return _answer({"nodes": {NODE: {"models": models}}} if models else {})
        if request.path == f"{ML}/models/_undeploy":
            return self._undeploy(request)
        return self.inner.send(request)

    def _undeploy(self, request: OutgoingRequest) -> Answer:
        body = json.loads(request.body or b"{}")
        settings = self.inner.send(replace(request, method="GET", path=_SETTINGS, body=None)).body
        if str(json.loads(settings)["persistent"].get(CUSTOM_PLAN)) != "true":
            return Answer(400, {}, b'{"error": "Don\'t allow custom deployment plan"}')
        named = set(body["model_ids"])
        if len(named) > 1 and not named & self.stuck and body["node_ids"] == [NODE]:
            self.models -= named
        return _answer({})


_SETTINGS = "/_cluster/settings?flat_settings=true"


def _answer(body: dict[str, Any]) -> Answer:
    return Answer(200, {"content-type": "application/json"}, json.dumps(body).encode())


@pytest.fixture
def session(serve_mock: Any) -> Iterator[Session]:
    session = connect("opensearch-ml", TargetOptions(target=serve_mock().url))
    session.transport = Forgetful(session.transport)
    yield session
    session.clean()
    session.close()


def node_of(session: Session) -> Forgetful:
    assert isinstance(session.transport, Forgetful)
    return session.transport


def test_a_run_frees_what_came_into_memory_while_it_was_there(session: Session) -> None:
    node_of(session).models = {"somebody-elses"}
    prepare(session)
    node_of(session).models |= {"one", "two"}
    assert session.clean() == []
    assert set(in_memory(session)) == {"somebody-elses"}
    assert CUSTOM_PLAN not in read_settings(session)


def test_what_is_stuck_is_told_and_keeps_nobody_else(session: Session) -> None:
    node_of(session).models, node_of(session).stuck = {"one", "two", "three"}, frozenset({"two"})
    (left,) = session.remove([memory_of_deleted(session)])
    assert "1 models that were deleted are still there" in str(left)
    assert set(in_memory(session)) == {"two"}


def test_without_settings_it_is_told_and_not_tried_again(session: Session) -> None:
    session.options = replace(session.options, may_change_settings=False)
    node_of(session).models = {"one"}
    (left,) = session.remove([memory_of_deleted(session)])
    assert left.hopeless
    assert "--allow-settings" in str(left)


def test_a_model_that_is_there_stays_in_memory(session: Session) -> None:
    prepare(session)
    model = MlCommons(session).model()
    node_of(session).models = {model}
    assert session.remove([memory_of_deleted(session)]) == []
    assert set(in_memory(session)) == {model}


def test_a_sweep_frees_it_and_tells(session: Session) -> None:
    node_of(session).models = {"one", "two"}
    removed, complaints = sweep(session, PREFIX)
    assert (removed, complaints) == (["memory of 2 deleted models"], [])
    assert not in_memory(session)


def test_a_sweep_leaves_it_while_somebody_elses_run_goes_on(session: Session) -> None:
    node_of(session).models = {"one"}
    assert sweep(session, PREFIX, spare=(f"{PREFIX}live-",)) == ([], [])
    assert set(in_memory(session)) == {"one"}


def test_what_a_node_was_only_asked_for_is_not_in_its_memory(talk_to: Any) -> None:
    """Recordings profile_refused: a refused predict call is counted."""
    models = {"asked": {"predict_request_stats": {"count": 1}}, "held": {"worker_nodes": [NODE]}}
    answers = {("GET", f"{ML}/profile/models"): (200, {"nodes": {NODE: {"models": models}}})}
    session, _ = talk_to(answers)
    assert in_memory(session) == {"held": [NODE]}
    session.close()
