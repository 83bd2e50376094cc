"""How a check decides."""

from __future__ import annotations

from typing import Any

import pytest

from mlconform.conformance.outcomes import BrokenAnswer, InTheWay, Nonconformance, Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.targets.exchange import Answer, Exchange, OutgoingRequest


def expect(*bound: str, in_force: bool = True) -> Expect:
    return Expect(bound or ("a.b",), lambda _: in_force)


def answered(status: int, body: bytes = b"{}") -> Exchange:
    request = OutgoingRequest("DELETE", "/models/m")
    return Exchange(request, Answer(status, {}, body), 0.0, "http://h", "osml.wire.json")


def test_what_holds_is_decided() -> None:
    judge = expect()
    judge.that("a.b", True, expected="x", came="x")
    assert judge.decided == {"a.b"}


def test_what_does_not_hold_is_a_difference_and_decided() -> None:
    judge = expect()
    with pytest.raises(Nonconformance) as caught:
        judge.that("a.b", False, expected="one", came="two")
    error = caught.value
    assert (error.requirement, error.expected, error.came) == ("a.b", "one", "two")
    assert judge.decided == {"a.b"}


def test_a_requirement_that_is_not_bound_is_a_mistake_of_the_check() -> None:
    with pytest.raises(LookupError, match=r"not bound to c\.d"):
        expect().that("c.d", True, expected="x", came="x")


def test_a_requirement_that_is_not_in_force_is_neither_judged_nor_decided() -> None:
    judge = expect(in_force=False)
    judge.that("a.b", False, expected="one", came="two")
    assert judge.decided == set()


def test_a_refusal_breaks_each_requirement_that_the_request_shows() -> None:
    judge = expect("a.b", "a.c")
    with pytest.raises(Nonconformance) as caught:
        judge.all_accepted(["a.b", "a.c"], answered(400))
    assert caught.value.requirement == "a.b"
    assert [each.requirement for each in judge.differences] == ["a.b", "a.c"]


def test_a_success_decides_each_requirement_that_the_request_shows() -> None:
    judge = expect("a.b", "a.c")
    judge.all_accepted(["a.b", "a.c"], answered(201))
    assert judge.decided == {"a.b", "a.c"}


def test_success_of_what_the_contract_forbids_is_a_mistake_of_the_check() -> None:
    judge = Expect(("a.b",), lambda _: True, invalid=lambda _: "name is missing")
    with pytest.raises(ValueError, match="name is missing"):
        judge.accepted("a.b", answered(200))
    with pytest.raises(ValueError, match="name is missing"):
        judge.all_accepted(["a.b"], answered(200))
    assert judge.decided == set()


def test_a_refusal_of_what_the_contract_forbids_is_none() -> None:
    judge = Expect(("a.b",), lambda _: True, invalid=lambda _: "name is missing")
    judge.client_error("a.b", answered(400))
    assert judge.decided == {"a.b"}


class TestWhatIsNotSelected:
    @pytest.fixture
    def judge(self) -> Expect:
        return Expect(("a.b",), lambda _: True, selected=lambda _: False)

    def test_a_difference_is_kept_apart(self, judge: Expect) -> None:
        difference = judge.see("a.b", False, expected="one", came="two")
        assert (judge.unselected, judge.differences, judge.evidence) == ([difference], [], {})

    def test_a_search_goes_on_past_it(self, judge: Expect) -> None:
        assert judge.search("a.b", False, expected="one", came="two") is not None

    def test_a_check_that_would_end_at_it_is_untestable_and_names_it(self, judge: Expect) -> None:
        with pytest.raises(InTheWay, match=r"a difference from a\.b, which is not selected") as caught:
            judge.that("a.b", False, expected="one", came="two")
        assert isinstance(caught.value, Untestable)

    def test_who_is_let_in_is_not_kept(self, judge: Expect) -> None:
        judge.see_access("a.b", True, "nobody", "a model", expected="403", exchange=answered(403))
        assert judge.access == []


def test_equal_shows_both_values() -> None:
    with pytest.raises(Nonconformance) as caught:
        expect().equal("a.b", "came", "wanted", "name")
    assert (caught.value.expected, caught.value.came) == ("name = 'wanted'", "'came'")


def test_one_of_shows_what_is_allowed() -> None:
    expect().one_of("a.b", 1, (1, 2), "n")
    with pytest.raises(Nonconformance) as caught:
        expect().one_of("a.b", 3, (1, 2), "n")
    assert caught.value.expected == "n = 1 or 2"


def test_one_of_takes_values_of_any_kind() -> None:
    expect().one_of("a.b", {"id": "m"}, ("m", {"id": "m"}), "the body")


@pytest.mark.parametrize(("status", "right"), [(200, True), (201, False), (404, True)])
def test_a_status_among_those_allowed(status: int, right: bool) -> None:
    judge = expect()
    if right:
        judge.status("a.b", answered(status), 200, 404)
    else:
        with pytest.raises(Nonconformance) as caught:
            judge.status("a.b", answered(status), 200, 404)
        assert caught.value.expected == "status 200 or 404 to DELETE /models/m"
        assert caught.value.came == "201 {}"


@pytest.mark.parametrize(
    ("method", "right", "wrong"),
    [("accepted", (200, 299), (199, 300, 404, 500)), ("client_error", (400, 499), (200, 399, 500))],
)
def test_a_class_of_statuses(method: str, right: tuple[int, ...], wrong: tuple[int, ...]) -> None:
    for status in right:
        getattr(expect(), method)("a.b", answered(status))
    for status in wrong:
        with pytest.raises(Nonconformance):
            getattr(expect(), method)("a.b", answered(status))


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        (answered(404, b'{"error": {"reason": "Failed to find model m"}}'), True),
        (answered(404, b'{"error": {"reason": "other"}}'), False),
        (answered(404, b'{"error": "Failed to find model"}'), False),
        (answered(404, b"[]"), False),
        (answered(400, b'{"error": {"reason": "Failed to find model"}}'), False),
    ],
)
def test_an_error_of_a_status_with_a_reason(answer: Exchange, right: bool) -> None:
    if right:
        expect().error("a.b", answer, 404, "Failed to find model")
    else:
        with pytest.raises(Nonconformance):
            expect().error("a.b", answer, 404, "Failed to find model")


def test_a_broken_answer_violates_the_wire_and_not_what_was_asked() -> None:
    with pytest.raises(BrokenAnswer) as caught:
        expect().error("a.b", answered(404, b'{"error"'), 404, "x")
    assert caught.value.requirement == "osml.wire.json"


@pytest.mark.parametrize(
    ("value", "kind", "right"),
    [
        ({"n": 1}, int, True),
        ({"n": True}, int, False),
        ({"n": True}, bool, True),
        ({"n": True}, (int, bool), True),
        ({"n": 1}, bool, False),
        ({"n": 1.5}, (int, float), True),
        ({"n": True}, (int, float), False),
        ({"n": None}, str, False),
        ({"n": None}, type(None), True),
        ({"m": 1}, int, False),
        ({}, type(None), False),
        ([], int, False),
        (None, int, False),
    ],
)
def test_members_by_their_json_types(value: Any, kind: Any, right: bool) -> None:
    if right:
        expect().members("a.b", value, {"n": kind}, "the answer")
    else:
        with pytest.raises(Nonconformance):
            expect().members("a.b", value, {"n": kind}, "the answer")


def test_an_absent_member_shows_what_is_there() -> None:
    with pytest.raises(Nonconformance) as caught:
        expect().members("a.b", {"m": 1}, {"n": int}, "the answer")
    assert (caught.value.expected, caught.value.came) == ("the answer has n of type int", "{'m': 1}")


def test_see_goes_on_and_remembers_every_difference() -> None:
    judge = expect()
    first = judge.see("a.b", False, expected="one", came="two")
    assert first is not None
    judge.see("a.b", False, expected="one", came="three")
    assert judge.see("a.b", True, expected="one", came="one") is None
    assert [each.came for each in judge.differences] == ["two", "three"]
    assert judge.decided == {"a.b"}


def test_a_difference_of_an_answer_has_the_signature_of_the_answer() -> None:
    judge = expect()
    with pytest.raises(Nonconformance) as caught:
        judge.client_error("a.b", answered(500, b'{"error": {"type": "npe", "reason": "at 7"}}'))
    assert caught.value.signature == "DELETE /models/m: 500 npe: at *"


def test_all_of_a_class_of_statuses_is_told_in_short() -> None:
    with pytest.raises(Nonconformance) as caught:
        expect().status("a.b", answered(200), *range(400, 500))
    assert caught.value.expected == "a 4xx to DELETE /models/m"


class TestSearch:
    def met(self, judge: Expect, status: int = 500) -> Nonconformance | None:
        return judge.search_status("a.b", answered(status), 200)

    def test_what_is_new_ends_it(self) -> None:
        with pytest.raises(Nonconformance):
            self.met(expect())

    def test_it_goes_on_past_what_is_known(self) -> None:
        judge = Expect(("a.b",), lambda _: True, known=lambda _: True)
        assert self.met(judge) is not None
        assert len(judge.differences) == 1

    def test_it_goes_on_past_what_was_found_and_not_past_another(self) -> None:
        judge = expect()
        with pytest.raises(Nonconformance):
            self.met(judge)
        assert judge.go_past_what_was_found()
        assert self.met(judge) is not None
        with pytest.raises(Nonconformance):
            self.met(judge, 404)

    def test_it_has_found_nothing_new_where_nothing_differed(self) -> None:
        judge = expect()
        self.met(judge, 200)
        assert not judge.go_past_what_was_found()


def test_in_how_many_tries_a_finding_was_met() -> None:
    judge = expect()
    judge.see_status("a.b", answered(500), 200)
    judge.see_status("a.b", answered(500), 200)
    judge.again()
    judge.see_status("a.b", answered(200), 200)
    (difference,) = {each.signature for each in judge.differences}
    assert (judge.seen(("a.b", difference)), judge.tries) == (1, 2)


def test_what_an_earlier_try_left_belongs_to_that_try() -> None:
    judge = expect()
    judge.again()
    for number in (1, 2, 1):
        judge.back_to(number)
        judge.see("a.b", False, expected="one", came="two")
    assert (judge.seen(("a.b", judge.differences[0].signature)), judge.tries) == (2, 2)


def test_what_a_request_did_is_told_of_it_wherever_it_shows() -> None:
    judge = expect()
    found = judge.see("a.b", False, expected="other answers stay", came="not so", by=answered(409))
    assert found is not None
    assert found.signature == "DELETE /models/m: other answers stay"
