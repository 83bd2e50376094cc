"""How to: decide when tasks end, and let requests race in an order that can be repeated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from mock_server import Request

ML = "/_plugins/_ml"


def test_work_is_done_at_once(make_client: Callable[..., Any]) -> None:
    ml = make_client(progress="immediate")
    model_id = ml.model()
    ml.post(f"~/models/{model_id}/_deploy")
    assert ml.state(model_id) == "DEPLOYED"


def test_work_is_done_when_its_task_was_read_so_often(make_client: Callable[..., Any]) -> None:
    ml = make_client(progress="3")
    model_id = ml.model()
    task_id = ml.post(f"~/models/{model_id}/_deploy").body["task_id"]
    ml.time.now += 100
    states = [ml.get(f"~/tasks/{task_id}").body["state"] for _ in range(4)]
    assert states == ["RUNNING", "RUNNING", "COMPLETED", "COMPLETED"]
    assert ml.state(model_id) == "DEPLOYED"


@pytest.mark.parametrize("progress", ["", "0", "never", "-1"])
def test_another_progress_is_refused(make_client: Callable[..., Any], progress: str) -> None:
    with pytest.raises(ValueError, match="expected the progress"):
        make_client(progress=progress)


def _race(make_client: Callable[..., Any], seed: int) -> tuple[int, ...]:
    ml = make_client(seed=seed)
    path = f"{ML}/models/{ml.deployed()}"
    requests = [
        Request("DELETE", path),
        Request("POST", f"{path}/_undeploy"),
        Request("POST", f"{path}/_deploy"),
    ]
    return tuple(answer.status for answer in ml.server.handle_at_once(requests))


def test_a_race_ends_in_several_ways_and_each_can_be_repeated(make_client: Callable[..., Any]) -> None:
    endings = {seed: _race(make_client, seed) for seed in range(20)}
    assert len(Counter(endings.values())) >= 3
    assert all(status < 500 for ending in endings.values() for status in ending)
    assert {seed: _race(make_client, seed) for seed in range(20)} == endings
