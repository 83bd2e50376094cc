"""Restarting a target by a command of the user's, and waiting until it is back."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable

from mlconform.conformance.contract.model import Remedy
from mlconform.conformance.errors import TargetUnreachable
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.settle import settle

# The recorded nodes took up to 40 s on an idle machine.
RESTART_BUDGET_SECONDS = 180.0
_HEALTH = "/_cluster/health?wait_for_status=yellow&timeout=5s"


def by_command(command: str, request: Callable[[str, str], Exchange]) -> str:
    """Run the command, wait until the cluster serves again, and tell what was done.

    Raises `Untestable` where the command fails or the cluster does not come back within the budget.
    """
    carry_out("restart command", command, Remedy.RESTART)
    back = settle(lambda: serves(request), lambda serving: serving, budget=RESTART_BUDGET_SECONDS)
    if not back:
        raise Untestable(
            f"the cluster did not serve again within {RESTART_BUDGET_SECONDS:.0f} s of its restart"
        )
    return f"restarted with {command!r}, served again after {back.seconds:.0f} s"


def carry_out(what: str, command: str, remedy: Remedy) -> None:
    """Run a command of the user's to its end. Raises `Untestable` where it fails; `what` names it there."""
    try:
        ended = subprocess.run(
            shlex.split(command),
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=RESTART_BUDGET_SECONDS,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise Untestable(f"the {what} could not be carried out: {error}", remedy) from None
    if ended.returncode != 0:
        told = (ended.stderr or ended.stdout).strip()[-200:]
        raise Untestable(f"the {what} ended with exit code {ended.returncode}: {told}", remedy)


def serves(request: Callable[[str, str], Exchange]) -> bool:
    """Whether the cluster answers, with a copy of everything."""
    try:
        health = request("GET", _HEALTH)
        return health.answer is not None and health.status == 200 and health.member("timed_out") is False
    except TargetUnreachable:
        return False
