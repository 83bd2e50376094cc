"""What a run made on a cluster with ML Commons is removed."""

from __future__ import annotations

from typing import Any

import pytest

from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.opensearch_ml.api import MlCommons
from mlconform.conformance.targets import opensearch_ml
from mlconform.conformance.targets.opensearch_ml import ML
from mlconform.conformance.targets.session import Session
from mlconform.conformance.targets.settle import Ending


class TestModels:
    MODEL = f"{ML}/models/m"
    GROUP = f"{ML}/model_groups/g"
    REFUSED: tuple[tuple[int, dict[str, Any]], ...] = ((400, {}),)

    def node(self, group_name: str) -> dict[tuple[str, str], Any]:
        """A node whose model is gone after it was read once, while its group stays."""
        reads = iter([(200, {"model_group_id": "g", "model_state": "REGISTERED"})])
        return {
            ("GET", self.MODEL): lambda: next(reads, (404, {})),
            ("GET", self.GROUP): (200, {"name": group_name}),
            ("DELETE", self.GROUP): (200, {}),
        }

    @pytest.mark.parametrize(
        ("group_name", "deletes"), [("mlconform-test-x", 1), ("mine", 0)], ids=["made by it", "of others"]
    )
    def test_the_group_that_outlives_its_model(self, talk_to: Any, group_name: str, deletes: int) -> None:
        session, target = talk_to(self.node(group_name))
        opensearch_ml.track(session, "model", "m")
        assert session.clean() == []
        assert [sent[:2] for sent in target.sent].count(("DELETE", self.GROUP)) == deletes

    def test_a_model_that_is_still_being_undeployed_is_not_deployed_again(self, talk_to: Any) -> None:
        deletes = iter([*self.REFUSED, *self.REFUSED, (200, {})])
        node = {
            ("GET", self.MODEL): (200, {"model_state": "DEPLOYED"}),
            ("DELETE", self.MODEL): lambda: next(deletes),
        }
        session, target = talk_to(node)
        opensearch_ml.track(session, "model", "m")
        assert session.clean() == []
        assert ("POST", f"{self.MODEL}/_deploy") not in [sent[:2] for sent in target.sent]

    def test_a_model_whose_deploy_failed_is_deployed_first(self, talk_to: Any) -> None:
        states = iter(["DEPLOY_FAILED", "DEPLOY_FAILED", "DEPLOYED"])
        deletes = iter([*self.REFUSED, *self.REFUSED, (200, {})])
        node = {
            ("GET", self.MODEL): lambda: (200, {"model_state": next(states)}),
            ("DELETE", self.MODEL): lambda: next(deletes),
        }
        session, target = talk_to(node)
        opensearch_ml.track(session, "model", "m")
        assert session.clean() == []
        posted = [path for method, path, _ in target.sent if method == "POST"]
        assert posted == [f"{self.MODEL}/_deploy", f"{self.MODEL}/_undeploy"]


def test_a_group_that_was_made_by_itself_is_removed_once(session: Session) -> None:
    ml = MlCommons(session)
    ml.share_group()
    path = f"{ML}/model_groups/{ml.group_id}"
    session.begin_sequence()
    session.clean()
    assert [each.request.method for each in session.journal if each.request.path == path] == ["DELETE"]


def test_a_group_that_is_remembered_outlives_a_model_of_it(session: Session) -> None:
    ml = MlCommons(session)
    ml.share_group()
    group, mark = ml.group_id, session.tracker.mark()
    ml.model()
    session.clean(mark)
    assert ml.get_group(group).status == 200
    session.clean()
    assert ml.get_group(group).status == 404


def test_a_session_beside_this_one_has_no_part_in_its_group(session: Session) -> None:
    """It does not remember the group, and would remove it with its model."""
    ml = MlCommons(session)
    ml.share_group()
    beside = session.beside()
    ml.on(beside).model()
    assert beside.clean() == []
    assert ml.get_group(ml.group_id).status == 200
    session.clean()


def test_a_model_that_failed_is_not_waited_for_until_it_is_undeployed(talk_to: Any) -> None:
    session, _ = talk_to({("GET", f"{ML}/models/m"): (200, {"model_state": "DEPLOY_FAILED"})})
    settled = MlCommons(session).settle_undeploy("m", budget=30.0)
    assert (settled.value, settled.ending) == ("DEPLOY_FAILED", Ending.CONTRADICTED)


def test_a_change_is_sent_until_the_model_is_no_longer_deploying(talk_to: Any) -> None:
    busy = {"error": {"type": "status_exception", "reason": "Model is deploying. Please wait"}, "status": 409}
    answers = iter([(409, busy), (409, busy), (200, {})])
    session, target = talk_to({("PUT", f"{ML}/models/m"): lambda: next(answers)})
    MlCommons(session).change("m", {"is_enabled": True})
    assert [sent[:2] for sent in target.sent] == [("PUT", f"{ML}/models/m")] * 3


def test_a_change_that_is_refused_is_no_finding(talk_to: Any) -> None:
    session, _ = talk_to({("PUT", f"{ML}/models/m"): (400, {})})
    with pytest.raises(Untestable, match=r"could not be changed to \['is_enabled'\]: 400"):
        MlCommons(session).change("m", {"is_enabled": True})
