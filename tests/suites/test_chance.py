"""What depends on chance is tried so often that it is not missed."""

from __future__ import annotations

from mlconform.conformance.suites.explore import TRIES


def test_a_fault_of_one_in_ten_is_missed_in_less_than_one_of_a_hundred_runs() -> None:
    assert 0.9**TRIES < 0.01
