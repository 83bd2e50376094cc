"""What is published tells that somebody is let in, and not how."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mlconform.conformance.cli import main
from mlconform.conformance.report.events import ExchangeRecord
from mlconform.conformance.report.publication import WITHHELD, published, withheld
from mlconform.conformance.report.stream import EventWriter, gather

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


@pytest.mark.parametrize(
    "path",
    ["/var/lib/search/logs", "/usr/share/search", "/home/me/search-3/data", "C:\\\\search\\\\logs"],
)
def test_evidence_shows_no_path_of_the_servers_files(build: Any, path: str) -> None:
    body = f'{{"home": "{path}", "args": ["-javaagent:{path}"], "port": 9200}}'
    met = replace(HOW, response_body=body, curl="curl http://x/_nodes")
    failed = replace(build.check(build.decide("fail", "osml.a.x")), exchanges=(met,))
    run = build.run(build.requirement("osml.a.x"), failed)
    (check,) = published(run).checks
    shown = check.exchanges[0].response_body
    assert shown == '{"home": "(a file)", "args": ["-javaagent:(a file)"], "port": 9200}'


def test_addresses_are_no_files(build: Any) -> None:
    met = replace(HOW, url="http://x:1/var/tmp/_search", curl="curl http://x/home/me/_doc")
    failed = replace(build.check(build.decide("fail", "osml.a.x")), exchanges=(met,))
    run = build.run(build.requirement("osml.a.x"), failed)
    assert published(run) == run


def test_how_the_run_is_repeated_names_no_file(build: Any) -> None:
    header = replace(build.header(), options=("--restart-command", "/srv2/restart node", "--seed", "1"))
    assert published(gather([header])).header.options == (
        "--restart-command",
        "(a file) node",
        "--seed",
        "1",
    )
