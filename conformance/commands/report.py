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
@click.argument("stream", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="folder for the reports  [default: beside the stream]"
)
def render_reports(stream: Path, out: Path | None) -> None:
    """Make the reports again from a run.ndjson."""
    _, paths = render(stream, out or stream.parent)
    click.echo(str(paths.html))


@command.command("diff")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def show_difference(before: Path, after: Path, as_json: bool) -> None:
    """What changed between two runs; exit code 1 where something got worse."""
    first, second = judge(read(before)), judge(read(after))
    found = diff.compare(first, second)
    show = diff.to_json if as_json else diff.to_text
    click.echo(show(found, first, second))
    sys.exit(int(ExitCode.NOT_CONFORMANT) if found.worse else 0)
