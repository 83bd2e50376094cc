"""Copies of the index of tasks: for a moment some have what was there before a write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

MANY = 300


def _read(ml: Any, seconds: float) -> Iterator[tuple[str, str]]:
    """Tasks of deploys, and the state of each as it read so long after it began."""
    for _ in range(MANY):
        task = f"~/tasks/{ml.post(f'~/models/{ml.model()}/_deploy').body['task_id']}"
        ml.time.now += seconds
        yield task, ml.get(task).body["state"]


def _states_afterwards(ml: Any, seconds: float) -> list[str]:
    """What tasks read as so long after each was read as completed for the first time."""
    states = []
    for task, state in _read(ml, 0.04):
        assert state == "COMPLETED"
        ml.time.now += seconds
        states.append(ml.get(task).body["state"])
    return states


def test_a_task_that_read_as_completed_may_run_a_moment_later(make_client: Callable[..., Any]) -> None:
    states = _states_afterwards(make_client(behaviour="opensearch-3.4", nodes=3), 0.01)
    assert set(states) == {"COMPLETED", "RUNNING"}
    assert MANY / 20 < states.count("RUNNING") < MANY / 4


def test_the_request_after_that_asks_a_copy_that_has_the_change(make_client: Callable[..., Any]) -> None:
    ml = make_client(behaviour="opensearch-3.4", nodes=3)
    answers = set()
    for task, _ in _read(ml, 0.04):
        kept = ml.delete(task).status == 500
        answers.add((ml.get(task).body["state"], ml.delete(task).status) if kept else None)
    assert answers == {None, ("COMPLETED", 200)}


def test_later_all_copies_have_the_change(make_client: Callable[..., Any]) -> None:
    states = _states_afterwards(make_client(behaviour="opensearch-3.4", nodes=3), 0.06)
    assert set(states) == {"COMPLETED"}


def test_one_node_has_no_copies_and_no_page_knows_of_late_ones(make_client: Callable[..., Any]) -> None:
    for options in ({"behaviour": "opensearch-3.4", "nodes": 1}, {"nodes": 3}):
        ml = make_client(**options)
        ml.time.now += 1
        states = _states_afterwards(ml, 0.03)
        assert set(states) == {"COMPLETED"}, options


def test_a_task_that_read_as_completed_may_be_kept_as_running(make_client: Callable[..., Any]) -> None:
    ml = make_client(behaviour="opensearch-3.4", nodes=3)
    answers = set()
    for task, _ in _read(ml, 0.01):
        answers.add(ml.delete(task).status)
    assert answers == {200, 500}


def test_a_seed_repeats_what_chance_makes(make_client: Callable[..., Any]) -> None:
    first, second, third = (
        _states_afterwards(make_client(behaviour="opensearch-3.4", nodes=3, seed=seed), 0.01)
        for seed in (1, 1, 2)
    )
    assert first == second != third
