"""report.html as a real browser shows it: at the width of a phone, with hostile text, with its filter."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from conformance.report.html import render
from conformance.report.stream import Run
from conformance.report.verdicts import judge

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs chromium or google-chrome on the path")

# The report runs in a frame under its own policy; the page around it looks in from outside.
PROBE = """<!doctype html><meta charset="utf-8">
<iframe width="{width}" height="800" srcdoc="{report}"></iframe>
<pre id="seen"></pre><script>addEventListener("load", () => {{
  const page = document.querySelector("iframe").contentDocument;
  const rows = () => page.querySelectorAll("tr.row:not([hidden])").length;
  const seen = {{
    title: page.title,
    width: page.documentElement.scrollWidth,
    filter: getComputedStyle(page.querySelector(".filter")).display,
    background: getComputedStyle(page.body).backgroundColor,
    rows: rows(),
  }};
  page.querySelector("button.pass").click();
  seen.withoutPass = rows();
  const search = page.querySelector("input[type=search]");
  search.value = "delete GROUP";
  search.dispatchEvent(new Event("input"));
  seen.found = rows();
  document.querySelector("#seen").textContent = JSON.stringify(seen);
}});</script>"""


def look(run: Run, tmp_path: Path, width: int = 1200) -> dict[str, Any]:
    """What a script outside the report sees of it in a frame of this width."""
    probe = tmp_path / "probe.html"
    report = html.escape(render(judge(run)))
    probe.write_text(PROBE.format(width=width, report=report), encoding="utf-8")
    assert BROWSER is not None
    done = subprocess.run(
        [
            BROWSER,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--virtual-time-budget=5000",
            "--dump-dom",
            probe.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = re.search(r'<pre id="seen">(.+?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr
    seen: dict[str, Any] = json.loads(html.unescape(found[1]))
    return seen


@pytest.mark.parametrize("name", ["sample", "hostile_run"])
def test_nothing_is_wider_than_a_phone(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    assert look(request.getfixturevalue(name), tmp_path, width=375)["width"] <= 375


def test_hostile_text_does_not_run(hostile_run: Run, tmp_path: Path) -> None:
    assert look(hostile_run, tmp_path)["title"] == "Not conformant: http://127.0.0.1:9200"


def test_its_own_style_and_script_do_run(sample: Run, tmp_path: Path) -> None:
    seen = look(sample, tmp_path)
    assert seen["filter"] == "flex"
    assert seen["background"] != "rgba(0, 0, 0, 0)"


def test_the_filter_hides_rows_by_verdict_and_by_words(sample: Run, tmp_path: Path) -> None:
    seen = look(sample, tmp_path)
    assert (seen["rows"], seen["withoutPass"], seen["found"]) == (57, 11, 1)
