"""Each page of docs/ that adds something is followed to its end in a copy of the checkout, to the letter.

What is done is each command, and each block that a sentence sends to a file: Write `FILE`: and
In `FILE`, below `LINE`: or in place of `LINE`:.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WALKS = sorted(ROOT.glob("docs/adding-*.md"))
DOCS = Path(os.environ.get("DOCS", ROOT.parent / "shared" / "docs"))
_BLOCK = re.compile(
    r"(?P<said>[^\n]*)\n\n(?P<indent> *)```(?P<kind>\w+)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL
)
_WRITE = re.compile(r"[Ww]rite `(?P<file>[^`]+)`(?:, [^`]*)?:$")
_EDIT = re.compile(r"[Ii]n `(?P<file>[^`]+)`, (?P<how>below|in place of) `(?P<line>[^`]+)`:$")
_LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", ".*_cache", "clients", "latest", "node_modules")


@dataclass(frozen=True)
class Checkout:
    """A copy of the checkout, installed in an environment of its own."""

    folder: Path
    environment: dict[str, str]

    def sh(self, text: str) -> None:
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert ended.returncode == 0, f"{text}\n{ended.stdout}{ended.stderr}"

    def write(self, file: str, text: str) -> None:
        path = self.folder / file.replace("$DOCS", self.environment["DOCS"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, file: str, line: str, text: str, *, stays: bool) -> None:
        before = (self.folder / file).read_text(encoding="utf-8")
        (found,) = [each for each in before.splitlines(keepends=True) if line == each.strip()]
        self.write(file, before.replace(found, (found if stays else "") + text, 1))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """What else is needed is taken from where the tests run; pip gets nothing from a network."""
    folder = tmp_path / "checkout"
    shutil.copytree(ROOT, folder, symlinks=True, ignore=_LEFT_OUT)
    place = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    made = Checkout(
        folder,
        {
            **own,
            "PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": sysconfig.get_path("purelib"),
            "PIP_NO_INDEX": "1",
            "DOCS": str(tmp_path / "docs"),
        },
    )
    made.sh("python -m pip install --quiet --no-deps --no-build-isolation -e .")
    return made


def follow(page: Path, checkout: Checkout) -> int:
    """Do what a page says; how many steps that were."""
    steps = 0
    for block in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        text = re.sub(rf"^{block['indent']}", "", block["text"], flags=re.MULTILINE)
        if block["kind"] == "sh":
            checkout.sh(text)
        elif written := _WRITE.search(block["said"]):
            checkout.write(written["file"], text)
        elif edited := _EDIT.search(block["said"]):
            checkout.edit(edited["file"], edited["line"], text, stays=edited["how"] == "below")
        else:
            raise AssertionError(f"{page.name}: where does this go?\n{block[0]}")
        steps += 1
    return steps


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.stem)
def test_a_page_is_followed_to_its_end(walk: Path, checkout: Checkout) -> None:
    if "$DOCS" in walk.read_text(encoding="utf-8"):
        if not DOCS.is_dir():
            pytest.skip(f"needs the documentation pages in {DOCS}, or DOCS")
        shutil.copytree(DOCS, checkout.environment["DOCS"])
    assert follow(walk, checkout) > 3
