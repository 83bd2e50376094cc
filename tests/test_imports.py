"""Who may import whom."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import mlconform.conformance
import mlconform.mock_server

CONFORMANCE = Path(mlconform.conformance.__path__[0])
MOCK_SERVER = Path(mlconform.mock_server.__path__[0])
# Where the mock is started, served and offered to other people's tests.
STARTS_THE_MOCK = {"targets/connect.py", "commands/mock.py", "plugin.py"}
# What `new profile` writes is another package's half of the mock.
OF_OTHERS = {"commands/skeleton/new_api_profile/mock.py"}


def imports(path: Path) -> set[str]:
    """The dotted names that a file imports, wherever in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def within(names: set[str], *rooms: str) -> set[str]:
    return {name for name in names if any(name == room or name.startswith(f"{room}.") for room in rooms)}


def files(root: Path, below: str = "") -> list[object]:
    found = sorted((root / below).rglob("*.py"))
    assert found, f"{below} has moved"
    return [pytest.param(path, id=path.relative_to(root).as_posix()) for path in found]


@pytest.mark.parametrize("path", files(CONFORMANCE))
def test_the_mock_is_used_in_three_places_alone(path: Path) -> None:
    if path.relative_to(CONFORMANCE).as_posix() not in STARTS_THE_MOCK | OF_OTHERS:
        assert not within(imports(path), "mlconform.mock_server")


@pytest.mark.parametrize("name", sorted(STARTS_THE_MOCK))
def test_those_places_do_use_it(name: str) -> None:
    assert within(imports(CONFORMANCE / name), "mlconform.mock_server")


@pytest.mark.parametrize("path", files(MOCK_SERVER))
def test_the_mock_knows_nothing_of_the_suite(path: Path) -> None:
    assert not within(imports(path), "mlconform.conformance")


@pytest.mark.parametrize("path", files(CONFORMANCE, "contract"))
def test_the_contract_stands_alone(path: Path) -> None:
    names = imports(path)
    assert within(names, "mlconform.conformance") == within(names, "mlconform.conformance.contract")
    assert not within(names, "pytest", "hypothesis", "schemathesis", "urllib3")


@pytest.mark.parametrize("path", files(CONFORMANCE, "oracle"))
def test_the_oracle_stands_alone(path: Path) -> None:
    names = imports(path)
    assert within(names, "mlconform.conformance") == within(names, "mlconform.conformance.oracle")


@pytest.mark.parametrize("path", files(CONFORMANCE, "report"))
def test_the_report_knows_events_and_no_pytest(path: Path) -> None:
    names = imports(path)
    allowed = within(names, "mlconform.conformance.report", "mlconform.conformance.contract.model")
    assert within(names, "mlconform.conformance") == allowed
    assert not within(names, "pytest", "_pytest", "hypothesis", "schemathesis", "urllib3")


@pytest.mark.parametrize("path", files(CONFORMANCE, "targets"))
def test_the_target_knows_no_checks(path: Path) -> None:
    names = imports(path)
    rooms = ["targets", "errors", "outcomes", "report.events", "contract.model"]
    allowed = within(names, *(f"mlconform.conformance.{room}" for room in rooms))
    assert within(names, "mlconform.conformance") == allowed


@pytest.mark.parametrize("path", files(CONFORMANCE, "suites"))
def test_checks_speak_only_through_a_session(path: Path) -> None:
    names = imports(path)
    rooms = ["suites", "targets", "oracle", "outcomes", "contract.model", "contract.routes"]
    if path.name == "expect.py":
        rooms += ["report.events"]
    if path.name == "conftest.py":
        rooms += ["running.checks", "running.endings", "running.judging", "running.waiting", "plugin"]
    if path.name == "profile.py":
        rooms += ["contract.store"]
    if path.name == "generated.py":
        rooms += ["contract.store", "contract"]
    allowed = within(names, *(f"mlconform.conformance.{room}" for room in rooms))
    assert within(names, "mlconform.conformance") == allowed
    assert not within(
        names, "mlconform.conformance.targets.transport", "mlconform.conformance.targets.connect"
    )
