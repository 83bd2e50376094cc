from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mlconform.mock_server import Request


def test_the_clock_tells_now_and_offset(ml: Any) -> None:
    assert ml.get("/_mock/clock").body == {"now": 1_000_000_000.0, "offset": 0.0}


def test_the_clock_can_be_moved(ml: Any) -> None:
    assert ml.post("/_mock/clock", {"advance": 60}).body == {"now": 1_000_000_060.0, "offset": 60.0}
    assert ml.get("/_mock/clock").body["offset"] == 60.0


@pytest.mark.parametrize(
    "body", [{"advance": -1}, {"advance": "1"}, {"advance": True}, {}, [], b"{", b'{"advance":1e999}']
)
def test_a_bad_step_is_refused_and_moves_nothing(ml: Any, body: Any) -> None:
    answer = ml.post("/_mock/clock", body)
    assert (answer.status, ml.get("/_mock/clock").body["offset"]) == (400, 0.0)
    assert "expected" in answer.body["error"] or "forward" in answer.body["error"]


def test_reset_empties_the_state_and_keeps_the_clock(ml: Any) -> None:
    model_id = ml.model()
    ml.setting("safe_delete_model", True)
    ml.put("/_mock/predict", {"answer": {"a": 1}})
    ml.post("/_mock/clock", {"advance": 5})
    assert ml.post("/_mock/reset").status == 200
    assert ml.get(f"~/models/{model_id}").status == 404
    assert ml.get("/_cluster/settings").body == {"persistent": {}, "transient": {}}
    assert ml.get("/_mock/predict").body["answer"] != {"a": 1}
    assert ml.get("/_mock/clock").body["offset"] == 5.0


def test_state_shows_models_without_credentials(ml: Any) -> None:
    model_id = ml.model()
    dump = ml.get("/_mock/state").body["profiles"]["opensearch-ml"]
    assert dump["indices"][".plugins-ml-model"][model_id]["state"] == "REGISTERED"
    assert all(
        "credential" not in connector for connector in dump["indices"][".plugins-ml-connector"].values()
    )


def test_restarts_are_counted(ml: Any) -> None:
    assert ml.get("/_mock/restart").body == {"restarts": 0}
    assert ml.post("/_mock/restart").body == {"restarts": 1}
    assert ml.get("/_mock/restart").body == {"restarts": 1}


def test_the_answer_of_the_remote_endpoint_can_be_set(ml: Any) -> None:
    ml.put("/_mock/predict", {"answer": {"said": "so"}})
    output = ml.predict(ml.deployed()).body["inference_results"][0]["output"][0]
    assert output["dataAsMap"] == {"said": "so"}


def test_the_status_of_the_remote_endpoint_can_be_set(ml: Any) -> None:
    assert ml.put("/_mock/predict", {"answer": "busy", "status": 503}).body == {
        "answer": "busy",
        "status": 503,
    }
    assert ml.predict(ml.deployed()).status == 503
    state = ml.get("/_mock/state").body
    ml.post("/_mock/reset")
    assert ml.get("/_mock/predict").body["status"] == 200
    ml.put("/_mock/state", state)
    assert ml.get("/_mock/predict").body == {"answer": "busy", "status": 503}


@pytest.mark.parametrize("status", [99, 600, True, "200", None])
def test_a_status_that_no_endpoint_has_is_refused(ml: Any, status: Any) -> None:
    answer = ml.put("/_mock/predict", {"answer": {}, "status": status})
    assert (answer.status, "from 200 to 599" in answer.body["error"]) == (400, True)


def test_unknown_operations_are_404_and_wrong_methods_405(ml: Any) -> None:
    assert ml.get("/_mock/nope").status == 404
    wrong = ml.delete("/_mock/clock")
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, POST")


def test_control_owns_nothing_but_its_prefix(make_client: Callable[..., Any]) -> None:
    assert make_client().get("/_mocks/clock").status == 400


@pytest.mark.parametrize("path", ["/_mock", "/_mock/"])
def test_the_operations_are_listed_a_line_each(ml: Any, path: str) -> None:
    answer = ml.server.handle(Request("GET", path))
    told = json.loads(answer.body)
    listed = told["operations"]
    lines = [line.rstrip(",") for line in answer.body.decode().splitlines() if line.startswith('{"')]
    assert [json.loads(line) for line in lines if line.endswith("}")] == [*listed, *told["not_mocked"]]
    assert {
        "operation": "POST /_mock/clock",
        "does": "move the time forward",
        "members": ["advance"],
    } in listed
    for one in listed:
        method, where = one["operation"].split()
        assert ml.send(method, where, b"{").status == 400


def test_the_list_allows_get_alone(ml: Any) -> None:
    assert [(ml.post(path).status, ml.post(path).headers["allow"]) for path in ("/_mock", "/_mock/")] == [
        (405, "GET")
    ] * 2


@pytest.mark.parametrize(
    ("method", "operation", "body", "known"),
    [
        ("POST", "verify", {"methd": "PUT"}, "method, path, body, times"),
        ("POST", "clock", {"advance": 1, "methd": 1}, "advance"),
        ("PUT", "predict", {"answer": 1, "methd": 1}, "answer, status"),
        ("PUT", "state", {"profiles": {}, "methd": 1}, "clock, predict, profiles"),
        ("PUT", "state", {"profiles": {}, "predict": {"answer": 1, "methd": 1}}, "answer, status"),
        ("PUT", "faults", {"faults": [], "methd": 1}, "faults, seed"),
        ("POST", "faults", {"faults": [], "methd": 1}, "faults"),
        ("PUT", "faults", {"faults": [{"kind": "reset", "methd": 1}]}, "kind, method, path, probability"),
        ("GET", "requests", {"methd": "PUT"}, "none"),
        ("DELETE", "requests", {"methd": "PUT"}, "none"),
        ("POST", "reset", {"methd": 1}, "none"),
        ("POST", "restart", {"methd": 1}, "none"),
    ],
)
def test_unknown_members_are_refused_with_those_that_are_known(
    ml: Any, method: str, operation: str, body: Any, known: str
) -> None:
    ml.put("/_cluster/settings", {})
    before = ml.get("/_mock/state").body
    answer = ml.send(method, f"/_mock/{operation}", body)
    assert answer.status == 400
    assert "methd" in answer.body["error"]
    assert f"there are {known}" in answer.body["error"]
    assert ml.get("/_mock/state").body == before
    assert len(ml.get("/_mock/requests").body["requests"]) == 1


def test_parameters_are_refused(ml: Any) -> None:
    answer = ml.get("/_mock/requests?method=PUT")
    assert (answer.status, "no parameters in the query, got method=PUT" in answer.body["error"]) == (
        400,
        True,
    )


@pytest.mark.parametrize("times", [-1, "1", True, 1.5])
def test_times_is_a_whole_number(ml: Any, times: Any) -> None:
    answer = ml.post("/_mock/verify", {"times": times})
    assert (answer.status, "whole number" in answer.body["error"]) == (400, True)


def test_a_node_leaves_and_comes_back(make_client: Any) -> None:
    ml = make_client(nodes=2)
    assert ml.get("/_mock/nodes").body == {"running": 2, "nodes": [1, 2]}
    assert ml.post("/_mock/nodes", {"stop": 2}).body == {"running": 1, "nodes": [1]}
    assert len(ml.get("/_nodes").body["nodes"]) == 1
    assert ml.post("/_mock/nodes", {"start": 2}).body["nodes"] == [1, 2]


@pytest.mark.parametrize(
    "body", [{"stop": 1}, {"stop": 3}, {"start": 1}, {"start": 0}, {}, {"stop": "2"}, {"stop": 2, "start": 2}]
)
def test_no_other_node_does(make_client: Any, body: dict[str, Any]) -> None:
    answered = make_client(nodes=2).post("/_mock/nodes", body)
    assert (answered.status, "expected" in answered.body["error"]) == (400, True)
