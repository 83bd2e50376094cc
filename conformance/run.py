"""One run from options to exit code: discover, check, record, report."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from importlib import metadata, resources
from pathlib import Path

import pytest
from rich.console import Console

from conformance import judging as judging_module
from conformance.judging import Judging
from conformance.known import known_waivers
from conformance.options import RunOptions
from conformance.outcomes import BrokenAnswer, PrerequisiteMissing, TargetUnreachable
from conformance.recorder import Recorder
from conformance.report.events import CheckFinished, Decision, Event, Outcome, Problem, RunStarted, Waiver
from conformance.report.render import render
from conformance.report.stream import EventWriter, gather
from conformance.report.terminal import print_summary
from conformance.report.verdicts import footer
from conformance.report.waivers import load as load_waivers
from conformance.target.connect import new_run_id, shown_target

STREAM = "run.ndjson"
_INTERRUPTED = Problem("interrupted", "the run was interrupted")
# The suite is judged by its own configuration: the caller's pytest files and variables stay out.
_SUITE_ARGUMENTS = (
    "-pconformance.plugin",
    "-pno:terminal",
    "-pno:cacheprovider",
    "-pno:warnings",
    "-pno:junitxml",
)


def run(options: RunOptions, console: Console) -> int:
    """Run the suite and write run.ndjson and the reports into `options.out`; returns the exit code.

    Raises `UsageError` before anything is written when the options cannot be used.
    """
    waivers = _waivers(options)
    options = replace(options, target=replace(options.target, run_id=new_run_id()))
    stream = options.out / STREAM
    stream.unlink(missing_ok=True)
    began = time.monotonic()
    with EventWriter(stream) as writer:
        recorder = Recorder(writer, console)
        judging = Judging(options, waivers)
        discovered, interrupted = _discover(judging)
        recorder.record(_header(judging))
        for event in (*waivers, *discovered, *interrupted):
            recorder.record(event)
        try:
            if judging.found() and not interrupted:
                _check(judging, recorder)
        except KeyboardInterrupt:
            recorder.record(_INTERRUPTED)
        finally:
            judging.close()
            for complaint in judging.complaints:
                recorder.record(Problem("cleanup", complaint))
        ended = footer(gather(recorder.events), _now(), round(time.monotonic() - began, 3))
        recorder.record(ended)
    judgement, paths = render(stream, options.out)
    print_summary(judgement, paths.html, console)
    return ended.exit_code


def _waivers(options: RunOptions) -> tuple[Waiver, ...]:
    own = load_waivers(options.waivers) if options.waivers else ()
    return (*(known_waivers(options.known) if options.known else ()), *own)


def _header(judging: Judging) -> RunStarted:
    options = judging.options
    return RunStarted(
        run_id=options.target.run_id,
        started_at=_now(),
        tool_version=metadata.version("mlconform"),
        target=shown_target(options.target.target),
        profiles=options.profiles,
        docs_versions={profile: found.contract.version for profile, found in judging.found().items()},
        level=options.level,
        seed=options.seed,
        max_wait_seconds=options.target.max_wait,
        selection=options.select,
        require_decided=options.require_decided,
        options=_further(options),
    )


def _further(options: RunOptions) -> tuple[str, ...]:
    """The options that a repetition of the run needs beside those that the header has."""
    target = options.target
    pairs = (
        ("--known", options.known),
        ("--waivers", options.waivers),
        ("--mutant", target.mutant),
        *(("--model-id", model) for model in target.model_ids),
    )
    given = [text for name, value in pairs if value is not None for text in (name, str(value))]
    return (*given, *(("--allow-settings",) if target.allow_settings else ()))


def _discover(judging: Judging) -> tuple[list[Event], list[Event]]:
    """Connect every profile that was asked for: what was learned, and what ended the run early.

    With all profiles asked for, those that the target does not offer are left out, unless it
    offers none.
    """
    learned: list[Event] = []
    missing: list[Event] = []
    for profile in judging.options.profiles:
        try:
            judging.target(profile)
        except TargetUnreachable as error:
            return learned, [Problem("unreachable", str(error))]
        except PrerequisiteMissing as error:
            missing.append(Problem("prerequisite", f"{profile}: {error}"))
        except BrokenAnswer as error:
            learned.append(_broken_discovery(profile, error))
        except KeyboardInterrupt:
            return learned, [_INTERRUPTED]
        else:
            learned += [judging.discovered(profile), *judging.listed(profile)]
    return learned, [] if learned else missing


def _broken_discovery(profile: str, error: BrokenAnswer) -> CheckFinished:
    """A target whose first answers are broken on the wire has failed that requirement already."""
    decision = Decision(error.requirement, Outcome.FAIL, expected=error.expected, came=error.came)
    return CheckFinished("discovery", profile, 0.0, (decision,))


def _check(judging: Judging, recorder: Recorder) -> None:
    """Run the checks: those that need nobody else beside them in one process, the rest in many."""
    workers = judging.options.workers
    if workers == 1:
        _pytest(judging, recorder, [])
        return
    _pytest(judging, recorder, ["-pxdist", f"-n{workers}", "-mnot exclusive"])
    _pytest(judging, recorder, ["-mexclusive"])


def _pytest(judging: Judging, recorder: Recorder, more: list[str]) -> None:
    suites = Path(str(resources.files("conformance") / "suites"))
    folders = [
        str(suites / folder)
        for folder, profile in judging_module.PROFILE_OF_FOLDER.items()
        if profile in judging.found()
    ]
    arguments = [
        *_SUITE_ARGUMENTS,
        f"--rootdir={suites}",
        f"-c{suites / 'pytest.ini'}",
        *arguments_for(judging.options),
        *more,
        *folders,
    ]
    os.environ.pop("PYTEST_ADDOPTS", None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    code = pytest.main(arguments, plugins=[_Handover(judging), recorder])
    if code == pytest.ExitCode.USAGE_ERROR:
        recorder.record(Problem("internal", "pytest refused the suite's own arguments"))


class _Handover:
    """Gives the judging of this run to the pytest plugin of the same process."""

    def __init__(self, judging: Judging) -> None:
        self._judging = judging

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[judging_module.key] = self._judging


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
        "--ml-seed": options.seed,
        "--ml-endpoint-host": target.endpoint_host,
        "--ml-mutant": target.mutant,
        "--ml-run-id": target.run_id,
    }
    arguments = [f"{name}={value}" for name, value in pairs.items() if value not in (None, "")]
    arguments += [f"--ml-model-id={model}" for model in target.model_ids]
    arguments += ["--ml-allow-settings"] if target.allow_settings else []
    arguments += ["--ml-insecure"] if target.insecure else []
    return arguments


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
