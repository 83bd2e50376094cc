"""On a real node a run leaves everything as it found it, and after one that was killed a sweep does."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
# Where the kit keeps what it assembled; our other tests have a cache of their own.
CACHE = os.environ.get("XDG_CACHE_HOME", "")
pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def sharing() -> Iterator[Any]:
    """`benchmarks/sharing.py`, which finds what it needs beside it."""
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("sharing")
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def node(sharing: Any) -> Iterator[Any]:
    """A node with things and settings of somebody's own."""
    if not sharing.KIT.exists():
        pytest.skip(f"there is no kit at {sharing.KIT}: name it with REAL_NODE")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", CACHE)
        with sharing.started("3.4.0", "mlconform-test", 19371) as node:
            sharing.settle_in(node)
            yield node


def test_a_run_leaves_everything_as_it_was(sharing: Any, node: Any) -> None:
    assert sharing.tried(node, sharing.alone) == []


def test_a_sweep_takes_away_what_a_killed_run_left(sharing: Any, node: Any) -> None:
    def killed(node: Any) -> Any:
        yield from sharing.killed(node, sharing.while_a_check_has_changed_settings, by_force=True)

    assert sharing.tried(node, killed) == []
