from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from mlconform.conformance.contract import lock, store
from mlconform.conformance.contract.build import build, check, generate
from mlconform.conformance.contract.coverage import coverage
from mlconform.conformance.contract.errors import ContractError

from .conftest import OVERLAY, PAGE, Project


def test_a_build_can_be_loaded(project: Project) -> None:
    build(project.docs, overlays=project.root)
    contract = store.load("things", root=project.root)
    assert contract.version == "2.3"
    assert "things.start.answer" in contract.requirements
    assert "/things/{thing_id}/_start" in contract.openapi["paths"]


def test_the_same_input_gives_the_same_bytes(project: Project) -> None:
    first = generate(project.docs, project.root, project.suites).files
    assert generate(project.docs, project.root, project.suites).files == first


def test_a_second_build_changes_nothing(project: Project) -> None:
    build(project.docs, overlays=project.root)
    assert build(project.docs, overlays=project.root)[0] == "nothing changed"


def test_a_build_elsewhere_is_whole(project: Project, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(project.docs, out, project.root)
    assert check(project.docs, out) == ()
    assert list(project.root.rglob("openapi.yaml")) == []


def test_a_folder_without_overlays_is_told(project: Project, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"with its overlay\.yaml below"):
        build(project.docs, overlays=tmp_path / "docs")


def test_a_build_tells_which_units_are_left(project: Project) -> None:
    notes = generate(project.docs, project.root, project.suites).notes
    assert [note.split(":")[0] for note in notes] == ["start", "start", "start"]
    assert all("nothing excludes it" in note for note in notes)


def test_a_build_tells_of_a_check_that_decides_nothing_known(project: Project) -> None:
    (project.suites / "test_a.py").write_text('@requirement("gone")\ndef test_b(): ...\n', encoding="utf-8")
    notes = generate(project.docs, project.root, project.suites).notes
    assert any(note.startswith("test_a.py::test_b: it decides gone") for note in notes)


def test_a_build_removes_what_it_does_not_make_any_more(project: Project) -> None:
    answers = {404: {"schema": {"type": "string"}}}
    project.write_overlay(operations=[OVERLAY["operations"][0] | {"answers": answers}])
    build(project.docs, overlays=project.root)
    project.write_overlay()
    assert "removed: things/2.3/start_thing.404.schema.json" in build(project.docs, overlays=project.root)
    assert not list(project.root.rglob("*.404.schema.json"))


def test_a_build_leaves_alone_what_it_did_not_make_and_a_check_tells(project: Project) -> None:
    build(project.docs, overlays=project.root)
    foreign = project.root / "things" / "2.3" / "old.200.schema.json"
    foreign.write_text("{}", encoding="utf-8")
    build(project.docs, overlays=project.root)
    assert foreign.exists()
    (message,) = check(project.docs, project.root)
    assert message.startswith(f"things/2.3/{foreign.name}: no page or overlay makes this file")


def test_a_fresh_build_passes_the_check(project: Project) -> None:
    build(project.docs, overlays=project.root)
    assert check(project.docs, project.root) == ()
    assert check(None, project.root) == ()


def test_a_changed_page_is_named_with_both_hashes(project: Project) -> None:
    build(project.docs, overlays=project.root)
    project.write_page(PAGE + "\nIt is new.\n")
    message = check(project.docs, project.root)[0]
    before, after = (hashlib.sha256(text.encode()).hexdigest() for text in (PAGE, PAGE + "\nIt is new.\n"))
    assert message.startswith("start (2.3, start.md): the page has changed")
    assert before in message
    assert after in message
    assert "mlconform contract build" in message


def test_a_page_that_lost_a_cited_unit_is_named_before_the_entry(project: Project) -> None:
    build(project.docs, overlays=project.root)
    project.write_page(
        PAGE.replace('{ "status": "STARTED", "at": 1685478486057 }', "").replace("#### Example response", "")
    )
    messages = check(project.docs, project.root)
    assert "the page has changed" in messages[0]
    assert "start/example-response" in messages[-1]


@pytest.mark.parametrize("with_docs", [True, False])
def test_an_edited_file_is_noticed(project: Project, with_docs: bool) -> None:
    build(project.docs, overlays=project.root)
    path = project.root / "things" / "2.3" / "openapi.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("Things", "Other things"), encoding="utf-8")
    (message,) = check(project.docs if with_docs else None, project.root)
    assert message.startswith("things/2.3/openapi.yaml: ")


def test_an_edited_overlay_is_noticed_without_pages(project: Project) -> None:
    build(project.docs, overlays=project.root)
    project.write_overlay(title="Other")
    (message,) = check(None, project.root)
    assert message.startswith("things/overlay.yaml: ")


def test_a_missing_file_is_noticed(project: Project) -> None:
    build(project.docs, overlays=project.root)
    (project.root / "things" / "2.3" / "requirements.yaml").unlink()
    assert "the file is missing" in check(project.docs, project.root)[0]
    assert "found no file" in check(None, project.root)[0]


def test_a_folder_without_the_pages_is_told(project: Project, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(
        ContractError, match=r"page start of things 2\.3: expected one file 'start\.md'.*found none"
    ):
        build(empty, overlays=project.root)


def test_a_folder_that_is_not_there_is_told(project: Project, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="expected a folder of documentation pages"):
        build(tmp_path / "nowhere", overlays=project.root)


def test_two_files_for_one_page_are_told(project: Project) -> None:
    (project.docs / "more").mkdir()
    (project.docs / "more" / "start.md").write_text(PAGE, encoding="utf-8")
    with pytest.raises(ContractError, match=r"found more/start\.md, start\.md"):
        build(project.docs, overlays=project.root)


def test_a_page_that_is_no_text_is_told(project: Project) -> None:
    (project.docs / "start.md").write_bytes(b"\xff\xfe")
    with pytest.raises(ContractError, match=r"start\.md: expected UTF-8"):
        build(project.docs, overlays=project.root)


def test_a_check_without_a_lock_says_what_to_do(project: Project) -> None:
    with pytest.raises(ContractError, match=r"sources\.lock is missing; run"):
        check(None, project.root)


def test_removing_an_entry_lowers_the_coverage(project: Project) -> None:
    build(project.docs, overlays=project.root)
    (before,) = coverage([store.load("things", root=project.root)]).pages
    project.write_overlay(requirements=[])
    build(project.docs, overlays=project.root)
    (after,) = coverage([store.load("things", root=project.root)]).pages
    assert (after.required, after.unaccounted) == (before.required - 1, before.unaccounted + 1)


def test_removing_an_exclusion_lowers_the_coverage(project: Project) -> None:
    build(project.docs, overlays=project.root)
    (before,) = coverage([store.load("things", root=project.root)]).pages
    project.write_overlay(exclusions=OVERLAY["exclusions"][1:])
    build(project.docs, overlays=project.root)
    (after,) = coverage([store.load("things", root=project.root)]).pages
    assert (after.excluded, after.unaccounted) == (before.excluded - 1, before.unaccounted + 1)


def test_the_shipped_files_are_as_they_were_built() -> None:
    assert check() == ()


def test_the_shipped_files_are_what_the_real_pages_give(docs: Path) -> None:
    assert check(docs) == ()


def test_the_real_pages_leave_nothing_to_tell(docs: Path) -> None:
    assert generate(docs).notes == ()


def test_a_shipped_source_has_the_hash_of_its_lines(docs: Path) -> None:
    locked = lock.read(store.schemas_root())
    pages = {
        (page.page, page.version): (docs / page.file).read_text(encoding="utf-8").split("\n")
        for page in locked.pages
    }
    sources = [
        source
        for profile in store.profiles()
        for version in store.versions(profile)
        for requirement in store.load(profile, version).requirements.values()
        for source in requirement.sources
        if source.page is not None
    ]
    assert sources
    for source in sources:
        assert source.page is not None
        assert source.lines is not None
        first, last = source.lines
        text = "\n".join(pages[source.page, source.version][first - 1 : last])
        assert hashlib.sha256(text.encode()).hexdigest() == source.sha256, str(source)
