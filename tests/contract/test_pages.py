from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlconform.conformance.contract.pages import Kind, Page, read_page

from .conftest import PAGE, keys

Read = Callable[[str], Page]


def uncovered(page: Page) -> str:
    """The characters that are no white space and belong to no unit; raises where two units overlap."""
    left = ""
    position = 0
    for unit in page.units:
        assert unit.start >= position, f"{unit.key} overlaps the unit before it"
        assert page.text[unit.start : unit.end] == unit.text
        left += page.text[position : unit.start]
        position = unit.end
    return (left + page.text[position:]).strip()


LINES = st.sampled_from(
    [
        *PAGE.split("\n"),
        "",
        "> quoted. Text",
        "- item",
        "  1. nested",
        "```",
        "```json",
        "````yaml",
        "openapi: 3.1.0",
        "    indented",
        "a | b",
        "--- | ---",
        "{% if x %}",
        "<div>",
        "[link]: http://x",
        "***",
        "\t",
        "\r",
        "**Bold:**",
        "é ü 漢字. Ä",
    ]
)


@settings(deadline=None)
@given(st.lists(LINES, max_size=25).map("\n".join))
def test_every_character_of_any_page_belongs_to_one_unit(text: str) -> None:
    page = read_page("p", "1.0", text)
    assert uncovered(page) == ""
    assert len({unit.key for unit in page.units}) == len(page.units)


def test_every_line_of_the_real_pages_belongs_to_a_unit(docs: Path) -> None:
    pages = [path for path in sorted(docs.rglob("*")) if path.suffix in {".txt", ".md"}]
    assert pages
    for path in pages:
        read = read_page(path.stem, "1.0", path.read_text(encoding="utf-8"))
        lines = {line for unit in read.units for line in range(unit.lines[0], unit.lines[1] + 1)}
        blank = {number for number, line in enumerate(read.text.split("\n"), 1) if not line.strip()}
        assert uncovered(read) == "", path
        assert lines | blank == set(range(1, read.text.count("\n") + 2)), path
        assert not read.problems, path


def test_a_key_stays_when_lines_move(page: Read) -> None:
    moved = PAGE.replace("# Start a thing\n", "# Start a thing\n\nA new sentence.\n\n")
    assert {unit.key for unit in page(PAGE).units} < {unit.key for unit in page(moved).units}


def test_a_changed_sentence_has_another_key(page: Read) -> None:
    before = set(keys(page("It runs. It stops."), Kind.STATEMENT))
    after = set(keys(page("It runs. It waits."), Kind.STATEMENT))
    assert len(before & after) == 1


def test_folding_of_white_space_keeps_a_key(page: Read) -> None:
    assert keys(page("It runs\nfast."), Kind.STATEMENT) == keys(page("It  runs fast."), Kind.STATEMENT)


def test_kinds_of_a_whole_page(page: Read) -> None:
    read = page(PAGE)
    assert [unit.kind for unit in read.units] == [
        Kind.FRONT_MATTER,
        Kind.HEADING,
        Kind.LABEL,
        Kind.LABEL,
        Kind.STATEMENT,
        Kind.STATEMENT,
        Kind.HEADING,
        Kind.ENDPOINT,
        Kind.LIQUID,
        Kind.HEADING,
        Kind.TABLE_HEADER,
        Kind.FIELD,
        Kind.FIELD,
        Kind.FIELD,
        Kind.HEADING,
        Kind.EXAMPLE_REQUEST,
        Kind.HEADING,
        Kind.EXAMPLE_RESPONSE,
    ]


def test_natural_keys_name_what_the_page_names(page: Read) -> None:
    read = page(PAGE)
    assert keys(read, Kind.ENDPOINT) == ["p/endpoint/POST /things/{thing_id}/_start"]
    assert keys(read, Kind.FIELD) == ["p/field/speed", "p/field/mode", "p/field/mode.unit"]
    assert keys(read, Kind.EXAMPLE_REQUEST) == ["p/example-request/starting-slowly"]


def test_the_second_unit_of_a_name_gets_a_number(page: Read) -> None:
    assert keys(page("## Again\n\n## Again"), Kind.HEADING) == ["p/heading/again", "p/heading/again-2"]


@pytest.mark.parametrize("separator", [":--- | :---", "|---|---|---|", ":--- | :--- | :--- | :---"])
def test_a_table_is_read_whatever_its_separator_row(page: Read, separator: str) -> None:
    read = page(f"Field | Data type | Description\n{separator}\n`a` | String | It.\n")
    assert keys(read, Kind.FIELD) == ["p/field/a"]


def test_lines_count_from_one_and_hold_the_front_matter(page: Read) -> None:
    read = page(PAGE)
    assert [unit.lines for unit in read.units if unit.kind is Kind.FIELD] == [(22, 22), (23, 23), (24, 24)]
    assert read.units[0].lines == (1, 3)


def test_two_endpoints_in_a_block_are_two_units(page: Read) -> None:
    read = page("## Endpoints\n\n```json\nGET /a\nPOST /a/_search\n```\n")
    assert keys(read, Kind.ENDPOINT) == ["p/endpoint/GET /a", "p/endpoint/POST /a/_search"]


def test_a_list_of_path_parameters_is_read(page: Read) -> None:
    read = page("**Path Parameters:**\n\n- `thing_id`: The thing's id\n")
    assert keys(read, Kind.PATH_PARAMETER) == ["p/path-parameter/thing_id"]


def test_a_body_that_is_no_json_is_reported_with_its_line(page: Read) -> None:
    read = page("#### Example request\n\n```json\nPOST /a\n{ nonsense\n```\n")
    assert keys(read, Kind.EXAMPLE_REQUEST) == ["p/example-request"]
    assert [line for line, _ in read.problems] == [3]


def test_a_block_that_is_never_closed_is_reported(page: Read) -> None:
    read = page('Text.\n\n```json\n{"a": 1}\n')
    assert [line for line, _ in read.problems] == [3]


def test_an_openapi_document_that_is_no_yaml_is_reported_and_kept(page: Read) -> None:
    read = page("```yaml\nopenapi: 3.1.0\n: [\n```\n")
    assert keys(read, Kind.UNREAD)
    assert [line for line, _ in read.problems] == [1]


def test_a_line_that_no_block_holds_is_reported_and_kept(page: Read) -> None:
    read = page("[link]: http://example.org/\n")
    assert keys(read, Kind.UNREAD)
    assert [line for line, _ in read.problems] == [1]


def test_windows_line_ends_change_no_kind(page: Read) -> None:
    kinds = [unit.kind for unit in page(PAGE).units]
    assert [unit.kind for unit in page(PAGE.replace("\n", "\r\n")).units] == kinds


def test_the_hash_of_a_source_is_that_of_its_lines(page: Read) -> None:
    read = page("One.\nTwo.\nThree.")
    assert read.sha256((2, 3)) == "88715fd81e4e27f7fa762f597cfa28e590f6339eeb80356005b21320e2b0951a"
