"""Checks and requirements belong together, and no check cheats."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import mlconform.conformance.suites
from mlconform.conformance.contract import store
from mlconform.conformance.contract.model import Level, Requirement

SUITES = Path(mlconform.conformance.suites.__path__[0])
FILES = sorted(SUITES.rglob("*.py"))
CHECKS = [path for path in FILES if path.name.startswith("test_")]
FOLDERS = {"opensearch_ml": "opensearch-ml", "nugen": "nugen"}


def name_of(path: Path) -> str:
    return path.relative_to(SUITES).as_posix()


@cache
def requirements(profile: str) -> dict[str, Requirement]:
    found: dict[str, Requirement] = {}
    for version in store.versions(profile):
        found |= store.load(profile, version).requirements
    return found


def bound(path: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(name, ids) of every check in a file, classes included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        body = node.body if isinstance(node, ast.Module | ast.ClassDef) else []
        within = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        for function in body:
            if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
                ids = [
                    argument.value
                    for decorator in function.decorator_list
                    for call in ast.walk(decorator)
                    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
                    if call.func.id in ("requirement", "deciding")
                    # Of the parameters that `deciding` takes, the first is the id.
                    for argument in (call.args if call.func.id == "requirement" else call.args[:1])
                    if isinstance(argument, ast.Constant)
                ]
                yield f"{name_of(path)}::{within}{function.name}", tuple(ids)


ALL = [(path.parent.name, name, ids) for path in CHECKS for name, ids in bound(path)]


def test_there_are_checks_of_every_profile() -> None:
    assert {folder for folder, _, _ in ALL} == set(FOLDERS)
    assert len(ALL) > 100


@pytest.mark.parametrize(("folder", "name", "ids"), ALL, ids=[name for _, name, _ in ALL])
def test_a_check_is_bound_to_requirements_that_exist(folder: str, name: str, ids: tuple[str, ...]) -> None:
    assert ids, f"{name} decides nothing: give it a @requirement"
    assert not [each for each in ids if each not in requirements(FOLDERS[folder])]


@pytest.mark.parametrize("profile", FOLDERS.values())
def test_a_requirement_without_a_check_says_why(profile: str) -> None:
    silent = [
        each.id
        for each in requirements(profile).values()
        if not each.checks and not each.unchecked and each.level is not Level.UNSPECIFIED
    ]
    assert silent == []


@pytest.mark.parametrize(("folder", "profile"), FOLDERS.items())
def test_the_contract_names_the_checks_that_there_are(folder: str, profile: str) -> None:
    deciding: dict[str, set[str]] = {}
    for where, name, ids in ALL:
        for each in ids if where == folder else ():
            deciding.setdefault(each, set()).add(name)
    told = {each.id: set(each.checks) for each in requirements(profile).values() if each.checks}
    assert told == deciding


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_check_sleeps_or_knows_its_target(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name for name in names if "sleep" in name or "mock" in name.lower()}
    assert not {name for name in modules if name.split(".")[0] in {"time", "urllib3", "socket"}}
    assert not {name for name in modules if name.startswith("mlconform.mock_server")}


@pytest.mark.parametrize("path", CHECKS, ids=name_of)
def test_no_check_uses_the_controls_of_a_mock(path: Path) -> None:
    assert "/_mock" not in path.read_text(encoding="utf-8")
