"""`mlconform mutants`: can the checks fail?"""

from __future__ import annotations

import sys

import click

from conformance.mutants import faults as mutants
from conformance.report.exit_code import ExitCode


@click.command("mutants")
@click.option("--matrix", is_flag=True, help="which check killed which mutant")
@click.option("--json", "as_json", is_flag=True, help="as JSON")
@click.argument("names", nargs=-1)
def command(matrix: bool, as_json: bool, names: tuple[str, ...]) -> None:
    """Put one deliberate fault after another into the mock and see whether its checks notice."""
    results = mutants.run_mutants(names)
    click.echo(mutants.as_json(results) if as_json else mutants.table(results, matrix=matrix))
    sys.exit(0 if all(result.killed for result in results) else int(ExitCode.NOT_CONFORMANT))
