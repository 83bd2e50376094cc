"""The table of what node and mock are not judged alike in: exactly that is accepted."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from mlconform.conformance.report.verdicts import Kind

ROOT = Path(__file__).parents[2]
HEAD = "| requirement | cluster | node | mock | why |\n| --- | --- | --- | --- | --- |\n"


@pytest.fixture(scope="module")
def differences() -> ModuleType:
    place = ROOT / "benchmarks" / "differences.py"
    spec = importlib.util.spec_from_file_location("differences", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["differences"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def page(tmp_path: Path) -> Path:
    found = tmp_path / "page.md"
    found.write_text(
        f"Words.\n\n{HEAD}| `a.b` | one, two | pass or known | known | Chance. |\n\nMore | words.\n"
    )
    return found


def test_the_table_of_the_project_can_be_read(differences: ModuleType) -> None:
    assert all(row.requirement.startswith("osml.") and row.why for row in differences.listed())


@pytest.mark.parametrize(
    ("cluster", "node", "mock", "told"),
    [
        ("one", Kind.PASS, Kind.KNOWN, False),
        ("two", Kind.KNOWN, Kind.KNOWN, False),
        ("one", Kind.FAIL, Kind.KNOWN, True),
        ("one", Kind.PASS, Kind.PASS, True),
        ("another", Kind.PASS, Kind.KNOWN, True),
        ("another", Kind.FAIL, Kind.FAIL, False),
    ],
    ids=["as listed", "listed too", "worse", "no longer so", "elsewhere", "alike"],
)
def test_what_is_listed_is_accepted_and_nothing_else(
    differences: ModuleType, page: Path, cluster: str, node: Kind, mock: Kind, told: bool
) -> None:
    rows = differences.listed(page)
    assert bool(differences.unlisted(cluster, {"a.b": node}, {"a.b": mock}, rows)) is told


def test_what_one_of_them_did_not_decide_is_no_difference(differences: ModuleType, page: Path) -> None:
    assert differences.unlisted("one", {}, {"a.b": Kind.PASS}, differences.listed(page)) == []


@pytest.mark.parametrize(
    "text", ["No table.", f"{HEAD}| a.b | one | pass |\n", f"{HEAD}| a | b | good | pass | c |\n"]
)
def test_a_table_that_cannot_be_read_is_refused(differences: ModuleType, tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(ValueError, match=r"expected|is not a valid"):
        differences.listed(page)
