"""How to: let parallel workers share one mock, each with a world of its own."""

from __future__ import annotations

from typing import Any

import pytest

from mlconform.mock_server import server as mock


def test_what_one_worker_makes_no_other_sees(ml: Any) -> None:
    model_id = ml.model(name="mine")
    ml.put("/_mock/faults", {"faults": [{"kind": "status", "path": "/"}]})
    ml.headers = {"x-mock-namespace": "gw1"}
    assert ml.get(f"~/models/{model_id}").status == 404
    assert ml.get("/").status == 200
    ml.model(name="theirs")
    ml.headers = {}
    found = ml.post("~/models/_search", {}).body["hits"]["hits"]
    assert [hit["_source"]["name"] for hit in found] == ["mine"]


def test_each_worker_moves_its_own_time(ml: Any) -> None:
    ml.headers = {"x-mock-namespace": "gw1"}
    ml.post("/_mock/clock", {"advance": 60})
    assert ml.get("/_mock/clock").body["offset"] == 60
    ml.headers = {"x-mock-namespace": "gw2"}
    assert ml.get("/_mock/clock").body["offset"] == 0


def test_a_reset_empties_one_world_alone(ml: Any) -> None:
    model_id = ml.model()
    ml.headers = {"x-mock-namespace": "gw1"}
    ml.post("/_mock/reset")
    ml.headers = {}
    assert ml.state(model_id) == "REGISTERED"


@pytest.mark.parametrize("name", ["a b", "x" * 101, "a/b"])
def test_a_name_that_is_none_is_refused(ml: Any, name: str) -> None:
    ml.headers = {"x-mock-namespace": name}
    assert ml.get("/").status == 400


def test_there_are_not_too_many(ml: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mock, "MAX_NAMESPACES", 2)
    statuses = []
    for name in ("a", "b", "c", "a"):
        ml.headers = {"x-mock-namespace": name}
        statuses.append(ml.get("/").status)
    assert statuses == [200, 200, 400, 200]
