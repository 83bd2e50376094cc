"""`mlconform requirements`: the requirements, and what decides them."""

from __future__ import annotations

import sys

import click

from mlconform.conformance.commands import DOCS_VERSION_HELP, PROFILE_HELP
from mlconform.conformance.commands.chosen import chosen_contracts
from mlconform.conformance.contract import coverage, show
from mlconform.conformance.report.exit_code import ExitCode


@click.group("requirements")
def command() -> None:
    """The requirements, and what decides them."""


@command.command("list")
@click.option("--profile", default="all", show_default=True, help=PROFILE_HELP)
@click.option("--docs-version", help=DOCS_VERSION_HELP)
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def list_requirements(profile: str, docs_version: str | None, as_json: bool) -> None:
    """List every requirement with its level and statement."""
    form = show.requirements_json if as_json else show.requirements
    click.echo(form(chosen_contracts(profile, docs_version)))


@command.command("show")
@click.argument("name")
@click.option("--docs-version", help=DOCS_VERSION_HELP)
def show_requirement(name: str, docs_version: str | None) -> None:
    """Show one requirement with its sources and checks."""
    click.echo(show.requirement(chosen_contracts("all", docs_version), name))


@command.command("coverage")
@click.option("--profile", default="all", show_default=True, help=PROFILE_HELP)
@click.option("--docs-version", help=DOCS_VERSION_HELP)
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def show_coverage(profile: str, docs_version: str | None, as_json: bool) -> None:
    """How much of the pages is accounted for, and decided by a check; 1 where a unit is unaccounted for."""
    found = coverage.coverage(chosen_contracts(profile, docs_version))
    click.echo(coverage.as_json(found) if as_json else coverage.table(found))
    if any(page.unaccounted for page in found.pages):
        sys.exit(int(ExitCode.NOT_CONFORMANT))
