"""The API tests of the OpenSearch project itself, its YAML stories for ML Commons, told to the mock.

They are where `OFFICIAL_TESTS` says, a checkout of opensearch-api-specification or a part of it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mlconform.mock_server.fixture import running_mock

ROOT = Path(__file__).parents[2]
OFFICIAL = Path(os.environ.get("OFFICIAL_TESTS", ROOT.parent / "shared" / "official-tests"))
STORIES = Path("tests/plugins/ml/ml")
LEFT_OUT = {
    "execute": "the mock does not run algorithms that are executed",
    "execute_tool": "nor tools",
    "memory": "nor has it memories",
    "memory_container": "nor containers of them",
    "models/predict": "expects the number of a real engine",
    "predict": "trains on documents that are sent in bulk",
    "tools": "the mock has them for its secured behaviour alone",
    "train": "trains on documents that are sent in bulk",
    "train_predict": "trains on documents that are sent in bulk",
}
_RESULT = re.compile(r"^(PASSED|FAILED|ERROR|SKIPPED)\s+(\S+\.yaml)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def equipment(pytestconfig: pytest.Config, build: Callable[..., None]) -> Path:
    """A copy with what it needs installed, and with the stories alone that the mock is to pass."""
    if not OFFICIAL.is_dir():
        pytest.skip(f"the official tests are not at {OFFICIAL}: set OFFICIAL_TESTS to a checkout of them")
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("official")
    shutil.copytree(OFFICIAL, folder, dirs_exist_ok=True)
    for story in LEFT_OUT:
        shutil.rmtree(folder / STORIES / story, ignore_errors=True)
        (folder / STORIES / f"{story}.yaml").unlink(missing_ok=True)
    if not (folder / "node_modules").is_dir():
        build(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    return folder


def _run(folder: Path, *command: str) -> str:
    ended = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "OPENSEARCH_PASSWORD": "x"},
        capture_output=True,
        text=True,
        timeout=480,
        check=False,
    )
    return _COLOUR.sub("", ended.stdout) + ended.stderr


def test_every_story_about_what_is_mocked_passes(equipment: Path) -> None:
    wanted = sorted(path.relative_to(equipment / STORIES).as_posix() for path in _stories(equipment))
    with running_mock(behaviour="opensearch-3.4", nodes=1, progress="immediate") as mock:
        version = ("--opensearch-version", "3.4.0", "--opensearch-distribution", "opensearch.org")
        url = ("--opensearch-url", mock.url, "--tests", str(STORIES))
        said = _run(equipment, "npm", "run", "-s", "test:spec", "--", *url, *version)
    results = dict(match.groups()[::-1] for line in said.splitlines() if (match := _RESULT.match(line)))
    assert sorted(results) == wanted, said
    assert set(results.values()) == {"PASSED"}, said


def _stories(equipment: Path) -> list[Path]:
    found = list((equipment / STORIES).rglob("*.yaml"))
    assert len(found) > 20
    return found
