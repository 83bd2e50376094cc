"""Whether what concurrent calls were told can have happened one after the other."""

from __future__ import annotations

from mlconform.conformance.oracle.linearizability import Call, Linearity, linearity


def write(value: int, sent: float, answered: float) -> Call[int]:
    return Call(sent, answered, lambda _: value)


def read(value: int, sent: float, answered: float) -> Call[int]:
    return Call(sent, answered, lambda state: state if state == value else None)


def test_a_read_beside_a_write_may_see_either() -> None:
    for seen in (0, 1):
        assert linearity([write(1, 0, 3), read(seen, 1, 2)], 0) is Linearity.HOLDS


def test_a_read_after_a_write_sees_it() -> None:
    assert linearity([write(1, 0, 1), read(0, 2, 3)], 0) is Linearity.BROKEN


def test_what_was_seen_once_is_not_unseen() -> None:
    history = [write(1, 0, 9), read(1, 1, 2), read(0, 3, 4)]
    assert linearity(history, 0) is Linearity.BROKEN


def test_two_reads_that_saw_two_writes_in_different_orders_contradict() -> None:
    writes = [write(1, 0, 9), write(2, 0, 9)]
    reads = [read(1, 1, 2), read(2, 3, 4), read(1, 5, 6)]
    assert linearity([*writes, *reads], 0) is Linearity.BROKEN
    assert linearity([*writes, *reads[:2]], 0) is Linearity.HOLDS


def test_the_search_gives_up_and_says_so() -> None:
    history = [write(number, 0, 9) for number in range(9)] + [read(99, 0, 9)]
    assert linearity(history, 0, most=20) is Linearity.NOT_DECIDED


def test_nothing_happened() -> None:
    assert linearity([], 0) is Linearity.HOLDS
