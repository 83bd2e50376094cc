"""The clients that people have tell the same story of a model, unchanged; README.md beside this says how."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mlconform.mock_server import Request
from mlconform.mock_server.fixture import RunningMock, running_mock

HERE = Path(__file__).parent
SCRIPT = HERE / "story.json"
TOLD = {
    "life": ["DEPLOYED", 200, "deleted"],
    "safe_delete": [
        409,
        "1 ingest pipelines are still using this model, please delete or update the pipelines first: [p]",
        "deleted",
    ],
    "time_to_live": "UNDEPLOYED",
    "error": [404, "Failed to find model with the provided model id: none"],
}
Built = Callable[[str], Path]
Build = Callable[..., None]


def run(*command: str, cwd: Path) -> str:
    """What a command prints."""
    ended = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, f"{' '.join(command)}\n{ended.stdout}{ended.stderr}"
    return ended.stdout


@pytest.fixture(scope="module")
def mock() -> Any:
    with running_mock(nodes=1) as running:
        yield running


@pytest.fixture
def world(mock: RunningMock) -> RunningMock:
    """The mock as if nobody had used it."""
    mock.server.handle(Request("POST", "/_mock/reset"))
    return mock


@pytest.fixture(scope="module")
def built(pytestconfig: pytest.Config) -> Built:
    """Copies a client's folder to where it may be built; what was built there before is used again."""
    assert pytestconfig.cache is not None
    root = pytestconfig.cache.mkdir("clients")

    def copy(name: str) -> Path:
        shutil.copytree(HERE / name, root / name, dirs_exist_ok=True)
        return root / name

    return copy


def _python() -> ModuleType:
    spec = importlib.util.spec_from_file_location("python_story", HERE / "python_story.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "compressed"])
@pytest.mark.parametrize("awaited", [False, True], ids=["sync", "async"])
def test_opensearch_py(world: RunningMock, awaited: bool, compressed: bool) -> None:
    script = json.loads(SCRIPT.read_text())
    assert _python().tell(world.url, script, compressed=compressed, awaited=awaited) == TOLD


def test_opensearch_js(world: RunningMock, built: Built, build: Build) -> None:
    folder = built("javascript")
    build(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    assert json.loads(run("node", "story.mjs", world.url, str(SCRIPT), cwd=folder)) == TOLD


def test_opensearch_go(world: RunningMock, built: Built, build: Build) -> None:
    folder = built("go")
    build(folder, "go", "build", "-o", "story", ".")
    assert json.loads(run("./story", world.url, str(SCRIPT), cwd=folder)) == TOLD


def test_java(world: RunningMock, built: Built, build: Build) -> None:
    """opensearch-java, and the JDK's HTTP client with its defaults, which offers h2c with every request.

    One test for both: two Mavens at once would write to one folder.
    """
    folder = built("java")
    goals = ("compile", "dependency:build-classpath", "-Dmdep.outputFile=classpath")
    build(folder, "mvn", "-q", "-B", *goals)
    classpath = f"target/classes:{(folder / 'classpath').read_text().strip()}"
    for client in ("opensearch-java", "jdk"):
        world.server.handle(Request("POST", "/_mock/reset"))
        told = run("java", "-cp", classpath, "Story", world.url, str(SCRIPT), client, cwd=folder)
        assert json.loads(told.splitlines()[-1]) == TOLD, client
