"""What a pytest item is to the suite: a check with a name, a profile, and the requirements it decides."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final

import pytest

from conformance.suites.marks import EXCLUSIVE, REQUIREMENT

PROFILE_OF_FOLDER: Final[Mapping[str, str]] = {"opensearch_ml": "opensearch-ml", "nugen": "nugen"}


def bound_requirements(item: pytest.Item) -> tuple[str, ...]:
    """The ids of all `requirement` marks of a check."""
    return tuple(dict.fromkeys(name for mark in item.iter_markers(REQUIREMENT) for name in mark.args))


def in_worker() -> bool:
    """Whether this process is a worker of pytest-xdist."""
    return "PYTEST_XDIST_WORKER" in os.environ


def is_exclusive(item: pytest.Item) -> bool:
    return item.get_closest_marker(EXCLUSIVE) is not None


def profile_of(item: pytest.Item) -> str | None:
    """The profile whose folder holds the check; None for tests that are not the suite's."""
    if item.path.parent.parent.name != "suites":
        return None
    return PROFILE_OF_FOLDER.get(item.path.parent.name)


def check_name(item: pytest.Item) -> str:
    """Folder, file and function, without the parameters: the name that the contract uses."""
    tail = item.nodeid.partition("::")[2]
    return re.sub(r"\[.*\]$", "", f"{item.path.parent.name}/{item.path.name}::{tail}")
