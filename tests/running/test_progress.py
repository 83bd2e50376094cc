"""Where no terminal shows a bar, lines tell how far a run has come."""

from __future__ import annotations

import threading

from mlconform.conformance.running.progress import Lines


class Clock:
    """A time that tests set."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_line_tells_how_many_of_how_many_in_what_and_for_how_long() -> None:
    clock = Clock()
    lines = Lines(lambda _: None, clock=clock)
    lines.begin()
    lines.add(3)
    lines.at("area/test_a.py::test_x")
    lines.one_done()
    clock.seconds = 35.0
    lines.end()
    assert lines.told() == "1 of 3 checks after 35 s, in area/test_a.py::test_x"


def test_the_checks_of_two_parts_are_counted_together() -> None:
    lines = Lines(lambda _: None, clock=Clock())
    for total in (3, 4):
        lines.begin()
        lines.add(total)
        lines.one_done()
        lines.end()
    assert lines.told() == "2 of 7 checks after 0 s"


def test_lines_come_while_one_check_goes_on_and_none_after_the_end() -> None:
    came = threading.Event()
    written: list[str] = []

    def write(line: str) -> None:
        written.append(line)
        came.set()

    lines = Lines(write, every=0.01, clock=Clock())
    lines.begin()
    lines.add(1)
    assert came.wait(10)
    lines.end()
    came.clear()
    assert set(written) == {"0 of 1 checks after 0 s"}
