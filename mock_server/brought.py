"""Halves of the mock that other packages bring with their profiles, found by their entry points.

[project.entry-points."mlconform.mocks"]
open-inference = "open_inference.mock:OpenInference"
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Protocol

from mlconform.mock_server.clock import Clock
from mlconform.mock_server.core import Profile

GROUP = "mlconform.mocks"


class MakeProfile(Protocol):
    """Makes the half of a mock that speaks one API."""

    def __call__(self, clock: Clock, *, seed: int) -> Profile: ...


@cache
def brought() -> Mapping[str, MakeProfile]:
    """What is installed, by the name of the profile."""
    return {entry.name: entry.load() for entry in entry_points(group=GROUP)}
