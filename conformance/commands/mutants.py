"""`mlconform mutants`: can the checks fail?"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from mlconform.conformance.mutants import faults
from mlconform.conformance.report.exit_code import ExitCode


@click.command("mutants")
@click.option("--matrix", is_flag=True, help="every check that kills a mutant, and not the first alone")
@click.option("--json", "as_json", is_flag=True, help="as JSON")
@click.option("--answers", is_flag=True, help="make every member of every answer wrong instead")
@click.option("--share", type=click.FloatRange(0, 100), default=100.0, help="percent of the answers' mutants")
@click.option("--seed", type=int, default=0, help="which they are")
@click.option("--out", type=click.Path(path_type=Path), help="folder for answers.json and answers.md")
@click.option(
    "--compare",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="an answers.json: fail where something is not noticed that was",
)
@click.argument("names", nargs=-1)
def command(
    matrix: bool,
    as_json: bool,
    answers: bool,
    share: float,
    seed: int,
    out: Path | None,
    compare: Path | None,
    names: tuple[str, ...],
) -> None:
    """Put one deliberate fault after another into the mock and see whether its checks notice.

    NAMES are faults; with --answers, globs over the operations whose answers are made wrong.
    """
    if answers:
        sys.exit(_answers(share, seed, names, as_json=as_json, out=out, compare=compare))
    results = faults.run_mutants(names, every_killer=matrix)
    click.echo(faults.as_json(results) if as_json else faults.table(results, matrix=matrix))
    sys.exit(0 if all(result.killed for result in results) else int(ExitCode.NOT_CONFORMANT))


def _answers(
    share: float,
    seed: int,
    operations: Sequence[str],
    *,
    as_json: bool,
    out: Path | None,
    compare: Path | None,
) -> int:
    from mlconform.conformance.mutants import page  # noqa: PLC0415 - the other mutants need none of it
    from mlconform.conformance.mutants.answers import score  # noqa: PLC0415

    found = score(
        share=share / 100,
        seed=seed,
        workers=os.cpu_count() or 1,
        requirements=share == 100 and not operations,
        operations=operations,
    )
    click.echo(page.as_json(found) if as_json else page.summary(found))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "answers.json").write_text(page.as_json(found), encoding="utf-8")
        (out / "answers.md").write_text(page.as_page(found), encoding="utf-8")
    lost = [] if compare is None else page.fallen(found, compare.read_text(encoding="utf-8"))
    for each in lost:
        click.echo(f"no longer noticed: {each}", err=True)
    return int(ExitCode.NOT_CONFORMANT) if lost else 0
