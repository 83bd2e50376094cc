"""Ctrl-C that is never lost."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from mlconform.conformance.targets import interruption


@pytest.fixture(autouse=True)
def _heard() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with interruption.heard():
        yield
    signal.signal(signal.SIGINT, before)


def test_what_was_begun_is_done_before_it_is_raised() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), interruption.put_off():
        signal.raise_signal(signal.SIGINT)
        done.append("all of it")
    assert done == ["all of it"]


def test_one_that_was_put_off_is_raised_once() -> None:
    with pytest.raises(KeyboardInterrupt), interruption.put_off():
        signal.raise_signal(signal.SIGINT)
    with interruption.put_off():
        pass


def test_afterwards_it_is_raised_where_it_comes() -> None:
    with interruption.put_off():
        pass
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
