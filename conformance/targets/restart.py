"""Restarting a target by a command of the user's, and waiting until it is back."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable

from mlconform.conformance.contract.model import Remedy
from mlconform.conformance.outcomes import TargetUnreachable, Untestable
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.settle import settle

# The recorded nodes took up to 40 s on an idle machine.
RESTART_BUDGET_SECONDS = 180.0
_HEALTH = "/_cluster/health?wait_for_status=yellow&timeout=5s"


def by_command(command: str, request: Callable[[str, str], Exchange]) -> str:
    """Run the command, wait until the cluster serves again, and tell what was done.

    Raises `Untestable` where the command fails or the cluster does not come back within the budget.
    """
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
        raise Untestable(f"the restart command could not be carried out: {error}", Remedy.RESTART) from None
    if ended.returncode != 0:
        told = (ended.stderr or ended.stdout).strip()[-200:]
        raise Untestable(
            f"the restart command ended with exit code {ended.returncode}: {told}", Remedy.RESTART
        )
    back = settle(lambda: _serves(request), lambda serves: serves, budget=RESTART_BUDGET_SECONDS)
    if not back:
        raise Untestable(
            f"the cluster did not serve again within {RESTART_BUDGET_SECONDS:.0f} s of its restart"
        )
    return f"restarted with {command!r}, served again after {back.seconds:.0f} s"


def _serves(request: Callable[[str, str], Exchange]) -> bool:
    try:
        health = request("GET", _HEALTH)
        return health.answer is not None and health.status == 200 and health.member("timed_out") is False
    except TargetUnreachable:
        return False
