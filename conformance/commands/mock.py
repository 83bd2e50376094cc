"""`mlconform mock`: the reference mock as a process."""

from __future__ import annotations

import click

from conformance.commands import PROFILE_HELP
from conformance.outcomes import UsageError
from mock_server import (
    DEFAULT_DOCS_VERSION,
    DEFAULT_NODES,
    DEFAULT_PASSWORD,
    USERS,
    MockServer,
    Security,
)
from mock_server.asgi import serve


@click.command("mock")
@click.option("--profile", default="all", show_default=True, help=PROFILE_HELP)
@click.option(
    "--docs-version",
    show_default=f"{DEFAULT_DOCS_VERSION}, or the recorded version's own",
    help="documentation version to behave by",
)
@click.option(
    "--behaviour", default="documented", show_default=True, help="documented, or a recorded version"
)
@click.option("--nodes", default=DEFAULT_NODES, show_default=True, help="nodes of the cluster")
@click.option(
    "--progress", default="time", show_default=True, help="when tasks end: time, immediate, or after N reads"
)
@click.option("--seed", default=0, show_default=True, help="chooses ids and chances")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=9280, show_default=True)
@click.option("--mutant", help="put this fault in")
@click.option("--security", is_flag=True, help="a cluster with users, roles and access control")
@click.option(
    "--password",
    envvar="MLCONFORM_MOCK_PASSWORD",
    default=DEFAULT_PASSWORD,
    show_default=True,
    help="of every user of --security; better in MLCONFORM_MOCK_PASSWORD",
)
def command(
    profile: str,
    docs_version: str | None,
    behaviour: str,
    nodes: int,
    progress: str,
    seed: int,
    host: str,
    port: int,
    mutant: str | None,
    security: bool,
    password: str,
) -> None:
    """Serve the reference mock over HTTP until interrupted."""
    profiles = ("opensearch-ml", "nugen") if profile == "all" else (profile,)
    try:
        server = MockServer(
            profiles=profiles,
            docs_version=docs_version,
            behaviour=behaviour,
            nodes=nodes,
            mutant=mutant,
            progress=progress,
            seed=seed,
            security=Security(password) if security else None,
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
    if server.notice is not None:
        click.echo(f"mlconform: {server.notice}", err=True)
    if security:
        shown = "as given" if password != DEFAULT_PASSWORD else password
        click.echo(f"users {', '.join(USERS)}; password {shown}")
    try:
        serve(
            server,
            host,
            port,
            lambda url: click.echo(f"mock of {profile} ({behaviour}) at {url}; stop with Ctrl-C"),
        )
    except (OSError, OverflowError) as error:
        raise UsageError(f"the mock cannot listen at {host} port {port}: {error}; choose another") from error
