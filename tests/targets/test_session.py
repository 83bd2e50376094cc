"""A conversation with a target: evidence, names, removal and time."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from mlconform.conformance.errors import TargetUnreachable
from mlconform.conformance.outcomes import BrokenAnswer, Untestable
from mlconform.conformance.targets import session as session_module
from mlconform.conformance.targets.credentials import bearer
from mlconform.conformance.targets.exchange import Answer, OutgoingRequest
from mlconform.conformance.targets.session import Session, SessionOptions
from mlconform.conformance.targets.settle import Ending
from mlconform.conformance.targets.tracker import Resource
from mlconform.conformance.targets.transport import AnswerCutOff

CLOCK = {("GET", "/_mock/clock"): (200, {"now": 0.0}), ("POST", "/_mock/clock"): (200, {"now": 0.0})}


def test_a_value_is_sent_as_json(talk_to: Any) -> None:
    session, target = talk_to({})
    session.request("POST", "/a", {"b": None})
    assert target.sent == [("POST", "/a", {"b": None})]
    assert target.headers[0]["content-type"] == "application/json"


def test_a_request_without_a_body_claims_no_type(talk_to: Any) -> None:
    session, target = talk_to({})
    session.request("POST", "/a")
    assert "content-type" not in target.headers[0]


def test_credentials_go_with_every_request_that_does_not_refuse_them(talk_to: Any) -> None:
    session, target = talk_to({}, credentials=bearer("x"))
    session.request("GET", "/a")
    session.request("GET", "/a", authorize=False)
    session.request("GET", "/a", headers={"Authorization": "Bearer other"})
    assert [headers.get("authorization") for headers in target.headers] == ["Bearer x", None, "Bearer other"]


def test_every_exchange_is_kept_in_order(talk_to: Any) -> None:
    session, _ = talk_to({("GET", "/a"): (200, {})})
    session.request("GET", "/a")
    session.request("GET", "/b")
    assert [(kept.request.path, kept.status) for kept in session.journal] == [("/a", 200), ("/b", 404)]


def test_a_new_sequence_begins_with_no_evidence_at_zero(talk_to: Any) -> None:
    session, _ = talk_to({})
    session.request("GET", "/a")
    session.begin_sequence()
    assert session.journal == []
    assert session.request("GET", "/b").at < 1


class CutsOff:
    """A transport whose answers never end."""

    base_url = "http://broken"

    def send(self, request: OutgoingRequest) -> Answer:
        raise AnswerCutOff("it ended too early")

    def close(self) -> None:
        """Nothing is open."""


def test_an_answer_that_is_cut_off_is_evidence_and_breaks_when_looked_at() -> None:
    session = Session(CutsOff(), SessionOptions("p-"), "osml.wire.json")
    exchange = session.request("GET", "/a")
    assert session.journal == [exchange]
    with pytest.raises(BrokenAnswer, match="it ended too early"):
        _ = exchange.status


def test_names_are_new_and_show_whose_they_are(talk_to: Any) -> None:
    session, _ = talk_to({})
    names = [session.new_name("model") for _ in range(3)]
    assert len(set(names)) == 3
    assert all(name.startswith("mlconform-test-model-") for name in names)


class TestClean:
    def test_newest_first(self, talk_to: Any) -> None:
        session, _ = talk_to({})
        removed: list[str] = []
        for name in "abc":
            session.tracker.add(Resource("thing", name, lambda name=name: removed.append(name)))
        assert session.clean() == []
        assert removed == ["c", "b", "a"]

    def test_what_is_in_the_way_at_first_is_tried_again(self, talk_to: Any) -> None:
        session, _ = talk_to({})
        answers = iter(["in use", "in use", None])
        session.tracker.add(Resource("thing", "a", lambda: next(answers)))
        assert session.clean() == []

    def test_what_stays_is_complained_of(self, talk_to: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(session_module, "REMOVAL_BUDGET_SECONDS", 0.05)
        session, _ = talk_to({})
        session.tracker.add(Resource("thing", "a", lambda: "in use"))
        assert session.clean() == ["thing a could not be removed: in use"]

    def test_a_target_that_is_gone_is_not_waited_for(self, talk_to: Any) -> None:
        session, _ = talk_to({})
        tries: list[int] = []

        def remove() -> None:
            tries.append(1)
            raise TargetUnreachable("nobody there")

        session.tracker.add(Resource("thing", "a", remove))
        assert session.clean() == ["thing a could not be removed: nobody there"]
        assert len(tries) == 1

    def test_what_stays_for_one_reason_is_told_in_one_sentence(self, talk_to: Any) -> None:
        session, _ = talk_to({})

        def gone() -> None:
            raise TargetUnreachable("nobody there")

        for name in "ab":
            session.tracker.add(Resource("thing", name, gone))
        assert session.clean() == ["thing b, thing a could not be removed: nobody there"]

    def test_an_interruption_forgets_nothing(self, talk_to: Any) -> None:
        session, _ = talk_to({})
        interruptions = iter([KeyboardInterrupt()])
        removed: list[str] = []

        def remove() -> None:
            for interruption in interruptions:
                raise interruption
            removed.append("a")

        session.tracker.add(Resource("thing", "a", remove))
        with pytest.raises(KeyboardInterrupt):
            session.clean()
        session.clean()
        assert removed == ["a"]


class TestSettle:
    def advanced(self, talk_to: Any, *, exclusive: bool) -> tuple[Ending, list[Any]]:
        """How a wait for the fourth reading ended, and the moves of the clock."""
        session, target = talk_to(CLOCK)
        session.discover_control()
        session.exclusive = exclusive
        readings = itertools.count()
        ending = session.settle(lambda: next(readings), lambda reading: reading == 3).ending
        return ending, [sent for sent in target.sent if sent[0] == "POST"]

    def test_moves_the_clock_of_a_check_that_is_alone(self, talk_to: Any) -> None:
        ending, moves = self.advanced(talk_to, exclusive=True)
        assert ending is Ending.SETTLED
        assert len(moves) == 3

    def test_moves_no_clock_beside_other_checks(self, talk_to: Any) -> None:
        ending, moves = self.advanced(talk_to, exclusive=False)
        assert ending is Ending.SETTLED
        assert moves == []


class TestCapabilities:
    def test_a_server_without_controls_has_none(self, talk_to: Any) -> None:
        session, _ = talk_to({}, may_change_settings=False)
        session.discover_control()
        assert set(session.capabilities.values()) == {False}

    @pytest.mark.parametrize("answer", [(200, b"<html>"), (200, []), (200, {"later": 1}), (500, {"now": 1})])
    def test_what_does_not_look_like_a_clock_is_none(self, talk_to: Any, answer: Any) -> None:
        session, _ = talk_to({("GET", "/_mock/clock"): answer})
        session.discover_control()
        assert not session.capabilities["move time"]

    def test_a_clock_that_tells_the_time_can_be_moved(self, talk_to: Any) -> None:
        session, target = talk_to(CLOCK)
        session.discover_control()
        session.let_pass(60, "a test")
        assert target.sent[-1] == ("POST", "/_mock/clock", {"advance": 60})

    def test_the_clock_of_a_mock_needs_no_credentials(self, talk_to: Any) -> None:
        session, target = talk_to(CLOCK, credentials=bearer("x"))
        session.discover_control()
        session.let_pass(60, "a test")
        assert not any("authorization" in headers for headers in target.headers)

    def test_without_a_restart_what_needs_one_is_untestable(self, talk_to: Any) -> None:
        session, _ = talk_to({})
        session.discover_control()
        with pytest.raises(Untestable, match="cannot be restarted"):
            session.restart()

    def test_a_target_that_restarts_is_restarted(self, talk_to: Any) -> None:
        answers = {("GET", "/_mock/restart"): (200, {"restarts": 0}), ("POST", "/_mock/restart"): (200, {})}
        session, target = talk_to(answers)
        session.discover_control()
        session.restart()
        assert target.sent[-1][:2] == ("POST", "/_mock/restart")
