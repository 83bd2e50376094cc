"""A run marks the cluster while it is there; another waits or goes away; a dead one is in nobody's way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mlconform.conformance.errors import PrerequisiteMissing
from mlconform.conformance.targets import opensearch_preparation, opensearch_sweep, turns
from mlconform.conformance.targets.connect import TargetOptions, connect
from mlconform.conformance.targets.opensearch_settings import PRIVATE_ADDRESSES, SETTINGS, read_settings
from mlconform.conformance.targets.session import Session
from mlconform.conformance.targets.turns import PIPELINES, Turn, alive_prefixes, marks

CLOSED = {"persistent": {PRIVATE_ADDRESSES: False}}
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC).isoformat()


@pytest.fixture
def run(serve_mock: Any) -> Iterator[Callable[[str], Session]]:
    """Connects a run of this name to one cluster that all share."""
    url = serve_mock().url
    with ExitStack() as stack:

        def start(name: str, **options: Any) -> Session:
            session = connect("opensearch-ml", TargetOptions(target=url, run_id=name, **options))
            stack.callback(session.close)
            stack.callback(session.clean)
            return session

        yield start


def take(session: Session, budget: float = 0.0, tell: Callable[[str], None] = lambda _: None) -> Turn:
    turn = Turn(session)
    assert turn.take(budget=budget, tell=tell)
    return turn


def die(session: Session) -> None:
    """Leave the mark of this run as a killed run leaves it once its lease is over."""
    (mark,) = [mark for mark in marks(session).values() if mark.prefix == session.options.prefix]
    turn = Turn(session)
    turn._mark = replace(mark, until=LONG_AGO)
    body = {"description": turns.json.dumps({turns._KIND: turns.asdict(turn._mark)}), "processors": []}
    session.request("PUT", f"{PIPELINES}/{mark.name}", body)


def test_a_second_run_is_told_whose_turn_it_is(run: Any) -> None:
    first, second = run("first"), run("second")
    turn = take(first)
    with pytest.raises(PrerequisiteMissing, match=r"the run first of .*@.* \(process \d+\), there since 20"):
        take(second)
    assert list(marks(second)) == ["mlconform-first-mark"]
    turn.give_back()
    assert marks(second) == {}


def test_a_second_run_waits_where_it_may(run: Any) -> None:
    first, second = run("first"), run("second")
    turn = take(first)
    heard = threading.Event()
    told: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        heard.set()

    waiting = threading.Thread(target=lambda: take(second, 30, tell).give_back())
    waiting.start()
    assert heard.wait(20)
    turn.give_back()
    waiting.join(20)
    assert not waiting.is_alive()
    assert told[0].startswith("waiting for the turn: the run first of ")
    assert marks(first) == {}


def test_of_many_that_come_at_once_one_has_the_turn(run: Any) -> None:
    sessions = [run(f"run{number}") for number in range(6)]
    together = threading.Barrier(len(sessions))
    holding: list[str] = []
    refused: list[str] = []

    def come(session: Session) -> None:
        together.wait(10)
        try:
            take(session)
        except PrerequisiteMissing:
            refused.append(session.options.prefix)
        else:
            holding.append(session.options.prefix)

    threads = [threading.Thread(target=come, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (len(holding), len(refused)) == (1, 5)
    assert [mark.prefix for mark in marks(sessions[0]).values()] == holding


def test_a_run_that_claimed_what_another_has_steps_back(run: Any) -> None:
    first, second = run("b"), run("a")
    take(first)
    late = Turn(second)
    assert late._write(has=True)
    assert not late._claim()
    assert {mark.prefix: mark.has for mark in marks(first).values()} == {
        "mlconform-a-": False,
        "mlconform-b-": True,
    }


def test_a_run_whose_lease_ran_out_is_in_nobodys_way(run: Any) -> None:
    dead, second = run("dead"), run("second")
    take(dead).give_back()
    Turn(dead)._write(has=True)
    die(dead)
    assert alive_prefixes(second) == {}
    take(second)


def test_what_a_dead_run_had_set_is_not_taken_for_the_clusters_own(run: Any) -> None:
    dead, second = run("dead"), run("second")
    dead.request("PUT", SETTINGS, CLOSED)
    opensearch_preparation.prepare(dead)
    die(dead)
    assert read_settings(second)[PRIVATE_ADDRESSES] == "true"
    opensearch_preparation.prepare(second)
    second.clean()
    assert read_settings(second)[PRIVATE_ADDRESSES] == "false"
    dead.tracker.take()


def test_a_lease_is_renewed(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "RENEWAL_SECONDS", 0.05)
    session = run("first")
    turn = take(session)
    die(session)
    renewed = session.settle(lambda: alive_prefixes(session), bool, budget=20)
    assert renewed
    turn.give_back()


def test_a_mark_that_was_taken_away_does_not_come_back(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "RENEWAL_SECONDS", 0.05)
    session = run("first")
    turn = take(session)
    assert not turn.lost
    session.request("DELETE", f"{PIPELINES}/mlconform-first-mark")
    assert turn._renewing is not None
    turn._renewing.join(20)
    assert turn.lost
    assert marks(session) == {}


def test_a_cluster_that_takes_no_marks_is_judged_with_a_note(talk_to: Any) -> None:
    answers = {("PUT", f"{PIPELINES}/mlconform-test-mark"): (403, {"error": "no"})}
    session, _ = talk_to(answers, shared=True, may_change_settings=False)
    opensearch_preparation.prepare(session)
    assert "does not let the run mark" in session.facts.notes[0]
    assert session.grounds == []


def test_a_mock_of_this_process_is_nobody_elses(talk_to: Any) -> None:
    session, target = talk_to({}, may_change_settings=False)
    opensearch_preparation.prepare(session)
    assert target.sent == []


class TestSweep:
    def test_a_live_runs_things_are_left_alone(self, run: Any) -> None:
        first, other = run("first"), run("other")
        opensearch_preparation.prepare(first)
        for name in ("mlconform-first-thing-1", "mlconform-old-thing-1"):
            first.request("PUT", f"{PIPELINES}/{name}", {"description": "x", "processors": []})
        removed, complaints = opensearch_sweep.sweep(other, turns.PREFIX, spare=tuple(alive_prefixes(other)))
        assert (removed, complaints) == (["ingest pipeline mlconform-old-thing-1"], [])
        assert first.missing() is None

    def test_by_force_they_go_and_the_run_misses_them(self, run: Any) -> None:
        first, other = run("first"), run("other")
        first.request("PUT", SETTINGS, CLOSED)
        opensearch_preparation.prepare(first)
        removed, _ = opensearch_sweep.sweep(other, turns.PREFIX)
        assert removed == ["ingest pipeline mlconform-first-mark", "ingest pipeline mlconform-first-settings"]
        assert first.missing() == "the mark of the run"
        assert read_settings(other)[PRIVATE_ADDRESSES] == "false"
        first.tracker.take()

    def test_the_run_itself_keeps_its_mark_to_the_end(self, run: Any) -> None:
        first = run("first")
        opensearch_preparation.prepare(first)
        opensearch_sweep.sweep(first, first.options.prefix)
        assert first.missing() is None
