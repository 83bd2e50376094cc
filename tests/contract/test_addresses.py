"""Where a source is to be read: the published page at its section, and the lines of its text."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mlconform.conformance.contract import build, store
from mlconform.conformance.contract.addresses import Address, address
from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.contract.model import Contract, Impact, Source

from .conftest import Project

PUBLISHED = "https://docs.example/{version}/{path}/"
REPOSITORY = "https://code.example/{commit}/{file}"


@pytest.fixture
def contract(project: Project) -> Contract:
    project.write_overlay(published=PUBLISHED, repository=REPOSITORY, commits={"2.3": "abc"})
    return _built(project)


def _built(project: Project) -> Contract:
    build.build(project.docs, project.root, project.root)
    return store.load("things", root=project.root)


def test_a_line_is_read_in_the_section_above_it(contract: Contract) -> None:
    source = Source(page="start", lines=(20, 21), version="2.3")
    assert address(contract, source) == Address(
        "https://docs.example/2.3/start/#request-body-fields",
        "https://code.example/abc/start.md?plain=1#L20-L21",
    )


def test_a_heading_with_a_mark_has_the_name_that_the_site_gives_it(contract: Contract) -> None:
    source = Source(page="start", lines=(29, 29), version="2.3")
    assert address(contract, source).published.endswith("#example-request-starting-slowly")


def test_a_standard_is_read_where_it_is_published(contract: Contract) -> None:
    source = Source(reference="RFC 9110, section 15.5")
    assert address(contract, source).published == "https://www.rfc-editor.org/rfc/rfc9110#section-15.5"


@pytest.mark.parametrize(
    "source", [Source(reference="The vendor's cookbook"), Source(recording="lifecycle", exchange=4)]
)
def test_what_nobody_published_has_no_address(contract: Contract, source: Source) -> None:
    assert address(contract, source) == Address()


def test_a_draft_has_no_address(project: Project) -> None:
    page = {"id": "start", "file": "start.md", "area": "things.start", "published": ""}
    project.write_overlay(published=PUBLISHED, repository=REPOSITORY, commits={"2.3": "abc"}, pages=[page])
    contract = _built(project)
    assert address(contract, Source(page="start", lines=(20, 21), version="2.3")) == Address()


def test_the_paths_are_those_that_the_pages_name(docs: Path) -> None:
    """A page's front matter names its address in the newest version."""
    contract = store.load("opensearch-ml", "3.4")
    for page in contract.pages:
        lines = (docs / page.file).read_text(encoding="utf-8").splitlines() if "*" not in page.file else []
        named = [line.split("/latest/")[1] for line in lines[:15] if line.startswith("canonical_url:")]
        assert all(page.published == f"https://docs.opensearch.org/3.4/{path}" for path in named)


def test_what_a_difference_means_is_said_by_area_or_by_the_entry(project: Project) -> None:
    entry = {
        "id": "things.start.answer",
        "level": "example",
        "statement": "The answer has a status.",
        "units": ["start/example-response"],
        "impact": "loses data",
    }
    project.write_overlay(
        impacts={"things": "wrong form", "things.start.field": "wrong state"}, requirements=[entry]
    )
    found = {name: each.impact for name, each in _built(project).requirements.items()}
    assert found["things.start.answer"] is Impact.LOSES
    assert found["things.start.field.speed"] is Impact.STATE
    assert found["things.start.endpoint"] is Impact.FORM


def test_an_impact_that_is_none_is_named(project: Project) -> None:
    project.write_overlay(impacts={"things": "bad"})
    with pytest.raises(ContractError, match="expected an impact of lets somebody in"):
        _built(project)


def test_the_default_impact_is_a_wrong_answer(project: Project) -> None:
    written = yaml.safe_load((project.root / "things" / "overlay.yaml").read_text())
    assert "impacts" not in written
    assert {each.impact for each in _built(project).requirements.values()} == {Impact.ANSWER}
