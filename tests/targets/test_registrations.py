"""What comes of a registration that went on after its answer is removed too."""

from __future__ import annotations

from typing import Any

from mlconform.conformance.targets.opensearch_ml import ML
from mlconform.conformance.targets.registrations import models_named, track_registration

TASK = ("GET", f"{ML}/tasks/t")
SEARCH = ("POST", f"{ML}/models/_search")
DELETE = ("DELETE", f"{ML}/models/m")
GONE = (200, {"result": "deleted"})


def hits(*ids: str) -> tuple[int, Any]:
    chunk = {"_id": "m_0", "_source": {"chunk_number": 0}}
    return 200, {"hits": {"hits": [chunk, *({"_id": each, "_source": {}} for each in ids)]}}


def test_the_model_that_its_task_names_is_removed(talk_to: Any) -> None:
    session, target = talk_to({TASK: (200, {"state": "COMPLETED", "model_id": "m"}), DELETE: GONE})
    track_registration(session, "t", "n")
    assert session.clean() == []
    assert (*TASK, None) in target.sent


def test_is_waited_for_while_it_goes_on(talk_to: Any) -> None:
    states = iter(["CREATED", "RUNNING", "FAILED"])
    session, _ = talk_to({TASK: lambda: (200, {"state": next(states)}), SEARCH: hits()})
    track_registration(session, "t", "n")
    assert session.clean() == []
    assert next(states, None) is None


def test_a_search_finds_it_where_its_task_is_gone(talk_to: Any) -> None:
    deleted: list[int] = []

    def delete() -> tuple[int, Any]:
        deleted.append(1)
        return GONE

    model = ("GET", f"{ML}/models/m")
    session, _ = talk_to({SEARCH: hits("m"), model: (200, {"model_state": "REGISTERED"}), DELETE: delete})
    track_registration(session, "t", "n")
    assert session.clean() == []
    assert deleted == [1]


def test_chunks_are_no_models(talk_to: Any) -> None:
    session, target = talk_to({SEARCH: hits("m", "o")})
    assert models_named(session, "n") == ["m", "o"]
    assert target.sent[0][2]["query"] == {"term": {"name.keyword": "n"}}
