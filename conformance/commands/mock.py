"""`mlconform mock`: the reference mock as a process."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from mlconform.conformance.commands import PROFILE_HELP
from mlconform.conformance.errors import UsageError
from mlconform.mock_server import (
    DEFAULT_DOCS_VERSION,
    DEFAULT_NODES,
    DEFAULT_PASSWORD,
    PROFILES,
    USERS,
    MockServer,
    Security,
)
from mlconform.mock_server.asgi import serve
from mlconform.mock_server.certificates import certificates
from mlconform.mock_server.core import Handler, Request
from mlconform.mock_server.request_log import LoggedHandler

if TYPE_CHECKING:
    from mlconform.mock_server.recorder import Recorder


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
@click.option("--every-node", is_flag=True, help="a port for each node: --port and those that follow it")
@click.option("--ml-nodes", type=int, help="how many of them are for machine learning; all unless given")
@click.option(
    "--progress", default="time", show_default=True, help="when tasks end: time, immediate, or after N reads"
)
@click.option("--seed", default=0, show_default=True, help="chooses ids and chances")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=9280, show_default=True)
@click.option("--mutant", help="put this fault in")
@click.option("--stubs", type=click.Path(path_type=Path), help="stubs to begin with; with --record, to write")
@click.option(
    "--record", metavar="URL", help="pass requests on to this server and write stubs of its answers"
)
@click.option("--log", type=click.Choice(["requests"]), help="a line on stderr for each request")
@click.option("--security", is_flag=True, help="a cluster with users, roles and access control, over HTTPS")
@click.option(
    "--password",
    envvar="MLCONFORM_MOCK_PASSWORD",
    default=DEFAULT_PASSWORD,
    show_default=True,
    help="of every user of --security; better in MLCONFORM_MOCK_PASSWORD",
)
@click.option("--tls/--no-tls", default=None, help="HTTPS or HTTP; HTTPS with --security, else HTTP")
@click.option(
    "--ca-file", type=click.Path(path_type=Path), help="write the certificate authority of HTTPS there"
)
def command(
    profile: str,
    docs_version: str | None,
    behaviour: str,
    nodes: int,
    every_node: bool,
    ml_nodes: int | None,
    progress: str,
    seed: int,
    host: str,
    port: int,
    mutant: str | None,
    stubs: Path | None,
    record: str | None,
    log: str | None,
    security: bool,
    password: str,
    tls: bool | None,
    ca_file: Path | None,
) -> None:
    """Serve the reference mock over HTTP until interrupted.

    The only line on stdout is its URL, once it listens; with --every-node there is one for each node.
    """
    profiles = PROFILES if profile == "all" else (profile,)
    try:
        server = MockServer(
            profiles=profiles,
            docs_version=docs_version,
            behaviour=behaviour,
            nodes=nodes,
            ml_nodes=ml_nodes,
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
        click.echo(f"users {', '.join(USERS)}; password {shown}", err=True)
    if stubs is not None and record is None:
        _load(server, stubs)
    recorder = None if record is None else _recorder(record, stubs)
    handler: Handler = server if recorder is None else recorder
    what = f"mock of {profile} ({behaviour})" if record is None else f"recorder of {record}"

    try:
        with (
            certificates(host, ca_file) if _wants_tls(tls, security, ca_file) else nullcontext() as certified
        ):
            if certified is not None:
                click.echo(f"certificate authority in {certified.ca_file}", err=True)
            serve(
                _logged(handler, log),
                host,
                port,
                _told(server, what, every_node),
                certified,
                nodes if every_node else 1,
            )
    except (OSError, OverflowError) as error:
        raise UsageError(f"the mock cannot listen at {host} port {port}: {error}; choose another") from error
    if recorder is not None and stubs is not None:
        stubs.write_text(
            json.dumps({"stubs": recorder.stubs}, indent=1, ensure_ascii=False), encoding="utf-8"
        )
        click.echo(f"mlconform: {len(recorder.stubs)} stubs in {stubs}", err=True)


def _told(server: MockServer, what: str, every_node: bool) -> Callable[[str], None]:
    """Says `what` listens and prints each URL at which it does; where each node has one, it publishes it."""
    addresses: list[str] = []

    def tell(url: str) -> None:
        if not addresses:
            click.echo(f"mlconform: {what}; stop with Ctrl-C", err=True)
        addresses.append(urlsplit(url).netloc)
        if every_node:
            server.publish(*addresses)
        click.echo(url)

    return tell


def _logged(handler: Handler, log: str | None) -> Handler:
    return handler if log is None else LoggedHandler(handler, partial(click.echo, err=True))


def _recorder(url: str, stubs: Path | None) -> Recorder:
    from mlconform.mock_server.recorder import Recorder  # noqa: PLC0415 - a fast start

    if stubs is None:
        raise UsageError("--record needs --stubs FILE, where the stubs are written at the end")
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"--record: expected a URL such as http://127.0.0.1:9200, got {url}")
    return Recorder(url)


def _load(server: MockServer, stubs: Path) -> None:
    try:
        content = stubs.read_bytes()
    except OSError as error:
        raise UsageError(f"--stubs: {error}") from error
    answer = server.handle(Request("PUT", "/_mock/stubs", "", {}, content))
    if answer.status != 200:
        raise UsageError(f"--stubs {stubs}: {json.loads(answer.body)['error']}")


def _wants_tls(tls: bool | None, security: bool, ca_file: Path | None) -> bool:
    if tls is False and ca_file is not None:
        raise UsageError("--ca-file is for HTTPS: leave it out, or --no-tls")
    if ca_file is not None and not ca_file.parent.is_dir():
        raise UsageError(f"--ca-file {ca_file}: expected a folder that is there, got {ca_file.parent}")
    return security or ca_file is not None if tls is None else tls
