"""The command `mlconform`: one function a subcommand, and nothing else."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from conformance.contract import build as contract_build
from conformance.contract import coverage as contract_coverage
from conformance.contract import show as contract_show
from conformance.contract import store
from conformance.contract.errors import ContractError
from conformance.outcomes import BrokenAnswer, PrerequisiteMissing, TargetUnreachable, UsageError
from conformance.report.stream import ReportError
from conformance.report.verdicts import ExitCode

PROFILE_HELP = "opensearch-ml, nugen or all"


class _Group(click.Group):
    """Turns the errors of every subcommand into one line and the exit code they stand for."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (UsageError, ContractError, ReportError) as error:
            _fail(str(error), ExitCode.USAGE)
        except (TargetUnreachable, PrerequisiteMissing, BrokenAnswer) as error:
            _fail(str(error), ExitCode.UNREACHABLE)
        except KeyboardInterrupt:
            _fail("interrupted", ExitCode.INCOMPLETE)


def _fail(message: str, code: ExitCode) -> None:
    click.echo(f"mlconform: {message}", err=True)
    sys.exit(int(code))


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mlconform")
def main() -> None:
    """Does this server really do what its model API's documentation says?"""


@main.command()
@click.option("--target", default="mock", show_default=True, help="mock, or the URL of a server")
@click.option("--profile", default="all", show_default=True, help=PROFILE_HELP)
@click.option("--docs-version", help="documentation version to judge by  [default: the target's]")
@click.option(
    "--level",
    default="documented",
    show_default=True,
    help="weakest level that fails: documented, example, observed",
)
@click.option(
    "--select", default="", help="globs over requirement ids and check names, comma-separated; ! leaves out"
)
@click.option(
    "--max-wait", default=120.0, show_default=True, help="seconds of real time that one check may wait"
)
@click.option("--seed", default=0, show_default=True, help="seed of everything generated")
@click.option(
    "--workers", default=1, show_default=True, help="processes for the checks that need not run alone"
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
@click.option("--model-id", multiple=True, help="model that may be used (nugen); repeatable")
@click.option("--insecure", is_flag=True, help="do not verify TLS certificates")
@click.option("--mutant", help="put this fault into the mock in this process")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("reports/latest"),
    show_default=True,
    help="folder for run.ndjson and the reports",
)
def run(**given: Any) -> None:
    """Judge a target and write the reports."""
    from conformance.options import RunOptions, parse_level  # noqa: PLC0415 - the other commands start faster
    from conformance.run import run as run_suite  # noqa: PLC0415
    from conformance.target.connect import TargetOptions  # noqa: PLC0415

    target = TargetOptions(
        target=given["target"],
        max_wait=given["max_wait"],
        allow_settings=given["allow_settings"],
        endpoint_host=given["endpoint_host"],
        model_ids=given["model_id"],
        insecure=given["insecure"],
        docs_version=given["docs_version"],
        mutant=given["mutant"],
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
    # A CI server ends a job so; what the run made and set is then put back, as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(run_suite(options, Console()))


@main.command()
@click.option("--profile", default="all", show_default=True, help=PROFILE_HELP)
@click.option("--docs-version", default="2.19", show_default=True, help="documentation version to behave by")
@click.option(
    "--behaviour", default="documented", show_default=True, help="documented, or a recorded version"
)
@click.option("--nodes", default=1, show_default=True, help="nodes of the cluster")
@click.option(
    "--progress", default="time", show_default=True, help="when tasks end: time, immediate, or after N reads"
)
@click.option("--seed", default=0, show_default=True, help="chooses ids and chances")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=9280, show_default=True)
@click.option("--mutant", help="put this fault in")
def mock(
    profile: str,
    docs_version: str,
    behaviour: str,
    nodes: int,
    progress: str,
    seed: int,
    host: str,
    port: int,
    mutant: str | None,
) -> None:
    """Serve the reference mock over HTTP until interrupted."""
    from mock_server import MockServer  # noqa: PLC0415 - only this command serves
    from mock_server.asgi import serve  # noqa: PLC0415

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
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
    try:
        serve(
            server,
            host,
            port,
            lambda url: click.echo(f"mock of {profile} ({behaviour}) at {url}; stop with Ctrl-C"),
        )
    except (OSError, OverflowError) as error:
        raise UsageError(f"the mock cannot listen at {host} port {port}: {error}; choose another") from error


@main.group()
def contract() -> None:
    """What the documentation promises."""


@contract.command("build")
@click.option(
    "--docs", type=click.Path(path_type=Path), required=True, help="folder of the documentation pages"
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="folder of the overlays and the result  [default: schemas]"
)
def contract_build_command(docs: Path, out: Path | None) -> None:
    """Generate OpenAPI, JSON Schemas and requirements from the pages."""
    for line in contract_build.build(docs, out):
        click.echo(line)


@contract.command("check")
@click.option(
    "--docs",
    type=click.Path(path_type=Path),
    help="folder of the documentation pages; without it the lock alone is verified",
)
def contract_check_command(docs: Path | None) -> None:
    """Fail where the generated files are not what the pages and overlays give."""
    differences = contract_build.check(docs)
    for line in differences:
        click.echo(line, err=True)
    if differences:
        sys.exit(int(ExitCode.USAGE))
    click.echo(
        "contract: rebuilt byte for byte" if docs else "contract: as locked (no pages given, so not rebuilt)"
    )


@contract.command("show")
@click.option("--profile", default="all", show_default=True, help=PROFILE_HELP)
@click.option(
    "--contradictions",
    is_flag=True,
    required=True,
    help="where the documentation contradicts itself, and how it was settled",
)
def contract_show_command(profile: str, contradictions: bool) -> None:
    """Show a part of the contract."""
    click.echo(contract_show.contradictions(_contracts(profile)))


@main.group()
def requirements() -> None:
    """The requirements, and what decides them."""


@requirements.command("list")
@click.option("--profile", default="all", show_default=True, help=PROFILE_HELP)
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def requirements_list(profile: str, as_json: bool) -> None:
    """List every requirement with its level and statement."""
    show = contract_show.requirements_json if as_json else contract_show.requirements
    click.echo(show(_contracts(profile)))


@requirements.command("show")
@click.argument("name")
def requirements_show(name: str) -> None:
    """Show one requirement with its sources and checks."""
    click.echo(contract_show.requirement(_contracts("all"), name))


@requirements.command("coverage")
@click.option("--profile", default="all", show_default=True, help=PROFILE_HELP)
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def requirements_coverage(profile: str, as_json: bool) -> None:
    """How much of the pages is accounted for, and decided by a check."""
    found = contract_coverage.coverage(_contracts(profile))
    click.echo(contract_coverage.as_json(found) if as_json else contract_coverage.table(found))


@main.command()
@click.option("--matrix", is_flag=True, help="which check killed which mutant")
@click.option("--json", "as_json", is_flag=True, help="as JSON")
@click.argument("names", nargs=-1)
def mutants(matrix: bool, as_json: bool, names: tuple[str, ...]) -> None:
    """Put one deliberate fault after another into the mock and see whether its checks notice."""
    from conformance import mutants as mutation  # noqa: PLC0415 - starts the suite

    results = mutation.run_mutants(names)
    click.echo(mutation.as_json(results) if as_json else mutation.table(results, matrix=matrix))
    sys.exit(0 if all(result.killed for result in results) else int(ExitCode.NOT_CONFORMANT))


@main.group()
def report() -> None:
    """Reports of finished runs."""


@report.command("render")
@click.argument("stream", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="folder for the reports  [default: beside the stream]"
)
def report_render(stream: Path, out: Path | None) -> None:
    """Make the reports again from a run.ndjson."""
    from conformance.report.render import render  # noqa: PLC0415 - templates are loaded here alone

    _, paths = render(stream, out or stream.parent)
    click.echo(str(paths.html))


@report.command("diff")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def report_diff(before: Path, after: Path, as_json: bool) -> None:
    """What changed between two runs; exit code 1 where something got worse."""
    from conformance.report import diff  # noqa: PLC0415
    from conformance.report.stream import read  # noqa: PLC0415
    from conformance.report.verdicts import judge  # noqa: PLC0415

    first, second = judge(read(before)), judge(read(after))
    found = diff.compare(first, second)
    show = diff.to_json if as_json else diff.to_text
    click.echo(show(found, first, second))
    sys.exit(int(ExitCode.NOT_CONFORMANT) if found.worse else 0)


@main.command()
@click.option("--target", required=True, help="the URL of a server")
@click.option("--insecure", is_flag=True, help="do not verify TLS certificates")
def sweep(target: str, insecure: bool) -> None:
    """Remove what runs that died left on an OpenSearch cluster."""
    from conformance.target import opensearch_ml  # noqa: PLC0415
    from conformance.target.connect import PREFIX, TargetOptions, connect  # noqa: PLC0415

    session = connect("opensearch-ml", TargetOptions(target=target, insecure=insecure))
    removed, complaints = opensearch_ml.sweep(session, PREFIX)
    for line in removed:
        click.echo(f"removed {line}")
    click.echo(f"{len(removed)} removed, {len(complaints)} left")
    if complaints:
        _fail("; ".join(complaints), ExitCode.NOT_CONFORMANT)


def _contracts(profile: str) -> list[Any]:
    names = store.profiles() if profile == "all" else (profile,)
    return [store.load(name) for name in names]
