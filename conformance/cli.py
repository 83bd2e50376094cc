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
from conformance.contract import drift as contract_drift
from conformance.contract import show as contract_show
from conformance.contract import store
from conformance.contract.errors import ContractError
from conformance.contract.model import Contract
from conformance.outcomes import BrokenAnswer, PrerequisiteMissing, TargetUnreachable, UsageError
from conformance.report.stream import ReportError
from conformance.report.verdicts import ExitCode

PROFILE_HELP = "opensearch-ml, nugen or all"
DOCS_VERSION_HELP = "documentation version  [default: the one that is meant where none is named]"


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
@click.option("--docs-version", default="3.4", show_default=True, help="documentation version to behave by")
@click.option(
    "--behaviour", default="documented", show_default=True, help="documented, or a recorded version"
)
@click.option("--nodes", default=2, show_default=True, help="nodes of the cluster")
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
@click.option("--docs-version", help="documentation version  [default: all]")
@click.option(
    "--contradictions",
    is_flag=True,
    help="where the documentation contradicts itself, and how it was settled",
)
@click.option("--deviations", is_flag=True, help="where recorded versions do not do what is required")
def contract_show_command(
    profile: str, docs_version: str | None, contradictions: bool, deviations: bool
) -> None:
    """Show a part of the contract."""
    if contradictions == deviations:
        raise UsageError("expected one of --contradictions and --deviations")
    show = contract_show.contradictions if contradictions else contract_show.deviations
    click.echo(show(_every_version(profile, docs_version)))


@contract.command("drift")
@click.argument("old")
@click.argument("new")
@click.option("--profile", default="opensearch-ml", show_default=True, help="whose versions OLD and NEW are")
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def contract_drift_command(old: str, new: str, profile: str, as_json: bool) -> None:
    """What changed from OLD to NEW, two documentation versions or two folders of pages; 1 on a change."""
    found = contract_drift.drift(_one_side(profile, old), _one_side(profile, new))
    click.echo(contract_drift.as_json(found) if as_json else contract_drift.as_text(found))
    sys.exit(int(ExitCode.NOT_CONFORMANT) if found.changes else 0)


@main.group()
def requirements() -> None:
    """The requirements, and what decides them."""


@requirements.command("list")
@click.option("--profile", default="all", show_default=True, help=PROFILE_HELP)
@click.option("--docs-version", help=DOCS_VERSION_HELP)
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def requirements_list(profile: str, docs_version: str | None, as_json: bool) -> None:
    """List every requirement with its level and statement."""
    show = contract_show.requirements_json if as_json else contract_show.requirements
    click.echo(show(_contracts(profile, docs_version)))


@requirements.command("show")
@click.argument("name")
@click.option("--docs-version", help=DOCS_VERSION_HELP)
def requirements_show(name: str, docs_version: str | None) -> None:
    """Show one requirement with its sources and checks."""
    click.echo(contract_show.requirement(_contracts("all", docs_version), name))


@requirements.command("coverage")
@click.option("--profile", default="all", show_default=True, help=PROFILE_HELP)
@click.option("--docs-version", help=DOCS_VERSION_HELP)
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def requirements_coverage(profile: str, docs_version: str | None, as_json: bool) -> None:
    """How much of the pages is accounted for, and decided by a check."""
    found = contract_coverage.coverage(_contracts(profile, docs_version))
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


def _contracts(profile: str, docs_version: str | None = None) -> list[Contract]:
    """One contract a profile; a version is one of the named profile, or of all that have several."""
    names = store.profiles() if profile == "all" else (profile,)
    return [
        store.load(name, None if profile == "all" and len(store.versions(name)) == 1 else docs_version)
        for name in names
    ]


def _every_version(profile: str, docs_version: str | None) -> list[Contract]:
    if docs_version is not None:
        return _contracts(profile, docs_version)
    names = store.profiles() if profile == "all" else (profile,)
    # An unknown profile has no versions; asking for its default one says so.
    return [store.load(name, version) for name in names for version in store.versions(name) or (None,)]


def _one_side(profile: str, text: str) -> Contract:
    """The contract of a version, or of a folder of pages."""
    if Path(text).is_dir():
        return contract_build.folder_contract(Path(text))
    if not text[:1].isdigit():
        raise UsageError(f"expected a documentation version or a folder of pages, found {text!r}")
    return store.load(profile, text)
