"""`mlconform contract`: what the documentation promises."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mlconform.conformance.commands import PROFILE_HELP
from mlconform.conformance.commands.chosen import chosen_contracts
from mlconform.conformance.contract import build, drift, show, store
from mlconform.conformance.contract import checkout as checkouts
from mlconform.conformance.contract.model import Contract
from mlconform.conformance.errors import UsageError
from mlconform.conformance.report.exit_code import ExitCode


@click.group("contract")
def command() -> None:
    """What the documentation promises."""


_OVERLAYS = click.option(
    "--overlays", type=click.Path(path_type=Path), help="folder with an overlay a profile  [default: schemas]"
)
_CHECKS = click.option(
    "--checks", type=click.Path(path_type=Path), default=build.SUITES, help="folder above those of the checks"
)


@command.command("build")
@click.option(
    "--docs", type=click.Path(path_type=Path), required=True, help="folder of the documentation pages"
)
@click.option("--out", type=click.Path(path_type=Path), help="folder of the result  [default: the overlays']")
@_OVERLAYS
@_CHECKS
def build_contracts(docs: Path, out: Path | None, overlays: Path | None, checks: Path) -> None:
    """Generate OpenAPI, JSON Schemas and requirements from the pages; 1 where a unit is unaccounted for."""
    for line in build.build(docs, out, overlays, checks):
        click.echo(line)
    if build.unaccounted(out or overlays):
        sys.exit(int(ExitCode.NOT_CONFORMANT))


@command.command("docs")
@click.option(
    "--checkout",
    type=click.Path(path_type=Path),
    required=True,
    help="checkout of the documentation's repository, with its history",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="folder for the pages")
@_OVERLAYS
def copy_pages(checkout: Path, out: Path, overlays: Path | None) -> None:
    """Write the pages that `build` reads, at the commits of their versions, checked by their hashes."""
    for line in checkouts.copy_pages(checkout, out, overlays or store.schemas_root()):
        click.echo(line)


@command.command("check")
@click.option(
    "--docs",
    type=click.Path(path_type=Path),
    help="folder of the documentation pages; without it the lock alone is verified",
)
@_OVERLAYS
@_CHECKS
def check_contracts(docs: Path | None, overlays: Path | None, checks: Path) -> None:
    """Fail where the generated files are not what pages and overlays give, or a unit is unaccounted for."""
    differences = build.check(docs, overlays, checks)
    for line in differences:
        click.echo(line, err=True)
    if differences:
        sys.exit(int(ExitCode.USAGE))
    open_ones = build.unaccounted(overlays)
    for line in open_ones:
        click.echo(line, err=True)
    if open_ones:
        sys.exit(int(ExitCode.NOT_CONFORMANT))
    click.echo(
        "contract: rebuilt byte for byte" if docs else "contract: as locked (no pages given, so not rebuilt)"
    )


@command.command("show")
@click.option("--profile", default="all", show_default=True, help=PROFILE_HELP)
@click.option("--docs-version", help="documentation version  [default: all]")
@click.option(
    "--contradictions",
    is_flag=True,
    help="where the documentation contradicts itself, and how it was settled",
)
@click.option("--deviations", is_flag=True, help="where recorded versions do not do what is required")
def show_part(profile: str, docs_version: str | None, contradictions: bool, deviations: bool) -> None:
    """Show a part of the contract."""
    if contradictions == deviations:
        raise UsageError("expected one of --contradictions and --deviations")
    part = show.contradictions if contradictions else show.deviations
    click.echo(part(_every_version(profile, docs_version)))


@command.command("drift")
@click.argument("old")
@click.argument("new")
@click.option("--profile", default="opensearch-ml", show_default=True, help="whose versions OLD and NEW are")
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def show_drift(old: str, new: str, profile: str, as_json: bool) -> None:
    """What changed from OLD to NEW, two documentation versions or two folders of pages; 1 on a change."""
    found = drift.drift(_one_side(profile, old), _one_side(profile, new))
    click.echo(drift.as_json(found) if as_json else drift.as_text(found))
    sys.exit(int(ExitCode.NOT_CONFORMANT) if found.changes else 0)


def _every_version(profile: str, docs_version: str | None) -> list[Contract]:
    if docs_version is not None:
        return chosen_contracts(profile, docs_version)
    names = store.profiles() if profile == "all" else (profile,)
    # An unknown profile has no versions; asking for its default one says so.
    return [store.load(name, version) for name in names for version in store.versions(name) or (None,)]


def _one_side(profile: str, text: str) -> Contract:
    """The contract of a version, or of a folder of pages."""
    if Path(text).is_dir():
        return build.folder_contract(Path(text))
    if not text[:1].isdigit():
        raise UsageError(f"expected a documentation version or a folder of pages, found {text!r}")
    return store.load(profile, text)
