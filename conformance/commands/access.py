"""The options of access to a target, for every command that talks to one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from mlconform.conformance.targets.access_options import HELP, REPEATABLE


def access_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of `AccessOptions`."""
    for name, text in reversed(HELP.items()):
        option = click.option(f"--{name.replace('_', '-')}", multiple=name in REPEATABLE, help=text)
        command = option(command)
    return command


def max_rate_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option that says how fast it may send."""
    option = click.option(
        "--max-rate",
        type=float,
        metavar="N",
        help="requests a second to the server, at most, of all workers together  [default: any number]",
    )
    return option(command)
