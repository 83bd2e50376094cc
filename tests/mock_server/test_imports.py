"""The mock is a reading of its own: it shares no code with what judges it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import mlconform.mock_server

ROOT = Path(mlconform.mock_server.__file__).parent


def _imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_nothing_of_the_judge(path: Path) -> None:
    assert not {name for name in _imported(path) if name.startswith("mlconform.conformance")}


@pytest.mark.parametrize(
    "path", sorted(ROOT.rglob("*/__init__.py")), ids=lambda path: str(path.parent.relative_to(ROOT))
)
def test_a_room_says_who_needs_it(path: Path) -> None:
    said = ast.get_docstring(ast.parse(path.read_text())) or ""
    assert any(line.startswith("Needed by ") for line in said.splitlines())
