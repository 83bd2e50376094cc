"""`mlconform run`: judge a target."""

from __future__ import annotations

import atexit
import gc
import signal
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from mlconform.conformance.commands import PROFILE_HELP
from mlconform.conformance.commands.access import access_options, max_rate_option
from mlconform.conformance.report.summary import render
from mlconform.conformance.report.terminal import print_summary
from mlconform.conformance.report.verdicts import Judgement
from mlconform.conformance.running.options import SERVER_WORKERS, RunOptions, parse_level
from mlconform.conformance.running.run import run as run_suite
from mlconform.conformance.targets.access_options import AccessOptions
from mlconform.conformance.targets.connect import TargetOptions, split_targets


@click.command("run")
@click.option(
    "--target",
    "targets",
    multiple=True,
    show_default="mock",
    help="mock, or the URL of a server; again for further nodes of its cluster",
)
@click.option("--profile", default="all", show_default=True, help=PROFILE_HELP)
@click.option("--docs-version", help="documentation version to judge by  [default: the target's]")
@click.option(
    "--level",
    default="documented",
    show_default=True,
    help="weakest level that fails: documented, example, observed",
)
@click.option(
    "--select",
    default="",
    help="judge these alone: globs over requirement ids and check names, comma-separated; ! leaves out",
)
@click.option(
    "--max-wait",
    default=120.0,
    show_default=True,
    help="seconds of real time that one check may wait, or repeat what chance decides (at most 15)",
)
@max_rate_option
@click.option("--seed", default=0, show_default=True, help="seed of everything generated")
@click.option(
    "--workers",
    type=int,
    help=f"processes for the checks that need not run alone, on the mock for all  "
    f"[default: {SERVER_WORKERS} for the whole suite on a server, on the mock one a processor, else 1]",
)
@click.option("--known", help="known deviations of a recorded version, as waivers")
@click.option("--waivers", type=click.Path(path_type=Path, dir_okay=False), help="a YAML list of waivers")
@click.option(
    "--require-decided", type=float, metavar="PERCENT", help="fail when fewer requirements were decided"
)
@click.option(
    "--allow-settings",
    is_flag=True,
    help="allow changes of cluster settings on a server that is not on loopback",
)
@click.option(
    "--endpoint-host",
    default="127.0.0.1",
    show_default=True,
    help="address under which the server reaches this machine",
)
@click.option(
    "--wait-for-turn",
    type=float,
    default=0.0,
    show_default=True,
    help="seconds to wait for another run to leave the cluster",
)
@click.option(
    "--restart-command", metavar="COMMAND", help="restarts the server, e.g. 'docker restart opensearch'"
)
@click.option(
    "--stop-node-command", metavar="COMMAND", help="stops one node of the cluster, not that of --target"
)
@click.option("--start-node-command", metavar="COMMAND", help="starts it again")
@click.option("--model-id", multiple=True, help="model that may be used (nugen); repeatable")
@access_options
@click.option(
    "--user",
    "users",
    multiple=True,
    metavar="NAME=FILE",
    help="credentials of a further user whom the run may act as; repeatable",
)
@click.option("--create-users", is_flag=True, help="allow users of the run's own, through the Security API")
@click.option("--insecure", is_flag=True, help="do not verify TLS certificates")
@click.option("--behaviour", help="let the mock in this process follow a recorded version")
@click.option("--mutant", help="put this fault into the mock in this process")
@click.option("--security", is_flag=True, help="give the mock in this process users; the run is its admin")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("reports/latest"),
    show_default=True,
    help="folder for run.ndjson and the reports",
)
@click.option(
    "--dry-run", is_flag=True, help="say what would be sent, made, changed and left out; write nothing"
)
@click.option("--json", "as_json", is_flag=True, help="how it ended, or a dry run, as JSON on stdout")
@click.option("-q", "--quiet", is_flag=True, help="say nothing but how it ended")
def command(dry_run: bool, as_json: bool, quiet: bool, **given: Any) -> None:
    """Judge a target and write the reports."""
    first, further = split_targets(given["targets"])
    target = TargetOptions(
        target=first,
        further=further,
        max_wait=given["max_wait"],
        max_rate=given["max_rate"],
        allow_settings=given["allow_settings"],
        endpoint_host=given["endpoint_host"],
        model_ids=given["model_id"],
        insecure=given["insecure"],
        wait_for_turn=given["wait_for_turn"],
        restart_command=given["restart_command"],
        stop_node_command=given["stop_node_command"],
        start_node_command=given["start_node_command"],
        docs_version=given["docs_version"],
        behaviour=given["behaviour"],
        mutant=given["mutant"],
        security=given["security"],
        users=given["users"],
        create_users=given["create_users"],
        access=AccessOptions.taken_from(given.__getitem__),
    )
    options = RunOptions(
        target=target,
        profile=given["profile"],
        docs_version=given["docs_version"],
        level=parse_level(given["level"]),
        select=given["select"],
        seed=given["seed"],
        workers=given["workers"],
        known=given["known"],
        waivers=given["waivers"],
        require_decided=given["require_decided"],
        out=given["out"],
    )
    if dry_run:
        from mlconform.conformance.commands.dry_run import dry_run as told_of  # noqa: PLC0415 - a run needs none

        click.echo(told_of(options, as_json=as_json))
        return
    # A CI server ends a job so; what the run made and set is then put back, as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Python would look through all that the run holds for cycles, ten times meanwhile and at the end, and
    # hypothesis is told of every look.
    gc.set_threshold(20_000, 10, 1_000)
    atexit.register(gc.freeze)
    show = _show_json if as_json else print_summary
    sys.exit(run_suite(options, Console(file=sys.stderr if as_json else sys.stdout, quiet=quiet), show))


def _show_json(judgement: Judgement, _report: Path | None) -> None:
    click.echo(render(judgement), nl=False)
