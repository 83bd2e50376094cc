"""The pages come out of a checkout of the repository that they are published from, at the locked commits."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mlconform.conformance.contract.build import build
from mlconform.conformance.contract.checkout import copy_pages
from mlconform.conformance.contract.errors import ContractError

from .conftest import PAGE, Project

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
OLD, NEW = PAGE, PAGE.replace("How it goes.", "How it went.")


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=x", "-c", "user.email=x@localhost", "-c", "commit.gpgsign=false")
    ended = subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True
    )
    return ended.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository whose only page is of version 1.0 in one commit and of 2.0 in the next."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "-q")
    for text in (OLD, NEW):
        (folder / "start.md").write_text(text, encoding="utf-8")
        git(folder, "add", "start.md")
        git(folder, "commit", "-q", "-m", "a version")
    return folder


@pytest.fixture
def things(project: Project, checkout: Path) -> Project:
    """A small profile in two versions, built from pages that are gone now."""
    new, old = git(checkout, "log", "--format=%H").split()
    for version, text in (("1.0", OLD), ("2.0", NEW)):
        (project.docs / version).mkdir()
        (project.docs / version / "start.md").write_text(text, encoding="utf-8")
    (project.docs / "start.md").unlink()
    write(project, commits={"1.0": old, "2.0": new})
    build(project.docs, overlays=project.root)
    shutil.rmtree(project.docs)
    return project


def write(project: Project, **changes: Any) -> None:
    versions = {"versions": ["1.0", "2.0"], "folders": {"1.0": "1.0", "2.0": "2.0"}}
    project.write_overlay(**versions, **changes)


def test_each_version_has_its_pages_again(things: Project, checkout: Path) -> None:
    said = list(copy_pages(checkout, things.docs, things.root))
    assert [line.partition(":")[0] for line in said] == ["1.0/start.md", "2.0/start.md"]
    assert (things.docs / "1.0/start.md").read_text(encoding="utf-8") == OLD
    assert (things.docs / "2.0/start.md").read_text(encoding="utf-8") == NEW


def test_a_page_that_is_another_one_is_refused(things: Project, checkout: Path) -> None:
    new = git(checkout, "rev-parse", "HEAD")
    write(things, commits={"1.0": new, "2.0": new})
    with pytest.raises(ContractError, match=f"1.0/start.md: expected SHA-256 .* of commit {new}"):
        list(copy_pages(checkout, things.docs, things.root))


def test_a_commit_that_is_not_there_is_told(things: Project, checkout: Path) -> None:
    write(things, commits={"1.0": "0" * 40})
    with pytest.raises(ContractError, match="a checkout with its history"):
        list(copy_pages(checkout, things.docs, things.root))


def test_a_page_from_elsewhere_is_named(things: Project, checkout: Path) -> None:
    write(things, commits={})
    said = list(copy_pages(checkout, things.docs, things.root))
    assert all("not from the repository" in line for line in said)
    assert not things.docs.exists()
