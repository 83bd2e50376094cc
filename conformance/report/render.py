"""All files of a report, from run.ndjson alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlconform.conformance.report import html, junit, markdown, sarif, summary
from mlconform.conformance.report.events import Waiver
from mlconform.conformance.report.exit_code import ReportError
from mlconform.conformance.report.reproduction import reproductions
from mlconform.conformance.report.stream import read
from mlconform.conformance.report.verdicts import Judgement, judge

SCRIPTS = "findings"
"""The folder beside a report that holds a script for each finding."""


@dataclass(frozen=True, slots=True)
class Paths:
    """The files of a report; `scripts` is a folder."""

    html: Path
    markdown: Path
    junit: Path
    sarif: Path
    summary: Path
    scripts: Path


def render(run_path: Path, out: Path, waivers: Sequence[Waiver] | None = None) -> tuple[Judgement, Paths]:
    """Writes the reports of a file into the folder `out`; `waivers` take the place of those of the run.

    Raises `ReportError` where `run_path` is no run, or where the files can't be written.
    """
    judgement = judge(read(run_path), waivers)
    return judgement, write(judgement, out)


def write(judgement: Judgement, out: Path) -> Paths:
    """Writes all files of a report into the folder `out`, which is made if need be; raises `ReportError`."""
    paths = Paths(
        html=out / "report.html",
        markdown=out / "report.md",
        junit=out / "junit.xml",
        sarif=out / "report.sarif",
        summary=out / "summary.json",
        scripts=out / SCRIPTS,
    )
    scripts = reproductions(judgement)
    contents = {
        paths.html: html.render(judgement, scripts),
        paths.markdown: markdown.render(judgement, scripts),
        paths.junit: junit.render(judgement, scripts),
        paths.sarif: sarif.render(judgement),
        paths.summary: summary.render(judgement),
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path, content in contents.items():
            path.write_text(content, encoding="utf-8", newline="\n")
        _write_scripts(paths.scripts, scripts)
    except OSError as error:
        raise ReportError(f"{out}: can't be written ({error}); choose another folder") from error
    return paths


def _write_scripts(folder: Path, scripts: Mapping[str, str]) -> None:
    """A file for each; those of the run before go away."""
    for old in folder.glob("*.sh"):
        old.unlink()
    if scripts:
        folder.mkdir(exist_ok=True)
    for name, script in scripts.items():
        # What a server sent may hold what no encoding has.
        text = f"#!/usr/bin/env bash\n{script}".encode("utf-8", "backslashreplace")
        (folder / f"{name}.sh").write_bytes(text)
