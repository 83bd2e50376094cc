"""What pytest shows of a check."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlconform.conformance.report.events import CheckFinished, Decision, Outcome
from mlconform.conformance.report.presentation import BODY_LIMIT
from mlconform.conformance.running.judging import Judging
from mlconform.conformance.running.options import RunOptions
from mlconform.conformance.running.shown import failure


def told(out: Path | None, log: str) -> str:
    judging = Judging(RunOptions(profile="nugen", out=out))
    (first, *_) = judging.listed("nugen")
    decision = Decision(first.id, Outcome.ERROR, reason="it broke")
    return failure(CheckFinished("a::check", "nugen", 0.1, (decision,), log=log), judging)


@pytest.mark.parametrize(
    ("out", "log", "says"),
    [
        (None, "x" * (BODY_LIMIT + 1), True),
        (Path("out"), "x" * (BODY_LIMIT + 1), False),
        (None, "x", False),
    ],
    ids=["no folder", "a folder", "nothing cut"],
)
def test_what_is_cut_says_how_to_have_the_whole(out: Path | None, log: str, says: bool) -> None:
    assert ("it is written where --ml-out DIR is given" in told(out, log)) is says
