"""What the user asked of a run, as one value; the command and the pytest plugin both end here."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from mlconform.conformance.contract.model import Level
from mlconform.conformance.errors import UsageError
from mlconform.conformance.running.selection import Selection
from mlconform.conformance.targets.access_options import AccessOptions
from mlconform.conformance.targets.addresses import without_credentials
from mlconform.conformance.targets.connect import (
    LOOPBACK_HOST,
    TargetOptions,
    check_endpoint_host,
    check_further,
    check_target,
    new_run_id,
    split_targets,
)
from mlconform.conformance.targets.profiles import profiles

ALL_PROFILES = "all"
DEFAULT_OUT = "reports/latest"
# Each is a process that imports everything; more than this only fills the memory.
MOST_WORKERS = 64
# A server takes most of the time of a run; more than these it does not answer sooner on a small machine.
SERVER_WORKERS = 3
# With less, the run's mark could not be renewed in time beside the checks.
SLOWEST = 1
# What the process that prepares a target gives to its workers, and under which name: the run's id, and
# the address of the model behind the connectors.
Handed = tuple[str, str | None]
HANDED = "mlconform"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """A run: which target, which profiles, how strict, and where the reports go.

    `until_failed` ends it at the first check that fails: what comes after is not decided.
    """

    target: TargetOptions = field(default_factory=TargetOptions)
    profile: str = ALL_PROFILES
    docs_version: str | None = None
    level: Level = Level.DOCUMENTED
    select: str = ""
    seed: int = 0
    workers: int | None = None
    known: str | None = None
    waivers: Path | None = None
    require_decided: float | None = None
    out: Path | None = Path(DEFAULT_OUT)
    until_failed: bool = False

    def __post_init__(self) -> None:
        if self.profile != ALL_PROFILES and self.profile not in profiles():
            raise UsageError(
                f"expected a profile of {', '.join(profiles())} or {ALL_PROFILES}, but got {self.profile!r}"
            )
        if self.require_decided is not None and not 0 <= self.require_decided <= 100:
            raise UsageError(f"expected --require-decided from 0 to 100, but got {self.require_decided}")
        if self.docs_version is not None and not re.fullmatch(r"\d+(\.\d+)*", self.docs_version):
            raise UsageError(f"expected --docs-version such as 2.19, but got {self.docs_version!r}")
        if not 0 <= self.target.wait_for_turn < math.inf:
            raise UsageError(
                f"expected --wait-for-turn in seconds, 0 or more, but got {self.target.wait_for_turn}"
            )
        if not 0 <= self.target.max_wait < math.inf:
            raise UsageError(f"expected --max-wait in seconds, 0 or more, but got {self.target.max_wait}")
        check_max_rate(self.target.max_rate)
        check_target(self.target.target)
        check_further(self.target.target, self.target.further)
        check_endpoint_host(self.target.endpoint_host)
        _check_in_process(self.target)
        if self.select and not any(part.strip("!") for part in Selection(self.select).parts):
            raise UsageError(
                f"expected --select with globs over requirement ids and check names, but got {self.select!r}"
            )
        if self.workers is not None and not 1 <= self.workers <= MOST_WORKERS:
            raise UsageError(f"expected --workers from 1 to {MOST_WORKERS}, but got {self.workers}")

    @property
    def profiles(self) -> tuple[str, ...]:
        return tuple(profiles()) if self.profile == ALL_PROFILES else (self.profile,)

    @property
    def repeated(self) -> tuple[str, ...]:
        """What a repetition of the run needs besides target, profile, level, seed, budget and selection."""
        target = self.target
        pairs = (
            ("--docs-version", self.docs_version if len(self.profiles) > 1 else None),
            *(("--target", without_credentials(each)) for each in target.further),
            ("--known", self.known),
            ("--waivers", self.waivers),
            ("--behaviour", target.behaviour),
            ("--mutant", target.mutant),
            ("--restart-command", target.restart_command),
            ("--max-rate", None if target.max_rate is None else f"{target.max_rate:g}"),
            ("--stop-node-command", target.stop_node_command),
            ("--start-node-command", target.start_node_command),
            ("--endpoint-host", None if target.endpoint_host == LOOPBACK_HOST else target.endpoint_host),
            *(("--model-id", model) for model in target.model_ids),
            *(("--user", user) for user in target.users),
        )
        flags = (
            ("--allow-settings", target.allow_settings),
            ("--insecure", target.insecure),
            ("--security", target.security),
            ("--create-users", target.create_users),
        )
        given = [word for name, value in pairs if value is not None for word in (name, str(value))]
        return (*given, *target.access.repeated, *(name for name, set_ in flags if set_))


def check_max_rate(per_second: float | None) -> None:
    """Raise `UsageError` for a pace that no run may have."""
    if per_second is not None and not SLOWEST <= per_second < math.inf:
        raise UsageError(f"expected --max-rate in requests a second, {SLOWEST} or more, but got {per_second}")


def _check_in_process(target: TargetOptions) -> None:
    """What steers the mock of this process has no effect on a server: raises `UsageError`."""
    commands = {
        "--restart-command": target.restart_command,
        "--stop-node-command": target.stop_node_command,
        "--start-node-command": target.start_node_command,
    }
    for name, command in commands.items():
        if target.in_process and command is not None:
            raise UsageError(
                f"expected {name} with a server alone: the mock of this process is restarted without it"
            )
    if (target.stop_node_command is None) != (target.start_node_command is None):
        raise UsageError(
            "expected --stop-node-command and --start-node-command together, but got one of them: "
            "what is stopped is started again"
        )
    if target.in_process and target.max_rate is not None:
        raise UsageError("expected --max-rate with a server alone: the mock of this process is nobody else's")
    steering = {
        "--behaviour": target.behaviour,
        "--mutant": target.mutant,
        "--security": target.security or None,
    }
    given = [name for name, value in steering.items() if value is not None]
    if given and not target.in_process:
        raise UsageError(
            f"expected {' and '.join(given)} with the mock in this process alone, but got --target "
            f"{without_credentials(target.target)}; give it to `mlconform mock` where that is one"
        )


def parse_level(text: str) -> Level:
    """The level named; raises `UsageError`."""
    judged = [level for level in Level if level is not Level.UNSPECIFIED]
    if text not in judged:
        raise UsageError(f"expected a level of {', '.join(judged)}, but got {text!r}")
    return Level(text)


class Configuration(Protocol):
    """What the options of a pytest run are read from."""

    def getoption(self, name: str) -> Any: ...


def options_from(config: Configuration, handed: Handed | None = None) -> RunOptions:
    """The `--ml-*` options as a value, in a worker with what it was handed; raises `UsageError`."""
    get = config.getoption
    run, prepared_endpoint = handed or (get("--ml-run-id") or new_run_id(), None)
    first, further = split_targets(get("--ml-target"))
    target = TargetOptions(
        target=first,
        further=further,
        max_wait=get("--ml-max-wait"),
        allow_settings=get("--ml-allow-settings"),
        endpoint_host=get("--ml-endpoint-host"),
        model_ids=tuple(get("--ml-model-id")),
        insecure=get("--ml-insecure"),
        wait_for_turn=get("--ml-wait-for-turn"),
        restart_command=get("--ml-restart-command"),
        stop_node_command=get("--ml-stop-node-command"),
        start_node_command=get("--ml-start-node-command"),
        docs_version=get("--ml-docs-version"),
        behaviour=get("--ml-behaviour"),
        mutant=get("--ml-mutant"),
        security=get("--ml-security"),
        users=tuple(get("--ml-user")),
        create_users=get("--ml-create-users"),
        max_rate=get("--ml-max-rate"),
        processes=_processes(),
        run_id=_own_run_id(run),
        prepared_endpoint=prepared_endpoint,
        access=AccessOptions.taken_from(lambda name: get(f"--ml-{name.replace('_', '-')}")),
    )
    waivers, out = get("--ml-waivers"), get("--ml-out")
    return RunOptions(
        target=target,
        profile=get("--ml-profile"),
        docs_version=get("--ml-docs-version"),
        level=parse_level(get("--ml-level")),
        select=get("--ml-select"),
        seed=get("--ml-seed"),
        known=get("--ml-known"),
        waivers=Path(waivers) if waivers else None,
        require_decided=get("--ml-require-decided"),
        out=Path(out) if out else None,
    )


def _own_run_id(given: str) -> str:
    """The run's id, and in a worker of pytest-xdist the worker's too: each names what it makes."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    return f"{given}-{worker}" if worker else given


def _processes() -> int:
    """How many processes of the run send requests meanwhile: its workers, and the one that hears of them and
    keeps the run's mark."""
    return int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")) + 1
