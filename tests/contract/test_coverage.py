from __future__ import annotations

import json

import pytest

from mlconform.conformance.contract import coverage, store
from mlconform.conformance.contract.build import SUITES, build, generate
from mlconform.conformance.contract.checks import decided_by

from .conftest import OVERLAY, Project


def found(project: Project) -> coverage.Coverage:
    build(project.docs, overlays=project.root)
    return coverage.coverage([store.load("things", root=project.root)])


def test_units_are_counted_by_what_accounts_for_them(project: Project) -> None:
    (page,) = found(project).pages
    assert (page.units, page.required, page.excluded, page.unaccounted) == (18, 5, 10, 3)


def test_a_requirement_without_check_and_reason_is_undecided(project: Project) -> None:
    requirement = OVERLAY["requirements"][0] | {"unchecked": "It can't be seen."}
    project.write_overlay(requirements=[requirement])
    measured = found(project)
    assert (measured.requirements, measured.checked, measured.unchecked) == (5, 0, 1)
    assert "things.start.answer" not in measured.undecided
    assert "things.start.endpoint" in measured.undecided


def test_the_table_and_the_json_say_the_same(project: Project) -> None:
    measured = found(project)
    text = coverage.table(measured)
    assert "undecided: things.start.endpoint" in text
    assert json.loads(coverage.as_json(measured))["pages"][0]["unaccounted"] == 3


def test_what_was_seen_to_be_broken_is_counted() -> None:
    measured = coverage.coverage([store.load("opensearch-ml")])
    assert 0 < measured.broken <= measured.tried < measured.checked
    assert f"({measured.broken} of {measured.tried})" in coverage.table(measured)


@pytest.mark.parametrize(
    ("profile", "version"), [(name, version) for name in store.profiles() for version in store.versions(name)]
)
def test_every_unit_of_the_shipped_pages_is_accounted_for(profile: str, version: str) -> None:
    measured = coverage.coverage([store.load(profile, version)])
    assert all(page.units and page.unaccounted == 0 for page in measured.pages)
    assert measured.undecided == ()


@pytest.mark.parametrize("version", store.versions("opensearch-ml"))
def test_four_fifths_of_what_the_own_pages_document_is_decided(version: str) -> None:
    measured = coverage.coverage([store.load("opensearch-ml", version)])
    own = [page for page in measured.pages if page.own]
    documented = sum(page.documented for page in own)
    assert documented > 150
    assert sum(page.documented_decided for page in own) >= 0.8 * documented


def test_a_check_makes_its_unit_decided(project: Project) -> None:
    (project.suites / "test_a.py").write_text(
        '@requirement("things.start.answer")\ndef test_b(): ...\n', encoding="utf-8"
    )
    made = generate(project.docs, project.root, project.suites).files
    (project.root / "things" / "2.3").mkdir()
    for name, data in made.items():
        (project.root / name).write_bytes(data)
    (page,) = coverage.coverage([store.load("things", root=project.root)]).pages
    assert page.decided == 1


def test_every_check_of_the_suites_decides_a_shipped_requirement() -> None:
    known = {
        name
        for profile in store.profiles()
        for version in store.versions(profile)
        for name in store.load(profile, version).requirements
    }
    assert set(decided_by(SUITES)) <= known
