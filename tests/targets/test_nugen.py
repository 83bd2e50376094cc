"""Discovery of Nugen, and models brought back to the state they were in."""

from __future__ import annotations

from typing import Any

import pytest

from mlconform.conformance.errors import PrerequisiteMissing
from mlconform.conformance.outcomes import BrokenAnswer
from mlconform.conformance.targets import nugen
from mlconform.conformance.targets.connect import TargetOptions, connect, prepare
from mlconform.conformance.targets.nugen import ALIGNED


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param((401, {}), "MLCONFORM_TOKEN", id="no token"),
        pytest.param((404, {"detail": "Not Found"}), "expected the list of aligned models", id="not there"),
        pytest.param((200, b"<html>"), "expected the list of aligned models", id="html"),
        pytest.param((200, {"models": []}), "expected domain_aligned_models", id="another list"),
    ],
)
def test_what_is_missing_is_named(talk_to: Any, answer: Any, message: str) -> None:
    session, _ = talk_to({("GET", ALIGNED): answer})
    with pytest.raises(PrerequisiteMissing, match=message):
        nugen.discover(session)


def test_a_list_that_does_not_end_is_the_targets_failure(talk_to: Any) -> None:
    session, _ = talk_to({("GET", ALIGNED): (200, b'{"domain_aligned_models": [')})
    with pytest.raises(BrokenAnswer):
        nugen.discover(session)


def test_models_are_chosen_only_where_time_can_be_moved(talk_to: Any) -> None:
    listed = {("GET", ALIGNED): (200, {"domain_aligned_models": [{"id": "m"}]})}
    session, _ = talk_to(listed)
    session.discover_control()
    nugen.prepare(session)
    assert session.options.model_ids == ()


def test_named_models_are_the_only_ones(talk_to: Any) -> None:
    session, _ = talk_to({("GET", "/_mock/clock"): (200, {"now": 1})}, model_ids=("named",))
    session.discover_control()
    nugen.prepare(session)
    assert session.options.model_ids == ("named",)


@pytest.mark.parametrize(("before", "during"), [("DEPLOYED", "UNDEPLOYED"), ("UNDEPLOYED", "DEPLOYED")])
def test_a_model_is_brought_back_to_its_state(serve_mock: Any, before: str, during: str) -> None:
    session = connect("nugen", TargetOptions(target=serve_mock().url))
    session.exclusive = True
    prepare(session)
    model = session.options.model_ids[0]
    nugen.bring_to(session, model, before)
    nugen.restore_later(session, model)
    nugen.bring_to(session, model, during)
    assert session.clean() == []
    assert nugen.entry(session, model)["status"] == before
    session.close()
