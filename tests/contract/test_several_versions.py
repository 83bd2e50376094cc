"""One overlay over the pages of two versions."""

from __future__ import annotations

from typing import Any

import pytest

from mlconform.conformance.contract import store
from mlconform.conformance.contract.build import build
from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.contract.model import Contract
from mlconform.conformance.contract.pages import digest

from .conftest import OVERLAY, PAGE, Project

OLD_SENTENCE, NEW_SENTENCE = "It needs the `thing_id`.", "It wants the `thing_id`."
NEW = PAGE.replace(OLD_SENTENCE, NEW_SENTENCE).replace(
    "`mode` | Object | How it goes.", "`mode` | Object | How it goes.\n`more` | String | What more."
)
OLD_KEY, NEW_KEY = (f"start/statement/{digest(text)[:8]}" for text in (OLD_SENTENCE, NEW_SENTENCE))


def entry(name: str, **values: Any) -> dict[str, Any]:
    return {"id": name, "level": "documented", "statement": "S.", **values}


@pytest.fixture
def two(project: Project) -> Project:
    """The small profile in two versions: a sentence differs, and a field is new."""
    for version, text in (("1.0", PAGE), ("2.0", NEW)):
        (project.docs / version).mkdir()
        (project.docs / version / "start.md").write_text(text, encoding="utf-8")
    (project.docs / "start.md").unlink()
    write(project)
    return project


def write(project: Project, **changes: Any) -> None:
    folders = {"1.0": "1.0", "2.0": "2.0"}
    project.write_overlay(**({"versions": ["1.0", "2.0"], "folders": folders} | changes))


def built(project: Project, version: str | None = None) -> Contract:
    build(project.docs, overlays=project.root)
    return store.load("things", version, project.root)


def test_each_version_has_a_contract(two: Project) -> None:
    built(two)
    assert store.versions("things", two.root) == ("1.0", "2.0")


def test_the_default_is_the_one_that_the_overlay_names(two: Project) -> None:
    assert built(two).version == "2.0"
    write(two, default="1.0")
    assert built(two).version == "1.0"


def test_a_requirement_is_in_each_version_that_has_a_unit_of_it(two: Project) -> None:
    requirements = [
        entry("old", units=[OLD_KEY]),
        entry("new", units=[NEW_KEY]),
        entry("both", units=[OLD_KEY, NEW_KEY]),
    ]
    write(two, requirements=requirements)
    assert {"old", "both"} <= built(two, "1.0").requirements.keys()
    assert "new" not in built(two, "1.0").requirements
    assert {"new", "both"} <= built(two, "2.0").requirements.keys()
    assert "old" not in built(two, "2.0").requirements


def test_a_requirement_is_dated_by_the_versions_that_have_it(two: Project) -> None:
    write(two, requirements=[entry("old", units=[OLD_KEY]), entry("new", units=[NEW_KEY])])
    old, new = built(two, "1.0").requirements["old"], built(two, "2.0").requirements["new"]
    assert old.until == "1.0"
    assert new.until is None


def test_a_label_of_the_page_outdates_the_first_version(two: Project) -> None:
    """The page says since 2.3, so what only the second version has is as old as that."""
    write(two, requirements=[entry("new", units=[NEW_KEY])])
    assert built(two, "2.0").requirements["new"].since == "2.3"


def test_a_requirement_may_name_its_versions(two: Project) -> None:
    write(two, requirements=[entry("one", units=["start/field/speed"], versions=["2.0"])])
    assert "one" not in built(two, "1.0").requirements
    assert "one" in built(two, "2.0").requirements


def test_a_key_that_no_version_has_is_refused(two: Project) -> None:
    write(two, requirements=[entry("none", units=["start/statement/00000000"])])
    with pytest.raises(ContractError, match="no page has the unit 'start/statement/00000000'"):
        built(two)


def test_a_member_that_is_new_says_since_when(two: Project) -> None:
    document = built(two, "2.0").openapi
    operation = document["paths"]["/things/{thing_id}/_start"]["post"]
    properties = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert properties["more"]["x-since"] == "2.0"
    assert "x-since" not in properties["speed"]


def test_a_source_is_of_its_own_version(two: Project) -> None:
    for version in ("1.0", "2.0"):
        sources = built(two, version).requirements["things.start.field.speed"].sources
        assert {source.version for source in sources} == {version}


def test_a_contradiction_may_be_one_of_a_single_version(two: Project) -> None:
    path = two.docs / "2.0" / "start.md"
    path.write_text(NEW.replace('"speed": 4', '"speed": "4"'), encoding="utf-8")
    settles = ["start/example-type/speed", "start/invalid-example/example-request/starting-slowly"]
    settled = {"id": "s", "finding": "F.", "settled": "S.", "units": [NEW_KEY], "settles": settles}
    write(two, contradictions=[settled])
    assert built(two, "1.0").contradictions == ()
    assert [known.id for known in built(two, "2.0").contradictions] == ["s"]


def test_a_deviation_belongs_to_the_nearest_version(two: Project) -> None:
    deviation = {
        "requirement": "things.start.answer",
        "finding": "F.",
        "recordings": ["life#4"],
        "recorded": ["1.5.0", "2.0.0"],
    }
    write(two, deviations=[deviation])
    assert [known.version for known in built(two, "1.0").deviations] == ["1.5.0"]
    assert [known.version for known in built(two, "2.0").deviations] == ["2.0.0"]
    assert (two.root / "things" / "known" / "things-1.0.yaml").is_file()


def test_a_file_may_lie_elsewhere_in_one_version(two: Project) -> None:
    (two.docs / "1.0" / "start.md").rename(two.docs / "other.txt")
    write(two, pages=[OVERLAY["pages"][0] | {"files": {"1.0": "other.txt"}}])
    assert [page.file for page in built(two, "1.0").pages] == ["other.txt"]
    assert [page.file for page in built(two, "2.0").pages] == ["2.0/start.md"]
