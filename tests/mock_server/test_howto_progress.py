"""How to: decide when tasks end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


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
