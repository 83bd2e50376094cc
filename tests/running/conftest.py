"""Whole runs of single checks, in the process of the test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mlconform.conformance.contract.model import Level
from mlconform.conformance.report.stream import read
from mlconform.conformance.report.verdicts import Judgement, judge
from mlconform.conformance.running.options import RunOptions
from mlconform.conformance.running.record import STREAM
from mlconform.conformance.running.run import run
from mlconform.conformance.targets.connect import TargetOptions


@pytest.fixture
def judged(tmp_path: Path) -> Callable[..., Judgement]:
    """Runs the checks of these requirements in this process, and reads the run from disk."""

    def run_checks(select: str, *, level: Level = Level.OBSERVED, **target: Any) -> Judgement:
        options = RunOptions(
            target=TargetOptions(**target),
            profile="opensearch-ml",
            level=level,
            select=select,
            docs_version=target.get("docs_version"),
            out=tmp_path / "out",
        )
        code = run(options, Console(quiet=True))
        judgement = judge(read(tmp_path / "out" / STREAM))
        assert code == judgement.summary.exit_code
        return judgement

    return run_checks
