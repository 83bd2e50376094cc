"""report.html as a real browser shows it: at three widths, dark and on paper, and by keyboard."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlconform.conformance.report import combine, diff
from mlconform.conformance.report.events import Outcome
from mlconform.conformance.report.html import render
from mlconform.conformance.report.reproduction import reproductions
from mlconform.conformance.report.stream import Run
from mlconform.conformance.report.verdicts import Judgement, judge

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NODE = shutil.which("node")
DRIVER = Path(__file__).parent / "browser"

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="needs chromium or google-chrome on the path"),
    pytest.mark.skipif(NODE is None, reason="needs node on the path"),
    pytest.mark.skipif(
        not (DRIVER / "node_modules").is_dir(), reason="needs `npm ci --prefix tests/report/browser`"
    ),
]
Looker = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def look(tmp_path: Path) -> Looker:
    """What a browser sees of a page, or of the report of a run, in each of these looks (see
    `browser/look.mjs`)."""

    def look(shown: Run | str, *looks: dict[str, Any]) -> list[dict[str, Any]]:
        page = tmp_path / "report.html"
        page.write_text(shown if isinstance(shown, str) else report(shown), encoding="utf-8")
        asked = {"executable": BROWSER, "page": page.as_uri(), "looks": looks}
        ended = subprocess.run(
            [str(NODE), str(DRIVER / "look.mjs")],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        seen: list[dict[str, Any]] = json.loads(ended.stdout)
        assert [each["errors"] for each in seen] == [[] for _ in looks]
        return seen

    return look


def report(run: Run) -> str:
    judgement = judge(run)
    return render(judgement, reproductions(judgement))


def of_two_runs(sample: Run, compared: Callable[[Judgement, Judgement], str]) -> str:
    """A page on the sample and on a run of another server that knows half of it, and fails elsewhere."""
    checks = tuple(
        replace(check, decisions=tuple(replace(each, outcome=Outcome.FAIL) for each in check.decisions))
        for check in sample.checks[::3]
    )
    header = replace(sample.header, target="http://192.0.2.1:9200")
    return compared(judge(sample), judge(replace(sample, header=header, checks=checks)))


PAGES: dict[str, Callable[[Run], str]] = {
    "report": report,
    "diff": lambda run: of_two_runs(run, lambda *both: diff.to_html(diff.compare(*both), *both)),
    "matrix": lambda run: of_two_runs(run, lambda *both: combine.to_html(combine.combine(both))),
}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_axe_finds_nothing(sample: Run, look: Looker, page: Callable[[Run], str]) -> None:
    looks = [
        {"width": width, "scheme": scheme, "media": media, "ask": "axe"}
        for width in (400, 800, 1280)
        for scheme, media in (("light", "screen"), ("dark", "screen"), ("light", "print"))
    ]
    for asked, seen in zip(looks, look(page(sample), *looks), strict=True):
        assert seen["violations"] == [], asked
        assert seen["checked"] > 15
        assert seen["width"] <= asked["width"], asked


def test_nothing_is_wider_than_a_phone_whatever_was_sent(hostile_run: Run, look: Looker) -> None:
    (seen,) = look(hostile_run, {"width": 375})
    assert seen["width"] <= 375
    assert seen["title"] == "Not conformant: http://127.0.0.1:9200"


def test_findings_are_on_the_first_screen(sample: Run, look: Looker) -> None:
    wide, phone = look(sample, {"width": 1200}, {"width": 400})
    assert wide["firstFinding"] < 900
    assert phone["firstFinding"] < 1200


def test_it_is_dark_where_the_reader_is(sample: Run, look: Looker) -> None:
    light, dark = look(sample, {}, {"scheme": "dark"})
    assert light["background"] != dark["background"]


def test_the_state_of_the_filter_is_in_the_address(sample: Run, look: Looker) -> None:
    every, fails, words, clicked, pressed = look(
        sample,
        {},
        {"hash": "#verdict=fail"},
        {"hash": "#words=delete.group"},
        {"steps": [{"click": ".counts .fail a"}]},
        {"steps": [{"click": "button.pass"}]},
    )
    assert (every["rows"], fails["rows"], words["rows"], clicked["rows"]) == (57, 2, 1, 2)
    assert pressed["rows"] == 11
    assert pressed["hash"].startswith("#verdict=fail,")
    assert "pass" not in pressed["hash"]


def test_the_keyboard_alone_filters(sample: Run, look: Looker) -> None:
    (by_link, by_words) = look(
        sample,
        {"steps": [{"press": "Tab"}, {"press": "Enter"}]},
        {"steps": [{"focus": "input[type=search]"}, {"type": "delete.group"}]},
    )
    assert by_link["hash"] == "#verdict=fail"
    assert by_link["rows"] == 2
    assert by_words["hash"] == "#words=delete.group"
    assert by_words["rows"] == 1
