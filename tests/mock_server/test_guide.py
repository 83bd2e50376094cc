"""The guide does not drift: its calls are made, its tables are those of the mock, its tests pass."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from mlconform.mock_server import USERS, MockServer, Request, Security, stubs
from mlconform.mock_server.fault_injection import MEMBERS, Kind
from mlconform.mock_server.fixture import running_mock
from mlconform.mock_server.opensearch_ml.unmocked import UNMOCKED

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "mock_server" / "README.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
PORT = "127.0.0.1:9280"
SECURED = "https://127.0.0.1:9281"
pytest_plugins = ["pytester"]


def blocks(text: str, language: str) -> list[str]:
    """The contents of the fenced blocks in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def calls(text: str) -> list[str]:
    return [line for block in blocks(text, "sh") for line in block.splitlines() if line.startswith("curl ")]


def operations() -> list[dict[str, Any]]:
    listed = MockServer().handle(Request("GET", "/_mock/"))
    found: list[dict[str, Any]] = json.loads(listed.body)["operations"]
    return found


def section(name: str) -> str:
    """What the guide says of the operations of this name."""
    found = re.search(rf"^### {name}\n(.*?)^##", GUIDE, re.DOTALL | re.MULTILINE)
    assert found, f"the guide has no section of {name}"
    return found[1]


def first_cells(text: str) -> list[str]:
    """What the first column of the tables names."""
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def make(call: str, folder: Path) -> None:
    """Make a call of the guide, which must succeed."""
    words = call.replace("curl ", "curl --fail-with-body --max-time 10 ", 1)
    ended = subprocess.run(
        words, shell=True, cwd=folder, capture_output=True, text=True, timeout=20, check=False
    )
    assert ended.returncode == 0, f"{call}\n{ended.stdout}{ended.stderr}"


_NESTED: dict[str, set[str]] = {
    "faults": {*MEMBERS, *Kind},
    "stubs": {*stubs.MEMBERS, *stubs.ANSWER_MEMBERS, *stubs.CONDITION_MEMBERS},
}


def test_the_guide_lists_what_is_not_mocked() -> None:
    said = GUIDE.partition("## What is not mocked")[2]
    for known in UNMOCKED:
        paths = ", ".join(f"`{path}`" for path in known.paths)
        assert f"| {paths} | {known.reason} | {known.instead} |" in said


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running_mock() as mock:
        yield mock.url.removeprefix("http://")


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("document", [GUIDE, README], ids=["guide", "readme"])
def test_every_call_is_answered_as_a_success(address: str, document: str, tmp_path: Path) -> None:
    """In their order and in one folder, for one may write what the next one sends."""
    made = [call for call in calls(document) if SECURED not in call]
    assert made != []
    for call in made:
        assert PORT in call
        make(call.replace(PORT, address), tmp_path)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_every_call_of_a_user_is_answered_as_a_success(tmp_path: Path) -> None:
    made = [call for call in calls(GUIDE) if SECURED in call]
    assert made != []
    with running_mock(security=Security(), tls=True) as mock:
        shutil.copy(str(mock.ca_file), tmp_path / "ca.pem")
        for call in made:
            make(call.replace(SECURED, mock.url), tmp_path)


def test_every_operation_has_its_section_its_call_and_its_members() -> None:
    grouped = groupby(operations(), key=lambda one: one["operation"].split("/")[-1])
    for name, known in grouped:
        listed, said = list(known), section(name)
        assert all(f"`{one['operation']}`" in said for one in listed), name
        assert any(f"/_mock/{name}" in call for call in calls(said)), name
        members = {member for one in listed for member in one["members"]}
        assert set(first_cells(said)) == members | _NESTED.get(name, set()), name


def test_the_guide_has_no_section_of_an_operation_that_is_not() -> None:
    known = {one["operation"].split("/")[-1] for one in operations()}
    assert set(re.findall(r"^### (.+)$", GUIDE, re.MULTILINE)) == known


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(block, id=f"{name}-{number}")
        for name, text in (("guide", GUIDE), ("readme", README))
        for number, block in enumerate(blocks(text, "python"), 1)
    ],
)
def test_every_example_passes(pytester: pytest.Pytester, example: str) -> None:
    pytester.makeini("[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n")
    pytester.makepyfile(test_example=example)
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(
        passed=len(re.findall(r"^def test_", example, re.MULTILINE))
    )


def test_the_guide_names_the_users_and_their_backend_roles() -> None:
    named = re.findall(r"^\| `(\w+)` \| (?:`\w+`)? ?\| (?:`(\w+)`)? ?\|$", GUIDE, re.MULTILINE)
    assert dict(named) == {name: "".join(roles) for name, roles in USERS.items()}


@pytest.mark.parametrize(
    "name", re.findall(r"`(\w+/[\w<>/.-]+\.(?:py|yaml))`", (ROOT / "CONTRIBUTING.md").read_text())
)
def test_the_files_that_contributing_names_are_there(name: str) -> None:
    assert list(ROOT.glob(re.sub(r"<\w+>", "*", name)))
