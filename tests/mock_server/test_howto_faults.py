"""How to: see how your code bears delays, resets, broken bodies, refusals and deployments that fail."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import urllib3

from mlconform.mock_server import Request
from mlconform.mock_server.fixture import running_mock

ML = "/_plugins/_ml"


@pytest.fixture(scope="module", params=["httpserver", "uvicorn"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "uvicorn":
        yield request.getfixturevalue("uvicorn_url")
    else:
        with running_mock() as mock:
            yield mock.url


@pytest.fixture
def send(url: str) -> Iterator[Callable[..., urllib3.BaseHTTPResponse]]:
    """Sends a request; whatever is armed is disarmed afterwards."""
    with urllib3.PoolManager(timeout=10, retries=False) as pool:

        def send(method: str, path: str, body: Any = None) -> urllib3.BaseHTTPResponse:
            headers = {"content-type": "application/json"}
            content = None if body is None else json.dumps(body)
            return pool.request(method, url + path, body=content, headers=headers)

        yield send
        send("DELETE", "/_mock/faults")


def arm(send: Any, *faults: dict[str, Any], seed: int = 0) -> None:
    assert send("PUT", "/_mock/faults", {"faults": list(faults), "seed": seed}).status == 200


def test_a_node_that_is_overloaded_twice_and_then_answers(send: Any) -> None:
    arm(send, {"kind": "status", "status": 429, "path": f"{ML}/*", "times": 2})
    statuses = [send("POST", f"{ML}/models/_search", {}).status for _ in range(3)]
    assert statuses == [429, 429, 200]
    assert send("GET", "/_mock/faults").json()["faults"][0]["struck"] == 2


def test_an_answer_that_comes_late(send: Any) -> None:
    arm(send, {"kind": "delay", "delay": 0.2, "path": "/"})
    began = time.monotonic()
    assert send("GET", "/").status == 200
    assert time.monotonic() - began >= 0.2


def test_a_connection_that_is_reset(send: Any) -> None:
    arm(send, {"kind": "reset", "path": "/", "times": 1})
    with pytest.raises(urllib3.exceptions.ProtocolError):
        send("GET", "/")
    assert send("GET", "/").status == 200


@pytest.mark.parametrize("executed", [False, True])
def test_a_write_whose_connection_was_reset_may_have_had_its_effect(send: Any, executed: bool) -> None:
    path = f"/words-{executed}/_doc/1".lower()
    arm(send, {"kind": "reset", "method": "PUT", "executed": executed})
    with pytest.raises(urllib3.exceptions.ProtocolError):
        send("PUT", path, {"title": "x"})
    assert (send("GET", path).status == 200) is executed


def test_a_body_that_ends_too_soon(send: Any) -> None:
    arm(send, {"kind": "truncated", "path": "/"})
    with pytest.raises(urllib3.exceptions.ProtocolError, match="IncompleteRead"):
        send("GET", "/")


def test_a_body_of_no_meaning(send: Any) -> None:
    arm(send, {"kind": "garbage", "path": "/"})
    body = send("GET", "/").data
    with pytest.raises(ValueError, match=r"."):
        json.loads(body)


def test_every_other_request_is_refused_in_an_order_that_the_seed_chooses(send: Any) -> None:
    def statuses(seed: int) -> list[int]:
        arm(send, {"kind": "status", "path": "/", "probability": 0.5}, seed=seed)
        return [send("GET", "/").status for _ in range(20)]

    first = statuses(1)
    assert set(first) == {200, 503}
    assert statuses(1) == first != statuses(2)


def test_a_deployment_that_fails(ml: Any) -> None:
    model_id = ml.model()
    ml.put("/_mock/faults", {"faults": [{"kind": "deploy-failed", "path": model_id}]})
    task_id = ml.post(f"~/models/{model_id}/_deploy").body["task_id"]
    ml.time.now += 1
    assert ml.state(model_id) == "DEPLOY_FAILED"
    task = ml.get(f"~/tasks/{task_id}").body
    assert (task["state"], "told to let" in task["error"]) == ("FAILED", True)


def test_a_deployment_that_reaches_some_nodes_only(make_client: Callable[..., Any]) -> None:
    ml = make_client(nodes=3)
    ml.put("/_mock/faults", {"faults": [{"kind": "partially-deployed"}]})
    model_id = ml.deployed()
    model = ml.get(f"~/models/{model_id}").body
    assert model["model_state"] == "PARTIALLY_DEPLOYED"
    assert (model["planning_worker_node_count"], model["current_worker_node_count"]) == (3, 2)
    assert ml.predict(model_id).status == 200


def test_a_task_that_never_ends(ml: Any) -> None:
    ml.put("/_mock/faults", {"faults": [{"kind": "never-ends"}]})
    model_id = ml.model()
    task_id = ml.post(f"~/models/{model_id}/_deploy").body["task_id"]
    ml.time.now += 1e6
    assert (ml.get(f"~/tasks/{task_id}").body["state"], ml.state(model_id)) == ("RUNNING", "DEPLOYING")


def test_time_can_be_moved_far_though_a_task_of_a_mortal_model_never_ends(ml: Any) -> None:
    model_id = ml.deployed(deploy_setting={"model_ttl_minutes": 1})
    ml.put("/_mock/faults", {"faults": [{"kind": "never-ends"}]})
    ml.post(f"~/models/{model_id}/_deploy")
    ml.post("/_mock/clock", {"advance": 1e10})
    assert ml.state(model_id) == "DEPLOYING"


def test_a_read_that_does_not_see_the_last_write(ml: Any) -> None:
    path = f"{ML}/models/{ml.model()}"
    ml.put("/_mock/faults", {"faults": [{"kind": "stale-read", "path": path, "times": 1}]})
    ml.put(path, {"description": "new"})
    assert [ml.get(path).body.get("description") for _ in range(2)] == [None, "new"]


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"kind": "nope"},
        {"kind": "delay"},
        {"kind": "delay", "delay": -1},
        {"kind": "delay", "delay": {"distribution": "uniform", "low": 1}},
        {"kind": "status", "status": 204},
        {"kind": "reset", "times": 0},
        {"kind": "reset", "probability": 2},
        {"kind": "reset", "method": 1},
        {"kind": "reset", "bogus": 1},
        {"kind": "delay", "delay": {"distribution": "exponential", "mean": 1, "bogus": 1}},
        5,
    ],
)
def test_a_fault_that_can_not_be_is_refused_and_nothing_is_armed(ml: Any, fault: Any) -> None:
    answer = ml.put("/_mock/faults", {"faults": [fault]})
    assert (answer.status, ml.get("/_mock/faults").body) == (400, {"faults": []})


@pytest.mark.parametrize(
    "delay",
    [
        {"distribution": "uniform", "low": 1, "high": 2},
        {"distribution": "exponential", "mean": 1},
        {"distribution": "normal", "mean": 1, "deviation": 0.1},
    ],
)
def test_delays_vary_around_what_was_asked_for(ml: Any, delay: Any) -> None:
    ml.put("/_mock/faults", {"faults": [{"kind": "delay", "delay": delay}]})
    faults = [ml.server.handle(Request("GET", "/")).fault for _ in range(300)]
    assert len({fault.delay for fault in faults}) == 300
    assert 0.8 < sum(fault.delay for fault in faults) / 300 < 1.7
