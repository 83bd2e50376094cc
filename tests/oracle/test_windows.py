"""When a model must leave memory."""

from __future__ import annotations

from mlconform.conformance.oracle.windows import TOLERANCE_SECONDS, Window, ttl_window


def test_it_opens_at_the_ttl_after_the_earliest_moment_of_use() -> None:
    assert ttl_window(Window(100, 103), 2, 10).opens == 100 + 120


def test_it_closes_one_interval_and_the_tolerance_after_the_latest() -> None:
    assert ttl_window(Window(100, 103), 2, 10).closes == 103 + 120 + 10 + TOLERANCE_SECONDS


def test_the_recorded_end_lies_inside() -> None:
    # A TTL of one minute with an interval of three seconds was seen to end after 63.1 seconds.
    window = ttl_window(Window(0, 0), 1, 3)
    assert window.opens < 63.1 < window.closes
