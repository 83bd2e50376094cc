from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from mlconform.mock_server import Request
from mlconform.mock_server.interleaving import at_once, step


def _nothing() -> None:
    pass


def _trace(seed: int, names: str = "ab", steps: int = 2) -> str:
    """Who went on when: each call writes its name before and after each of its steps."""
    told: list[str] = []

    def call(name: str) -> None:
        told.append(name)
        for _ in range(steps):
            step()
            told.append(name)

    at_once([lambda name=name: call(name) for name in names], random.Random(seed), _nothing)
    return "".join(told)


def test_one_seed_gives_one_order() -> None:
    assert [_trace(seed, "abc") for seed in range(20)] == [_trace(seed, "abc") for seed in range(20)]


def test_over_some_seeds_every_order_comes() -> None:
    assert {_trace(seed) for seed in range(400)} == {
        "".join("a" if number in places else "b" for number in range(6)) for places in _three_of_six()
    }


def _three_of_six() -> list[set[int]]:
    return [
        {first, second, third}
        for first in range(6)
        for second in range(first + 1, 6)
        for third in range(second + 1, 6)
    ]


def test_results_are_in_the_order_of_the_calls() -> None:
    calls = [lambda number=number: number for number in range(5)]
    assert at_once(calls, random.Random(1), _nothing) == [0, 1, 2, 3, 4]


def test_no_calls_have_no_results() -> None:
    assert at_once([], random.Random(0), _nothing) == []


def test_alone_a_step_does_nothing() -> None:
    step()


@pytest.mark.parametrize("seed", range(10))
def test_what_a_call_raises_comes_out_when_all_have_ended(seed: int) -> None:
    ended = []

    def fails() -> None:
        step()
        raise LookupError("first")

    def goes_on() -> None:
        for _ in range(3):
            step()
        ended.append("second")

    with pytest.raises(LookupError, match="first"):
        at_once([fails, goes_on], random.Random(seed), _nothing)
    assert ended == ["second"]


@pytest.mark.parametrize("seed", range(10))
def test_of_several_failures_that_of_the_first_call_comes_out(seed: int) -> None:
    def fails(name: str) -> None:
        step()
        raise LookupError(name)

    with pytest.raises(LookupError, match="a"):
        at_once([lambda name=name: fails(name) for name in "abc"], random.Random(seed), _nothing)


def test_no_thread_is_left() -> None:
    before = threading.active_count()
    _trace(0, "abcdefgh")
    assert threading.active_count() == before


def test_a_failure_of_the_mock_is_an_answer_in_a_race_too(
    make_client: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ml = make_client()
    monkeypatch.setattr(ml.server.space(), "_control", None)
    answers = ml.server.handle_at_once([Request("GET", "/"), Request("GET", "/")])
    assert [answer.status for answer in answers] == [500, 500]
    assert "the mock failed at GET /" in caplog.text


def test_requests_of_other_threads_are_answered_during_a_race(make_client: Callable[..., Any]) -> None:
    """Whoever waits for its turn keeps nobody else waiting."""
    ml = make_client()
    seen = []

    def ask_from_outside() -> int:
        thread = threading.Thread(target=lambda: seen.append(ml.get("/").status))
        thread.start()
        thread.join()
        return int(ml.delete("~/models/nope").status)

    path = f"/_plugins/_ml/models/{ml.model()}"
    delete = Request("DELETE", path)
    ml.server.at_once([lambda: ml.server.handle(delete), ask_from_outside, ask_from_outside], seed=3)
    assert seen == [200, 200]
