"""The marks of a check, or of one of its parameters: what it decides, and whether it must run alone."""

from __future__ import annotations

import pytest

REQUIREMENT = "requirement"
EXCLUSIVE = "exclusive"
WAITS = "waits"
NEEDS = "needs"
FIRST = "first"

exclusive = pytest.mark.exclusive
# Before all checks that make something.
first = pytest.mark.first


def requirement(*ids: str) -> pytest.MarkDecorator:
    """Bind a check to the requirements that it decides, by id."""
    return pytest.mark.requirement(*ids)


def deciding(name: str, *values: object) -> object:
    """Parameters of a check: the id of the one requirement that it decides with them, and the others."""
    return pytest.param(name, *values, marks=requirement(name))


def needs(*capabilities: str) -> pytest.MarkDecorator:
    """A check that is untestable on a target without these: `second node`, `restart` or `move time`."""
    return pytest.mark.needs(*capabilities)


def waits(seconds: float) -> pytest.MarkDecorator:
    """A check that lets so many seconds pass; where they are real, it waits together with others.

    It takes the fixtures `ml` and `expect`, and changes no setting but the interval of the sync-up job.
    """
    return pytest.mark.waits(seconds)
