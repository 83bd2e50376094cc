"""What `new` writes, in a copy of the checkout: begin, see what is next, do it, see the test pass."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what is built from; its tests are those that `new` writes alone."""
    for name in ("conformance", "mlconform", "mock_server", "schemas"):
        shutil.copytree(ROOT / name, tmp_path / name, symlinks=True)
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    return tmp_path


def python(checkout: Path, *words: str) -> tuple[int, str]:
    """How `python WORDS` ends in the copy, and what it says."""
    ended = subprocess.run(
        [sys.executable, *words],
        cwd=checkout,
        # No test that `new` writes needs a plugin, and to load those of others takes seconds.
        env={**os.environ, "PYTHONPATH": str(checkout), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


def new(checkout: Path, *words: str) -> str:
    """Begin one; the name of its test."""
    code, told = python(checkout, "-m", "mlconform", "new", *words)
    assert code == 0, told
    return told.rsplit("pytest ", 1)[1].strip()


def put(path: Path, after: str, text: str) -> None:
    """Add text behind the first place where `after` stands in a file."""
    before = path.read_text(encoding="utf-8")
    assert after in before
    path.write_text(before.replace(after, after + text, 1), encoding="utf-8")


def fails_with(checkout: Path, test: str, message: str) -> None:
    code, told = python(checkout, "-m", "pytest", "-q", test)
    assert code == 1
    assert message in told


def passes(checkout: Path, test: str) -> None:
    code, told = python(checkout, "-m", "pytest", "-q", test)
    assert code == 0, told


def test_a_mutant_is_added_by_its_steps(checkout: Path) -> None:
    test = new(checkout, "mutant", "nugen-still-infers")
    fails_with(checkout, test, "next: give mock_server/faults.py a mutant 'nugen-still-infers'")
    added = '\n    _nugen("still-infers", "An undeployed model answers.", undeployed_infers=True),'
    put(checkout / "mock_server/faults.py", "_ALL = (", added)
    fails_with(checkout, test, "next: say in conformance/mutants/faults.py which requirement")
    broken = checkout / "conformance/mutants/faults.py"
    put(
        broken,
        "BROKEN: Final[Mapping[str, str]] = {",
        '\n    "nugen-still-infers": "nugen.undeploy.unknown",',
    )
    fails_with(checkout, test, "next: have a check of nugen.undeploy.unknown notice")
    broken.write_text(
        broken.read_text(encoding="utf-8").replace(
            '"nugen-still-infers": "nugen.undeploy.unknown"',
            '"nugen-still-infers": "nugen.undeploy.no-inference"',
        ),
        encoding="utf-8",
    )
    passes(checkout, test)


def test_a_check_says_what_is_next(checkout: Path) -> None:
    test = new(checkout, "check", "osml.delete.again")
    fails_with(checkout, test, "next: give osml.delete.again an entry in schemas/opensearch-ml/overlay")


def test_a_page_says_what_is_next(checkout: Path) -> None:
    test = new(checkout, "page", "more")
    fails_with(checkout, test, "next: list more under `pages` of schemas/opensearch-ml/overlay.yaml")
    overlay = checkout / "schemas/opensearch-ml/overlay.yaml"
    put(overlay, "\npages:\n", "- {id: more, file: more.md, area: osml.more}\n")
    fails_with(checkout, test, "next: mlconform contract build --docs DOCS")


def test_a_profile_says_what_is_next(tmp_path: Path) -> None:
    code, told = python(tmp_path, "-m", "mlconform", "new", "profile", "my-things")
    assert code == 0, told
    test = told.rsplit("pytest ", 1)[1].strip()
    fails_with(tmp_path, test, "next: put the page of the documentation at my-things/pages/start.md")
    page = tmp_path / "my-things/pages/start.md"
    page.parent.mkdir()
    page.write_text("# Things\n", encoding="utf-8")
    fails_with(tmp_path, test, "next: pip install --no-deps --no-build-isolation -e my-things")


def test_a_profile_has_a_name_that_everything_of_it_can_have(tmp_path: Path) -> None:
    code, told = python(tmp_path, "-m", "mlconform", "new", "profile", "My_Things")
    assert code == 2
    assert "found 'My_Things'; choose another" in told


def test_what_is_there_is_not_overwritten(checkout: Path) -> None:
    new(checkout, "page", "more")
    code, told = python(checkout, "-m", "mlconform", "new", "page", "more")
    assert code == 2, told
    assert "test_page_more.py is there already" in told
