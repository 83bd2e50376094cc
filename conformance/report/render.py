"""All files of a report, from run.ndjson alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.report import html, junit, markdown
from conformance.report.events import Waiver
from conformance.report.exit_code import ReportError
from conformance.report.stream import read
from conformance.report.verdicts import Judgement, judge


@dataclass(frozen=True, slots=True)
class Paths:
    """The files of a report."""

    html: Path
    markdown: Path
    junit: Path


def render(run_path: Path, out: Path, waivers: Sequence[Waiver] | None = None) -> tuple[Judgement, Paths]:
    """Writes report.html, report.md and junit.xml into the folder `out`, which is made if need be.

    `waivers` take the place of those that the run was given. Raises `ReportError` where `run_path`
    is no run, or where the files can't be written.
    """
    judgement = judge(read(run_path), waivers)
    paths = Paths(html=out / "report.html", markdown=out / "report.md", junit=out / "junit.xml")
    contents = {
        paths.html: html.render(judgement),
        paths.markdown: markdown.render(judgement),
        paths.junit: junit.render(judgement),
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path, content in contents.items():
            path.write_text(content, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ReportError(f"{out}: can't be written ({error}); choose another folder") from error
    return judgement, paths
