"""The steps of action.yml and of the Dockerfile, run as a shell would."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlconform.conformance.report.summary import SCHEMA_VERSION

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")


def offline() -> dict[str, str]:
    """What lets pip install this project without a network: what it needs is here already."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def run(command: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def runner(tmp_path: Path) -> dict[str, str]:
    """The variables that a runner gives to a step, with folders of their own."""
    files = {"GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary"}
    (tmp_path / "temp").mkdir()
    return {
        **offline(),
        **{name: str(tmp_path / file) for name, file in files.items()},
        "RUNNER_TEMP": str(tmp_path / "temp"),
        "GITHUB_ACTION_PATH": str(ROOT),
    }


def step(name: str, given: dict[str, str]) -> tuple[str, dict[str, str]]:
    """A step's command, and its variables with the inputs filled in."""
    (found,) = [each for each in ACTION["runs"]["steps"] if each["name"] == name]
    inputs = {name: str(each["default"]) for name, each in ACTION["inputs"].items()} | given
    variables = {
        variable: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: inputs[match[1]], text)
        for variable, text in found.get("env", {}).items()
    }
    return found["run"], variables


def test_the_steps_of_the_action_judge_and_say_what_came(runner: dict[str, str], tmp_path: Path) -> None:
    command, _ = step("Install", {})
    installed = run(command, tmp_path, runner)
    assert installed.returncode == 0, installed.stderr
    given = {
        "require-decided": "90",
        "arguments": "--behaviour opensearch-2.19 --select 'osml.delete.group, osml.wire.json'",
    }
    for known, code in (("", 1), ("opensearch-2.19", 0)):
        command, variables = step("Judge", {**given, "known": known})
        judged = run(command, tmp_path, {**runner, **variables})
        assert judged.returncode == code, judged.stdout + judged.stderr
        assert (tmp_path / "output").read_text().splitlines()[-1] == f"exit-code={code}"
    assert "# Not conformant" in (tmp_path / "summary").read_text()
    document: dict[str, Any] = yaml.safe_load((tmp_path / "mlconform-report/summary.json").read_text())
    assert document["schema_version"] == SCHEMA_VERSION


def test_the_container_installs_runs_as_nobody_special_and_tells_its_health(tmp_path: Path) -> None:
    build = re.findall(r"^RUN (python .+)$", DOCKERFILE, re.MULTILINE)
    assert len(build) == 1
    command = build[0].replace("/opt/mlconform", str(tmp_path / "opt")).replace("/src", str(ROOT))
    built = run(command, tmp_path, offline())
    assert built.returncode == 0, built.stderr
    assert re.findall(r"^USER (\w+)$", DOCKERFILE, re.MULTILINE) == ["mlconform"]
    served = yaml.safe_load(re.findall(r"^CMD (\[.+\])$", DOCKERFILE, re.MULTILINE)[0])
    asks = yaml.safe_load(re.findall(r"^HEALTHCHECK .*? CMD (\[.+\])$", DOCKERFILE, re.MULTILINE)[0])
    assert served[-2:] == ["--port", "9280"]
    with subprocess.Popen(
        [str(tmp_path / "opt/bin/mlconform"), *served[:-1], "0"],
        env=offline(),
        stdout=subprocess.PIPE,
        text=True,
    ) as mock:
        try:
            assert mock.stdout is not None
            port = re.search(r":(\d+)", mock.stdout.readline())
            assert port is not None
            asked = shlex.join(asks).replace("9280", port[1])
            assert run(asked, tmp_path, offline()).returncode == 0
        finally:
            mock.terminate()
    assert run(asked, tmp_path, offline()).returncode == 1


def test_the_image_is_made_of_what_the_product_needs_alone() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert kept == {
        "conformance",
        "mlconform",
        "mock_server",
        "schemas",
        "reports/*.json",
        "pyproject.toml",
        "README.md",
        "LICENSE",
    }
