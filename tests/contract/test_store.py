from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from mlconform.conformance.contract import files, store
from mlconform.conformance.contract.build import build
from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.contract.model import Level

from .conftest import Project


@pytest.fixture
def built(project: Project) -> Project:
    """The small profile with contracts of versions 2.3, 2.19 and 3.4."""
    build(project.docs, overlays=project.root)
    for version in ("2.19", "3.4"):
        shutil.copytree(project.root / "things" / "2.3", project.root / "things" / version)
    return project


def test_versions_are_sorted_as_numbers(built: Project) -> None:
    assert store.versions("things", built.root) == ("2.3", "2.19", "3.4")


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        (None, "3.4"),
        ("2.19", "2.19"),
        ("2.19.0", "2.19"),
        ("2.19.3", "2.19"),
        ("2.4", "2.3"),
        ("3.3.9", "2.19"),
        ("3.4.0", "3.4"),
        ("10", "3.4"),
    ],
)
def test_the_newest_version_that_is_not_newer_is_chosen(
    built: Project, asked: str | None, chosen: str
) -> None:
    assert store.load("things", asked, built.root).version == chosen


@pytest.mark.parametrize(
    ("profile", "version", "message"),
    [
        ("thing", None, "no contract for profile 'thing'; known are things; did you mean things"),
        ("things", "1.0", "no contract for version 1.0 or older; there is 2.3, 2.19, 3.4"),
        ("things", "new", "expected a documentation version such as 3.4, found 'new'"),
        ("../things", None, "no contract for profile"),
    ],
)
def test_what_is_not_there_is_told(built: Project, profile: str, version: str | None, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        store.load(profile, version, built.root)


@pytest.mark.parametrize("text", ["", "a: [", "profile: things\n", "requirements: 1\n"])
def test_a_file_that_is_not_as_generated_is_told(built: Project, text: str) -> None:
    (built.root / "things" / "3.4" / "requirements.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ContractError, match=r"things/3\.4/requirements\.yaml.*mlconform contract build"):
        store.load("things", root=built.root)


SCHEMAS = store.schemas_root()
GENERATED = sorted(
    path for name in (files.REQUIREMENTS, files.OPENAPI) for path in SCHEMAS.glob(f"*/*/{name}")
)


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.relative_to(SCHEMAS).as_posix())
def test_a_generated_file_says_the_same_to_readers_of_yaml_and_of_json(path: Path) -> None:
    _, _, rest = path.read_bytes().partition(b"\n")
    assert yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader) == json.loads(rest)


@pytest.mark.parametrize(
    "text", ["a\x85b\u2028c\u2029d", 'q"\\', "# no comment", "tab\there", "\U0001f600", "\x7f"]
)
def test_whatever_a_page_says_is_read_back_as_it_was(text: str) -> None:
    value = {"things": [{text: text}, text * 40], "none": None, "nothing": []}
    written = files.dump(value)
    assert yaml.safe_load(written) == files.parse(written, "things") == value


def test_a_contract_that_was_written_as_blocks_of_yaml_is_read_too(built: Project) -> None:
    path = built.root / "things" / "3.4" / "requirements.yaml"
    before = store.load("things", root=built.root)
    path.write_text("# made\n" + yaml.safe_dump(yaml.safe_load(path.read_bytes())), encoding="utf-8")
    assert store.load("things", root=built.root) == before


def test_a_loaded_contract_is_what_was_built(built: Project) -> None:
    contract = store.load("things", "2.3", built.root)
    requirement = contract.requirements["things.start.answer"]
    assert (requirement.level, requirement.operation) == (Level.EXAMPLE, "start_thing")
    assert str(requirement.sources[0]).startswith("start:")
    assert len({unit.key for unit in contract.units}) == len(contract.units) == 18


def test_the_shipped_profiles() -> None:
    assert store.profiles() == ("nugen", "opensearch-ml")
    assert store.load("opensearch-ml", "2.19").version == "2.19"
