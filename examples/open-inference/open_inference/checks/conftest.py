"""The fixtures of the suite, and the one that every check of the protocol begins with."""

from __future__ import annotations

import pytest

from mlconform.conformance.suites.conftest import (
    contract,
    expect,
    explore,
    judging,
    session,
    target,
)
from mlconform.conformance.targets.session import Session
from open_inference.api import OpenInference

__all__ = ["contract", "expect", "explore", "judging", "session", "target"]


@pytest.fixture
def v2(session: Session) -> OpenInference:
    return OpenInference(session)
