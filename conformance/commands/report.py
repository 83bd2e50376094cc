"""`mlconform report`: reports of finished runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from mlconform.conformance.report import combine, diff
from mlconform.conformance.report.exit_code import ExitCode
from mlconform.conformance.report.publication import published
from mlconform.conformance.report.render import render, write
from mlconform.conformance.report.stream import read
from mlconform.conformance.report.verdicts import Judgement, judge

_FORMAT: Final = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    show_default=True,
    help="form of what is printed",
)


@click.group("report")
def command() -> None:
    """Reports of finished runs; a run is given as its run.ndjson or the folder that holds it."""


@command.command("render")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="folder for the reports  [default: beside the stream]"
)
def render_reports(run: Path, out: Path | None) -> None:
    """Make the reports again from RUN."""
    stream = _stream(run)
    _, paths = render(stream, out or stream.parent)
    click.echo(str(paths.html))


@command.command("publish")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="folder for the reports")
def publish(run: Path, out: Path) -> None:
    """Make the reports of RUN for everybody: without how somebody is let in (SECURITY.md), and without paths
    of files."""
    click.echo(str(write(judge(published(read(_stream(run)))), out).html))


@command.command("diff")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--allow-undecided", is_flag=True, help="what is no longer decided is no regression")
@_FORMAT
def show_difference(before: Path, after: Path, allow_undecided: bool, form: str) -> None:
    """What changed between two runs.

    A regression is what got worse, a new requirement that fails, and what is no longer decided. Exit code
    0: none; 1: at least one; 2: a file is no run.
    """
    first, second = _judged(before), _judged(after)
    found = diff.compare(first, second)
    show = {"text": diff.to_text, "json": diff.to_json, "html": diff.to_html}[form]
    click.echo(show(found, first, second), nl=False)
    regressions = found.regressions(allow_undecided=allow_undecided)
    if regressions:
        click.echo(f"mlconform: {len(regressions)} regressions", err=True)
    sys.exit(int(ExitCode.NOT_CONFORMANT) if regressions else 0)


@command.command("combine")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@_FORMAT
def show_matrix(runs: tuple[Path, ...], form: str) -> None:
    """Runs as one matrix, requirement by target; those of one target are shards of one run.

    Exit code 0: nothing fails anywhere; 1: something does; 2: a file is no run; 4: an error of our own in
    one of them; 5: one is incomplete.
    """
    matrix = combine.combine(map(_judged, runs))
    show = {"text": combine.to_text, "json": combine.to_json, "html": combine.to_html}[form]
    click.echo(show(matrix), nl=False)
    sys.exit(int(matrix.exit_code))


def _judged(run: Path) -> Judgement:
    return judge(read(_stream(run)))


def _stream(run: Path) -> Path:
    return run / "run.ndjson" if run.is_dir() else run
