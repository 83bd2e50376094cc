"""The report knows events: it imports nothing of pytest, targets, suites or the mock."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import mlconform.conformance.report

ROOT = Path(mlconform.conformance.report.__path__[0])
ALLOWED = {"mlconform.conformance.report", "mlconform.conformance.contract.model"}
FOREIGN = {"pytest", "_pytest", "hypothesis", "schemathesis", "urllib3"}


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.py")), ids=lambda path: path.name)
def test_imports_only_what_it_may(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name for name in names if name.split(".")[0] in FOREIGN}
    ours = {name for name in names if name.split(".")[0] == "mlconform"}
    assert not {
        name for name in ours if name not in ALLOWED and not name.startswith("mlconform.conformance.report.")
    }
