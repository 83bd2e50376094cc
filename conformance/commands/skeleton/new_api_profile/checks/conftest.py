"""The fixtures of the suite."""

from __future__ import annotations

from mlconform.conformance.suites.conftest import (
    contract,
    expect,
    explore,
    judging,
    session,
    target,
)

__all__ = ["contract", "expect", "explore", "judging", "session", "target"]
