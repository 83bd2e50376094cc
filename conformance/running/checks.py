"""What a pytest item is to the suite: a check with a name, a profile, and the requirements it decides."""

from __future__ import annotations

import os
import re

import pytest

from mlconform.conformance.suites.marks import EXCLUSIVE, NEEDS, REQUIREMENT
from mlconform.conformance.targets.profiles import profile_of as profile_of_folder


def bound_requirements(item: pytest.Item) -> tuple[str, ...]:
    """The ids of all `requirement` marks of a check."""
    return tuple(dict.fromkeys(name for mark in item.iter_markers(REQUIREMENT) for name in mark.args))


def needed(item: pytest.Item) -> tuple[str, ...]:
    """The capabilities of all `needs` marks of a check."""
    return tuple(dict.fromkeys(name for mark in item.iter_markers(NEEDS) for name in mark.args))


def in_worker() -> bool:
    """Whether this process is a worker of pytest-xdist."""
    return "PYTEST_XDIST_WORKER" in os.environ


def is_exclusive(item: pytest.Item) -> bool:
    return item.get_closest_marker(EXCLUSIVE) is not None


def profile_of(item: pytest.Item) -> str | None:
    """The profile whose folder holds the check; None for tests that are not a suite's."""
    found = profile_of_folder(item.path.parent)
    return None if found is None else found.name


def check_name(item: pytest.Item) -> str:
    """Folder, file and function, without the parameters: the name that the contract uses."""
    tail = item.nodeid.partition("::")[2]
    return re.sub(r"\[.*\]$", "", f"{item.path.parent.name}/{item.path.name}::{tail}")
