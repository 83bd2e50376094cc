"""The command `mlconform`: finds the subcommand, and turns errors into one line and an exit code."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final

import click

from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.errors import PrerequisiteMissing, TargetUnreachable, UsageError
from mlconform.conformance.report.exit_code import ExitCode, ReportError

# By the name of its module: what the list of commands says of it, so that the list imports none.
COMMANDS: Final[Mapping[str, str]] = {
    "contract": "What the documentation promises.",
    "doctor": "What is there, and what a run would do and decide.",
    "endpoint": "Serve the model that connectors point at.",
    "mock": "Serve the reference mock over HTTP.",
    "mutants": "Whether the checks notice deliberate faults.",
    "new": "Begin a profile, a mutant, a check or a page.",
    "report": "Reports of finished runs.",
    "requirements": "The requirements, and what decides them.",
    "run": "Judge a target and write the reports.",
    "sweep": "Remove what runs that died left on a cluster.",
}


class _Group(click.Group):
    """Imports only the subcommand that is called, so that the mock starts at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        try:
            module = _imported(f"mlconform.conformance.commands.{cmd_name}")
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] == "mlconform":
                raise
            return _not_installed(cmd_name, error.name)
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (UsageError, ContractError, ReportError) as error:
            _fail(str(error), ExitCode.USAGE)
        except (TargetUnreachable, PrerequisiteMissing) as error:
            _fail(str(error), ExitCode.UNREACHABLE)
        except AssertionError as error:
            from mlconform.conformance.outcomes import BrokenAnswer  # noqa: PLC0415 - a fast start

            if not isinstance(error, BrokenAnswer):
                raise
            _fail(str(error), ExitCode.UNREACHABLE)
        except KeyboardInterrupt:
            _fail("interrupted", ExitCode.INCOMPLETE)


def _imported(name: str) -> ModuleType:
    """A module, with all that it needs. Nothing of that is garbage, and never looked through for some."""
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        gc.freeze()
        gc.enable()


def _not_installed(name: str, missing: str | None) -> click.Command:
    """In the place of a command that needs more than the mock does."""
    told = f"{name} needs {missing}, which is not installed: pip install 'mlconform[run]'"

    def fail() -> None:
        raise PrerequisiteMissing(told)

    anything = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(name, callback=fail, help=told, add_help_option=False, context_settings=anything)


def _fail(message: str, code: ExitCode) -> None:
    from mlconform.conformance.targets.credentials import presentable  # noqa: PLC0415 - a fast start

    click.echo(f"mlconform: {presentable(message)}", err=True)
    sys.exit(int(code))


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mlconform")
def main() -> None:
    """Does this server really do what its model API's documentation says?"""
