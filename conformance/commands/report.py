"""`mlconform report`: reports of finished runs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from conformance.report import diff
from conformance.report.exit_code import ExitCode
from conformance.report.render import render
from conformance.report.stream import read
from conformance.report.verdicts import judge


@click.group("report")
def command() -> None:
    """Reports of finished runs."""


@command.command("render")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="folder for the reports  [default: beside the stream]"
)
def render_reports(run: Path, out: Path | None) -> None:
    """Make the reports again from RUN, a run.ndjson or the folder that holds it."""
    stream = _stream(run)
    _, paths = render(stream, out or stream.parent)
    click.echo(str(paths.html))


@command.command("diff")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def show_difference(before: Path, after: Path, as_json: bool) -> None:
    """What changed between two runs, each a run.ndjson or its folder; 1 where something got worse."""
    first, second = judge(read(_stream(before))), judge(read(_stream(after)))
    found = diff.compare(first, second)
    show = diff.to_json if as_json else diff.to_text
    click.echo(show(found, first, second))
    sys.exit(int(ExitCode.NOT_CONFORMANT) if found.worse else 0)


def _stream(run: Path) -> Path:
    return run / "run.ndjson" if run.is_dir() else run
