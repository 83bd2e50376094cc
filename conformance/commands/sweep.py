"""`mlconform sweep`: remove what runs that died left behind."""

from __future__ import annotations

import sys

import click

from conformance.report.exit_code import ExitCode
from conformance.targets import opensearch_ml
from conformance.targets.connect import PREFIX, TargetOptions, connect


@click.command("sweep")
@click.option("--target", required=True, help="the URL of a server")
@click.option("--insecure", is_flag=True, help="do not verify TLS certificates")
def command(target: str, insecure: bool) -> None:
    """Remove what runs that died left on an OpenSearch cluster."""
    session = connect("opensearch-ml", TargetOptions(target=target, insecure=insecure))
    removed, complaints = opensearch_ml.sweep(session, PREFIX)
    for line in removed:
        click.echo(f"removed {line}")
    click.echo(f"{len(removed)} removed, {len(complaints)} left")
    if complaints:
        click.echo(f"mlconform: {'; '.join(complaints)}", err=True)
        sys.exit(int(ExitCode.NOT_CONFORMANT))
