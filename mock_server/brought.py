"""Halves of the mock that other packages bring with their profiles, found by their entry points.

[project.entry-points."mlconform.mocks"]
open-inference = "open_inference.mock:OpenInference"
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
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
    if not any(_may_bring(Path(place)) for place in sys.path):
        return {}
    from importlib.metadata import entry_points  # noqa: PLC0415 - takes a tenth of the mock's start

    return {entry.name: entry.load() for entry in entry_points(group=GROUP)}


def _may_bring(place: Path) -> bool:
    """Whether packages at this place of `sys.path` name something; an archive is not looked into."""
    files = place.glob("*-info/entry_points.txt")
    return place.is_file() or any(f"[{GROUP}]" in file.read_text(encoding="utf-8") for file in files)
