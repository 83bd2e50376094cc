from __future__ import annotations

import pytest

from mlconform.mock_server.clock import MAX_OFFSET, Clock


def test_advancing_adds_to_the_source() -> None:
    clock = Clock(lambda: 100.0)
    clock.advance(7.5)
    assert (clock.now(), clock.offset) == (107.5, 7.5)


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf"), MAX_OFFSET * 2])
def test_the_clock_refuses_what_is_no_step_forward(seconds: float) -> None:
    clock = Clock(lambda: 100.0)
    with pytest.raises(ValueError, match="forward"):
        clock.advance(seconds)
    assert clock.now() == 100.0
