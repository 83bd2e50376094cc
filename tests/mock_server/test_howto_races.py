"""How to: let requests race, find a race that ends badly, and repeat it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from mlconform.mock_server import Request

ML = "/_plugins/_ml"


def _race(ml: Any, seed: int | None) -> tuple[int, ...]:
    """Requests that come at the same moment: the seed decides how they interleave."""
    path = f"{ML}/models/{ml.deployed()}"
    requests = [
        Request("DELETE", path),
        Request("POST", f"{path}/_undeploy"),
        Request("POST", f"{path}/_deploy"),
    ]
    return tuple(answer.status for answer in ml.server.handle_at_once(requests, seed=seed))


def test_a_race_ends_in_several_ways(make_client: Callable[..., Any]) -> None:
    endings = {_race(make_client(), seed) for seed in range(30)}
    assert len(endings) >= 3
    assert all(status < 500 for ending in endings for status in ending)


def test_a_race_is_repeated_with_its_seed(make_client: Callable[..., Any]) -> None:
    lost = next(seed for seed in range(100) if _race(make_client(), seed)[0] == 200)
    assert {_race(make_client(), lost)[0] for _ in range(5)} == {200}


def test_without_a_seed_the_server_s_own_decides(make_client: Callable[..., Any]) -> None:
    def races(seed: int) -> list[tuple[int, ...]]:
        ml = make_client(seed=seed)
        return [_race(ml, None) for _ in range(10)]

    assert races(1) == races(1) != races(2)


def test_a_client_of_one_s_own_races_too(make_client: Callable[..., Any]) -> None:
    """What runs at once is any call that sends requests to the server, and what it returns comes back."""
    ml = make_client()
    model_id = ml.model()

    def delete() -> str:
        return str(ml.delete(f"~/models/{model_id}").body.get("result", "refused"))

    assert sorted(ml.server.at_once([delete, delete, delete], seed=4)).count("deleted") == 1


@pytest.mark.parametrize("seed", range(5))
def test_each_of_two_clients_may_send_several_requests(make_client: Callable[..., Any], seed: int) -> None:
    ml = make_client()

    def deploy_and_undeploy(name: str) -> list[int]:
        model_id = ml.model(name=name)
        return [ml.post(f"~/models/{model_id}/{operation}").status for operation in ("_deploy", "_undeploy")]

    calls = [partial(deploy_and_undeploy, name) for name in "ab"]
    assert ml.server.at_once(calls, seed=seed) == [
        [200, 200],
        [200, 200],
    ]
