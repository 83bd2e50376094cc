"""One run from options to exit code: discover, check, record, report."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib import resources
from pathlib import Path

import pytest
from rich.console import Console

from mlconform.conformance.plugin import hand_over
from mlconform.conformance.report.events import CheckFinished, Problem
from mlconform.conformance.report.terminal import print_summary
from mlconform.conformance.report.verdicts import Judgement
from mlconform.conformance.running import forks
from mlconform.conformance.running.forks import Forks
from mlconform.conformance.running.judging import Judging
from mlconform.conformance.running.options import SERVER_WORKERS, RunOptions
from mlconform.conformance.running.record import INTERRUPTED, Recorder, RunRecord
from mlconform.conformance.targets import interruption
from mlconform.conformance.targets.connect import new_run_id
from mlconform.conformance.targets.profiles import profiles

Show = Callable[[Judgement, Path | None], None]
_STEERING = (
    "PYTEST_ADDOPTS",
    "PYTEST_PLUGINS",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD",
    # A run within a worker of somebody's pytest-xdist has nobody beside it.
    "PYTEST_XDIST_WORKER",
    "PYTEST_XDIST_WORKER_COUNT",
    "PYTEST_XDIST_TESTRUNUID",
    "HYPOTHESIS_STORAGE_DIRECTORY",
)
# After these a second part of the run makes sense.
_WENT_THROUGH = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)
# The suite is judged by its own configuration: the caller's pytest files and variables stay out.
_SUITE_ARGUMENTS = (
    "-pmlconform.conformance.plugin",
    "-pno:terminal",
    "--assert=plain",
    "-pno:cacheprovider",
    "-pno:warnings",
    "-pno:junitxml",
    # It would show the traceback of an interruption that was lost, which is heard all the same.
    "-pno:unraisableexception",
    # What goes on beside the checks is written where the run began to write, not into their output.
    "--capture=sys",
)


def run(options: RunOptions, console: Console, show: Show | None = None) -> int:
    """Run the suite and write run.ndjson and the reports into `options.out`; returns the exit code.

    `console` hears how far the run has come, and how it ended where `show` is not there to tell it.

    Raises `UsageError`, `ReportError` or `ContractError` before anything is sent when the options
    cannot be used.
    """
    judging = Judging(replace(options, target=replace(options.target, run_id=new_run_id())))
    record = RunRecord(judging, console)
    with interruption.heard():
        try:
            if record.open():
                _check(judging, record.recorder)
            interruption.raise_if_came()
        except KeyboardInterrupt:
            record.recorder.record(INTERRUPTED)
    judgement, paths = record.close()
    show = show or partial(print_summary, console=console)
    show(judgement, paths.html if paths is not None else None)
    return int(judgement.summary.exit_code)


def _check(judging: Judging, recorder: Recorder) -> None:
    """Run the checks: those that need nobody else beside them in one process, the rest in many."""
    problem = judging.unselected()
    if problem:
        recorder.record(Problem("usage", problem))
        return
    workers = _workers(judging)
    forked = workers > 1 and forks.POSSIBLE and judging.options.target.in_process
    plugins: list[object] = [recorder, *([Forks(judging, recorder, workers)] if forked else [])]
    if workers == 1 or forked:
        parts: list[list[str]] = [[]]
    else:
        beside = ["-pxdist", f"-n{workers}", "--dist=worksteal", "-mnot exclusive"]
        parts = [["-mfirst or waits"], beside, ["-mexclusive and not first"]]
    until = ["--exitfirst"] if judging.options.until_failed else []
    spared = _spared(judging)
    for more in parts:
        judging.waiting.leaves = len(parts) > 1 and more == parts[0]
        code = run_pytest(judging, plugins, [*more, *until, *spared])
        if code == pytest.ExitCode.USAGE_ERROR:
            recorder.record(Problem("internal", "pytest refused the suite's own arguments"))
        if code not in _WENT_THROUGH or (until and code == pytest.ExitCode.TESTS_FAILED):
            return
    if judging.options.select and not any(isinstance(event, CheckFinished) for event in recorder.events):
        recorder.record(Problem("usage", f"--select {judging.options.select!r} selects no check"))


def _spared(judging: Judging) -> list[str]:
    """Options that spare pytest the files that `--select` wants no check of: to import all takes seconds."""
    return [
        f"--ignore={profiles()[name].checks.parent / file}"
        for name, target in judging.found().items()
        for file in sorted(judging.selection.spared(target.contract.requirements.values()))
    ]


def _workers(judging: Judging) -> int:
    """As many as were asked for; else several for the whole suite, on the mock as many as go on at once."""
    options = judging.options
    if options.workers is not None:
        return options.workers
    if options.select or options.until_failed or options.target.max_rate is not None:
        return 1
    if options.target.in_process:
        return min(forks.processors(), forks.MOST_FORKS)
    waits = any(not target.session.clock.movable for target in judging.found().values())
    return SERVER_WORKERS if waits else 1


@contextmanager
def _deaf_to_the_caller() -> Iterator[None]:
    """Take away the variables that steer pytest and hypothesis, and give them back at the end."""
    before = {name: os.environ.get(name) for name in _STEERING}
    for name in _STEERING:
        os.environ.pop(name, None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(_cache_folder())
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _cache_folder() -> Path:
    """Where hypothesis keeps its tables of characters, which take seconds to make; by default that
    is the caller's folder. A folder that cannot be written costs only those seconds."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - never raises
    return Path(cache) / "mlconform" / "hypothesis"


def run_pytest(judging: Judging, plugins: Sequence[object], more: list[str]) -> int:
    """Collect the suite for this judging and run it under pytest plugins; returns pytest's exit code."""
    suites = Path(str(resources.files("mlconform.conformance") / "suites"))
    folders = [str(profiles()[name].checks) for name in judging.found()]
    arguments = [
        *_SUITE_ARGUMENTS,
        f"--rootdir={suites}",
        f"-c{suites / 'pytest.ini'}",
        *arguments_for(judging.options),
        *more,
        *folders,
    ]
    with _deaf_to_the_caller():
        return int(pytest.main(arguments, plugins=[_Handover(judging), *plugins]))


class _Handover:
    """Gives the judging of this run to the pytest plugin of the same process."""

    def __init__(self, judging: Judging) -> None:
        self._judging = judging

    def pytest_configure(self, config: pytest.Config) -> None:
        hand_over(config, self._judging)


def arguments_for(options: RunOptions) -> list[str]:
    """The options as pytest's, for the workers of a run."""
    target = options.target
    pairs = {
        "--ml-target": target.target,
        "--ml-profile": options.profile,
        "--ml-docs-version": options.docs_version,
        "--ml-level": options.level.value,
        "--ml-select": options.select,
        "--ml-max-wait": target.max_wait,
        "--ml-max-rate": target.max_rate,
        "--ml-seed": options.seed,
        "--ml-endpoint-host": target.endpoint_host,
        "--ml-behaviour": target.behaviour,
        "--ml-mutant": target.mutant,
        "--ml-restart-command": target.restart_command,
        "--ml-stop-node-command": target.stop_node_command,
        "--ml-start-node-command": target.start_node_command,
        "--ml-run-id": target.run_id,
        "--ml-known": options.known,
        "--ml-waivers": options.waivers,
    }
    arguments = [f"{name}={value}" for name, value in pairs.items() if value not in (None, "")]
    arguments += [f"--ml-target={each}" for each in target.further]
    arguments += [f"--ml-model-id={model}" for model in target.model_ids]
    arguments += [f"--ml-user={user}" for user in target.users]
    arguments += target.access.arguments("--ml-")
    arguments += ["--ml-allow-settings"] if target.allow_settings else []
    arguments += ["--ml-insecure"] if target.insecure else []
    arguments += ["--ml-security"] if target.security else []
    arguments += ["--ml-create-users"] if target.create_users else []
    return arguments
