"""A deploy has settled once as many reads in a row say so as the cluster has nodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from mlconform.conformance.suites.opensearch_ml.api import MlCommons, model_path
from mlconform.conformance.targets.connect import TargetOptions, connect, prepare
from mlconform.conformance.targets.transport import Answer, Forwarding, OutgoingRequest, Transport


@dataclass
class OneLateCopy(Forwarding):
    """The second read that tells a model as deployed comes to a copy that does not know it yet."""

    inner: Transport
    states: list[str] = field(default_factory=list)

    def send(self, request: OutgoingRequest) -> Answer:
        answer = self.inner.send(request)
        if request.method != "GET" or not request.path.startswith(model_path("")) or answer.status != 200:
            return answer
        if b'"DEPLOYED"' in answer.body:
            self.states.append("DEPLOYING" if len(self.states) == 1 else "DEPLOYED")
            return replace(answer, body=answer.body.replace(b'"DEPLOYED"', f'"{self.states[-1]}"'.encode()))
        return answer


@pytest.fixture
def ml() -> Iterator[MlCommons]:
    session = connect("opensearch-ml", TargetOptions())
    prepare(session)
    session.transport = OneLateCopy(session.transport)
    yield MlCommons(session)
    assert session.clean() == []
    session.close()


def test_one_copy_that_is_late_is_waited_for(ml: MlCommons) -> None:
    ml.deployed_model()
    transport = ml.session.transport
    assert isinstance(transport, OneLateCopy)
    assert transport.states == ["DEPLOYED", "DEPLOYING", "DEPLOYED", "DEPLOYED"]
