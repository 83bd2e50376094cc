"""`mlconform endpoint`: the model behind a run's connectors, as a process."""

from __future__ import annotations

import threading

import click

from mlconform.conformance.targets.endpoint import ModelEndpoint


@click.command("endpoint")
@click.option("--host", default="127.0.0.1", show_default=True, help="address under which it is reached")
@click.option("--port", default=0, show_default="any that is free")
def command(host: str, port: int) -> None:
    """Serve the model that connectors point at until interrupted; the first line is its address."""
    endpoint = ModelEndpoint(host, port)
    # Asking for the address of the model starts its server.
    if endpoint.url:
        click.echo(endpoint.address)
    try:
        threading.Event().wait()
    finally:
        endpoint.close()
