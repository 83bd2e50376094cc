"""What is published tells that somebody is let in, and not how."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from mlconform.conformance.cli import main
from mlconform.conformance.report.events import ExchangeRecord
from mlconform.conformance.report.publication import WITHHELD, withheld
from mlconform.conformance.report.stream import EventWriter

HOW = ExchangeRecord(
    "DELETE", "http://x/secret-way-in", 0.1, None, None, 200, None, "opened", curl="curl way-in"
)


def events(build: Any, impact: str) -> list[Any]:
    listed = replace(build.requirement("osml.access.x"), impact=impact)
    failed = build.decide("fail", "osml.access.x", expected="refused", came="opened")
    return [listed, replace(build.check(failed), exchanges=(HOW,))]


def test_the_evidence_of_a_grave_finding_is_withheld(build: Any) -> None:
    (check,) = withheld(build.run(*events(build, "lets somebody in"))).checks
    assert check.exchanges == ()
    assert [(each.expected, each.came) for each in check.decisions] == [("refused", WITHHELD)]


def test_that_of_any_other_stays(build: Any) -> None:
    run = build.run(*events(build, "wrong answer"))
    assert withheld(run) == run


def test_no_file_that_is_published_shows_it(build: Any, tmp_path: Path) -> None:
    writer = EventWriter(tmp_path / "run.ndjson")
    for event in (build.header(), *events(build, "lets somebody in")):
        writer.write(event)
    writer.close()
    done = CliRunner().invoke(main, ["report", "publish", str(tmp_path), "--out", str(tmp_path / "public")])
    assert done.exit_code == 0, done.output
    files = [path for path in (tmp_path / "public").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".html", ".md", ".xml", ".sarif", ".json"}
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert "osml.access.x" in text
        assert "way-in" not in text and "opened" not in text, path
