"""Runs that share one real node: nothing is left behind, and none blames the server; see `make sharing`.

    python benchmarks/sharing.py [--pairs N] [--version VERSION] [--port PORT]

Starts a node with the kit that REAL_NODE names, gives it things and settings of somebody's own, and lets runs
meet: two at once, one that is refused or waits; a sweep during a run, left alone or by force; runs that are
killed at several moments. After each case the cluster has what it had before. Ends with 1 on any problem.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
from kit import KIT, Node, StartError, started, state

MLCONFORM = Path(sys.executable).with_name("mlconform")
# Models, groups, connectors, agents, pipelines of both kinds and settings, in some thirty checks of which
# chance decides none: enough that a run which begins meanwhile meets the turn of another.
SELECT = (
    "osml.delete.safe*,osml.settings.sync-interval*,osml.settings.*.values,"
    "!osml.delete.safe.several-kinds,!*test_stateful*"
)
# What the runs change too, so that it must be put back to this and not be taken away.
SETTINGS = {
    "plugins.ml_commons.sync_up_job_interval_in_seconds": "11",
    "plugins.ml_commons.trusted_connector_endpoints_regex": ["^https://models\\.example\\.com/.*$"],
}
CONNECTOR = {
    "name": "ours",
    "description": "",
    "version": "1",
    "protocol": "http",
    "parameters": {},
    "credential": {"key": "none"},
    "actions": [
        {
            "action_type": "predict",
            "method": "POST",
            "url": "https://models.example.com/predict",
            "request_body": "{}",
        }
    ],
}
MARK = "-mark"
LEASE_SECONDS = 60
LATEST_SECONDS = 300.0
PAUSE_SECONDS = 0.05

Problems = Iterator[str]


class TooLate(Exception):  # noqa: N818 - a case that did not come to its moment
    """What a case waits for did not come."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that came to its end."""

    code: int
    output: str


class Run:
    """A run of the suite on the node, under way; killed at the end where it has not ended."""

    def __init__(self, node: Node, *more: str) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.out = Path(self._folder.name)
        options = ["--target", node.url, "--profile", "opensearch-ml", "--known", "opensearch-3.4"]
        options += ["--select", SELECT, "--max-wait", "0", "--out", str(self.out), *more]
        self._process = subprocess.Popen(
            [MLCONFORM, "run", *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._ended: Ended | None = None

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._folder.cleanup()

    @property
    def checks(self) -> int:
        """How many checks have ended so far."""
        stream = self.out / "run.ndjson"
        return stream.read_text().count('"event":"check_finished"') if stream.exists() else 0

    def until(self, come: Callable[[], object], what: str) -> None:
        """Wait for a moment of this run. Raises `TooLate`."""
        ends = time.monotonic() + LATEST_SECONDS
        while not come():
            if self._process.poll() is not None:
                raise TooLate(f"the run ended before {what}: {self.ended()}")
            if time.monotonic() > ends:
                raise TooLate(f"after {LATEST_SECONDS:g} s there was no moment at which {what}")
            time.sleep(PAUSE_SECONDS)

    def is_in_its_checks(self) -> None:
        self.until(lambda: self.checks, "one of its checks had ended")

    def ended(self) -> Ended:
        """Wait for its end. Raises `subprocess.TimeoutExpired`."""
        if self._ended is None:
            output, _ = self._process.communicate(timeout=LATEST_SECONDS)
            self._ended = Ended(self._process.returncode, output)
        return self._ended

    def kill(self) -> None:
        self._process.kill()
        self.ended()

    def verdicts(self) -> dict[str, str]:
        """What the run says of each requirement that it judged."""
        found = json.loads((self.out / "summary.json").read_text())["requirements"]
        return {each["id"]: each["verdict"] for each in found}


def sweep(node: Node, *more: str) -> Ended:
    """`mlconform sweep`, to its end."""
    command = [MLCONFORM, "sweep", "--target", node.url, *more]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return Ended(done.returncode, done.stdout + done.stderr)


def settle_in(node: Node) -> None:
    """Let somebody's own things and settings be on the cluster."""
    node.ask("PUT", "/_cluster/settings", {"persistent": SETTINGS})
    node.ask("PUT", "/_ingest/pipeline/ours", {"description": "ours", "processors": []})
    group = node.ask("POST", "/_plugins/_ml/model_groups/_register", {"name": "ours"})["model_group_id"]
    connector = node.ask("POST", "/_plugins/_ml/connectors/_create", CONNECTOR)["connector_id"]
    model = {"name": "ours", "function_name": "remote", "model_group_id": group, "connector_id": connector}
    node.ask("POST", "/_plugins/_ml/models/_register", model)


def holder(node: Node) -> str:
    """The id of the run that has the turn."""
    marks = [name for name in node.ask("GET", "/_ingest/pipeline") if name.endswith(MARK)]
    return marks[0].removeprefix("mlconform-").removesuffix(MARK) if marks else ""


def expected(told: str, ended: Ended, code: int, *texts: str) -> Problems:
    """Complaints where a command did not end with this code, or did not say this."""
    missing = [text for text in texts if text not in ended.output]
    if ended.code != code or missing:
        said = f" and says {', '.join(map(repr, texts))}" if texts else ""
        yield f"expected that {told} ends with {code}{said}, but it ended with {ended.code}: {ended.output}"


def alone(node: Node) -> Problems:
    with Run(node) as run:
        yield from expected("the run", run.ended(), 0)


def refused(node: Node) -> Problems:
    """A second run does not wait: it ends at once and says whose turn it is."""
    with Run(node) as first:
        first.is_in_its_checks()
        whose = f"the run {holder(node)} of "
        with Run(node) as second:
            yield from expected("the second run", second.ended(), 3, "this cluster is taken", whose)
        yield from expected("the first run", first.ended(), 0)


def waiting(node: Node) -> Problems:
    """A second run waits for the first, and then is judged as if it were alone."""
    with Run(node) as first:
        first.is_in_its_checks()
        told = f"waiting for the turn: the run {holder(node)} of "
        with Run(node, "--wait-for-turn", str(LATEST_SECONDS)) as second:
            ended = first.ended()
            yield from expected("the first run", ended, 0)
            yield from expected("the second run", second.ended(), 0, told)
            if ended.code == 0 and first.verdicts() != second.verdicts():
                yield f"expected the same verdicts of both, got {first.verdicts()} and {second.verdicts()}"


def swept_while_live(node: Node) -> Problems:
    with Run(node) as run:
        run.is_in_its_checks()
        yield from expected("the sweep", sweep(node), 0, "0 removed, 0 left", f"the run {holder(node)} of ")
        yield from expected("the run", run.ended(), 0)


def swept_by_force(node: Node) -> Problems:
    """The run says what it misses, and judges nothing that came after."""
    with Run(node) as run:
        run.is_in_its_checks()
        yield from expected("the sweep", sweep(node, "--force"), 0)
        yield from expected("the run", run.ended(), 5, "somebody took away")
        if "fail" in run.verdicts().values():
            yield f"expected that the run blames nobody, got {run.verdicts()}"


def killed(node: Node, moment: Callable[[Node, Run], None], *more: str, by_force: bool) -> Problems:
    """A run that was killed at this moment; by force its things go at once, else when its mark ran out."""
    with Run(node, *more) as run:
        moment(node, run)
        run.kill()
    if not by_force:
        yield from expected("the sweep before the mark ran out", sweep(node), 0, "left alone")
        time.sleep(LEASE_SECONDS)
    yield from expected("the sweep", sweep(node, *(["--force"] if by_force else [])), 0, "0 left")


def at_the_start(node: Node, run: Run) -> None:
    run.until(lambda: holder(node), "its mark was there")


def when_it_prepares(node: Node, run: Run) -> None:
    run.until(lambda: _settings(node) != SETTINGS, "a setting had changed")


def while_a_check_has_changed_settings(node: Node, run: Run) -> None:
    interval = "plugins.ml_commons.sync_up_job_interval_in_seconds"
    run.until(lambda: _settings(node).get(interval) != SETTINGS[interval], "a check had changed a setting")


def in_the_middle(node: Node, run: Run) -> None:
    run.until(
        lambda: run.checks >= 6 and len(_models(node)) > 1, "six checks had ended and a model was there"
    )


def _settings(node: Node) -> dict[str, Any]:
    found: dict[str, Any] = node.ask("GET", "/_cluster/settings?flat_settings=true")["persistent"]
    return found


def _models(node: Node) -> list[str]:
    found: list[str] = state(node)["models"]
    return found


def cases(pairs: int) -> Iterator[tuple[str, Callable[[Node], Problems]]]:
    yield "a run alone", alone
    for number in range(1, pairs + 1):
        if number % 2:
            yield f"pair {number}: the second run is refused", refused
        else:
            yield f"pair {number}: the second run waits", waiting
    yield "sweep during a run", swept_while_live
    yield "sweep --force during a run", swept_by_force
    moments = (at_the_start, when_it_prepares, while_a_check_has_changed_settings, in_the_middle)
    for moment in moments:
        name = moment.__name__.replace("_", " ")
        yield f"kill -9 {name}, then sweep --force", partial(killed, moment=moment, by_force=True)
    in_time = partial(killed, moment=in_the_middle, by_force=False)
    yield "kill -9 in the middle, then sweep when its mark ran out", in_time


def difference(before: dict[str, Any], after: dict[str, Any]) -> Problems:
    """What a cluster has not as before, a line each."""
    for kind, had in before.items():
        if had != after[kind]:
            yield f"expected {kind} as before, {had}, got {after[kind]}"


def tried(node: Node, case: Callable[[Node], Problems]) -> list[str]:
    """What is wrong with a case, and with what the cluster has after it."""
    before = state(node)
    try:
        problems = list(case(node))
    except (TooLate, subprocess.TimeoutExpired) as error:
        problems = [str(error)]
    return [*problems, *difference(before, state(node))]


def holds(node: Node, name: str, case: Callable[[Node], Problems]) -> bool:
    """Whether nothing is wrong with a case; one line says so."""
    began = time.monotonic()
    problems = tried(node, case)
    click.echo(f"{name}: {'; '.join(problems) or 'fine'} ({time.monotonic() - began:.0f} s)")
    return not problems


def main(arguments: Sequence[str]) -> int:
    """Try the cases one after the other; 0 where all hold."""
    parser = argparse.ArgumentParser(description="Runs that share one real node.")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--version", default="3.4.0")
    parser.add_argument("--port", type=int, default=19370)
    given = parser.parse_args(arguments)
    if not KIT.exists():
        click.echo(f"There is no kit at {KIT}: name it with REAL_NODE.")
        return 2
    try:
        with started(given.version, "mlconform-sharing", given.port) as node:
            settle_in(node)
            held = [holds(node, name, case) for name, case in cases(given.pairs)]
    except StartError as problem:
        click.echo(str(problem))
        return 1
    click.echo(f"{sum(held)} of {len(held)} cases hold")
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
