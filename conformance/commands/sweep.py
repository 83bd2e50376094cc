"""`mlconform sweep`: remove what runs that died left behind."""

from __future__ import annotations

import sys
from typing import Any

import click

from mlconform.conformance.commands.access import access_options, max_rate_option
from mlconform.conformance.report.exit_code import ExitCode
from mlconform.conformance.running.options import check_max_rate
from mlconform.conformance.targets import opensearch_sweep
from mlconform.conformance.targets.access_options import AccessOptions
from mlconform.conformance.targets.connect import TargetOptions, connect
from mlconform.conformance.targets.turns import PREFIX, alive_prefixes


@click.command("sweep")
@click.option("--target", required=True, help="the URL of a server")
@click.option("--force", is_flag=True, help="remove also what runs have made that are still at work")
@max_rate_option
@access_options
@click.option("--insecure", is_flag=True, help="do not verify TLS certificates")
def command(target: str, insecure: bool, force: bool, max_rate: float | None, **access: Any) -> None:
    """Remove what runs that died left on an OpenSearch cluster."""
    check_max_rate(max_rate)
    given = AccessOptions.taken_from(access.__getitem__)
    options = TargetOptions(target=target, insecure=insecure, max_rate=max_rate, access=given)
    session = connect("opensearch-ml", options)
    at_work = {} if force else alive_prefixes(session)
    removed, complaints = opensearch_sweep.sweep(session, PREFIX, spare=tuple(at_work))
    for line in removed:
        click.echo(f"removed {line}")
    for mark in at_work.values():
        click.echo(f"left alone: what belongs to {mark}; --force removes it too")
    click.echo(f"{len(removed)} removed, {len(complaints)} left")
    if complaints:
        click.echo(f"mlconform: {'; '.join(complaints)}", err=True)
        sys.exit(int(ExitCode.NOT_CONFORMANT))
