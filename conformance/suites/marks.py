"""The two marks of a check: what it decides, and whether it must run alone."""

from __future__ import annotations

import pytest

REQUIREMENT = "requirement"
EXCLUSIVE = "exclusive"

exclusive = pytest.mark.exclusive


def requirement(*ids: str) -> pytest.MarkDecorator:
    """Bind a check to the requirements that it decides, by id."""
    return pytest.mark.requirement(*ids)
