"""A profile that another package brings: found, and judged by its own contract on its own mock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlconform.conformance.report.stream import read
from mlconform.conformance.report.verdicts import Kind, judge

EXAMPLE = Path(__file__).parents[2] / "examples" / "open-inference"
PACKAGE = EXAMPLE / "open_inference"
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def mlconform(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """The command where the example is installed, in a folder that nobody else looks into."""
    place = tmp_path_factory.mktemp("installed")
    wanted = [
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--disable-pip-version-check",
        "--target",
        place,
    ]
    subprocess.run([sys.executable, "-m", "pip", "install", *wanted, EXAMPLE], check=True)

    def run(*arguments: str | Path, program: str = "mlconform") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).with_name(program), *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": str(place)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_its_mock_is_conformant(mlconform: Command, tmp_path: Path) -> None:
    ended = mlconform("run", "--profile", "open-inference", "--out", tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    kinds = {verdict.kind for verdict in judge(read(tmp_path / "run.ndjson")).verdicts}
    assert kinds == {Kind.PASS}


def test_a_dry_run_tells_what_a_run_does(mlconform: Command, tmp_path: Path) -> None:
    profile = ("run", "--profile", "open-inference")
    ended = mlconform(*profile, "--dry-run", "--json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = json.loads(ended.stdout)
    mlconform(*profile, "--out", tmp_path)
    run = read(tmp_path / "run.ndjson")
    assert (told["profile"], told["leaves_out"]) == ("open-inference", {})
    assert told["runs"] == len(run.checks)
    assert told["requirements"] == len(run.requirements)
    decided = {check.decisions[0].requirement.split(".")[1] for check in run.checks}
    assert decided <= told["sends"].keys()
    assert told["sends"]["infer"]["POST /v2/models/{model_name}/infer"] > 0


def test_its_mock_tells_what_it_is(mlconform: Command, tmp_path: Path) -> None:
    program = """
from mlconform.mock_server import MockServer, Request
print(MockServer().handle(Request("GET", "/_mock/")).status)
"""
    (tmp_path / "ask.py").write_text(program, encoding="utf-8")
    ended = mlconform(tmp_path / "ask.py", program="python")
    assert ended.stdout == "200\n", ended.stderr


def test_all_profiles_are_judged_together(mlconform: Command, tmp_path: Path) -> None:
    ended = mlconform("run", "--select", "*.model.ready,nugen.auth.*", "--out", tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    judged = judge(read(tmp_path / "run.ndjson"))
    assert {verdict.requirement.profile for verdict in judged.verdicts} == {"nugen", "open-inference"}


def test_its_requirements_are_listed(mlconform: Command) -> None:
    ended = mlconform("requirements", "show", "v2.infer.id")
    assert "source: protocol:244-245 (2)" in ended.stdout, ended.stdout + ended.stderr


def test_its_contract_is_as_locked(mlconform: Command) -> None:
    ended = mlconform("contract", "check", "--overlays", PACKAGE / "contracts", "--checks", PACKAGE)
    assert ended.returncode == 0, ended.stdout + ended.stderr
