from __future__ import annotations

import pytest

from mlconform.conformance.contract.checks import decided_by
from mlconform.conformance.contract.errors import ContractError

from .conftest import Project

SUITE = """
from somewhere import marks
from somewhere.marks import requirement

@requirement("a.one", "a.two")
def test_function(session): ...

@marks.requirement("a.one")
async def test_other(session): ...

@requirement("a.three")
class TestAll:
    @requirement("a.four")
    def test_inner(self): ...

def test_nothing(): ...
"""


def test_functions_classes_and_methods_are_found(project: Project) -> None:
    folder = project.suites / "area"
    folder.mkdir()
    (folder / "test_x.py").write_text(SUITE, encoding="utf-8")
    assert decided_by(project.suites) == {
        "a.one": ("area/test_x.py::test_function", "area/test_x.py::test_other"),
        "a.two": ("area/test_x.py::test_function",),
        "a.three": ("area/test_x.py::TestAll",),
        "a.four": ("area/test_x.py::TestAll::test_inner",),
    }


def test_parameters_say_what_they_decide_by_their_first_value(project: Project) -> None:
    parameters = '@parametrize(("name", "sent"), [deciding("a.one", "x"), deciding("a.two", "y")])'
    suite = f"{parameters}\ndef test_a(): ...\n"
    (project.suites / "test_x.py").write_text(suite, encoding="utf-8")
    assert decided_by(project.suites) == {"a.one": ("test_x.py::test_a",), "a.two": ("test_x.py::test_a",)}


def test_other_files_are_left_alone(project: Project) -> None:
    (project.suites / "api.py").write_text(SUITE, encoding="utf-8")
    assert decided_by(project.suites) == {}


def test_an_id_that_is_no_plain_string_is_refused(project: Project) -> None:
    (project.suites / "test_x.py").write_text("@requirement(NAME)\ndef test_a(): ...\n", encoding="utf-8")
    with pytest.raises(ContractError, match=r"test_x\.py:1: .*found NAME"):
        decided_by(project.suites)


def test_a_file_that_is_no_python_is_named(project: Project) -> None:
    (project.suites / "test_x.py").write_text("def (", encoding="utf-8")
    with pytest.raises(ContractError, match=r"test_x\.py"):
        decided_by(project.suites)
