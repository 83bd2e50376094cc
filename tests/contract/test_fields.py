from __future__ import annotations

from collections.abc import Callable

import pytest

from mlconform.conformance.contract.fields import Field, page_since, read_fields, since_of, vague_since
from mlconform.conformance.contract.pages import Page

from .conftest import PAGE

Read = Callable[[str], Page]
HEADER = "Field | Data type | Required/Optional | Description\n:--- | :--- | :--- | :---\n"


def only(page: Page) -> Field:
    (field,) = read_fields(page)
    return field


def test_a_row_gives_name_type_default_and_values(page: Read) -> None:
    speed, _, unit = read_fields(page(PAGE))
    assert (speed.name, speed.type, speed.default) == ("speed", "Integer", 3)
    assert (unit.name, unit.values) == ("mode.unit", ("A", "B"))


@pytest.mark.parametrize(("cell", "expected"), [("Required", True), ("Optional", False), ("", None)])
def test_the_column_says_whether_a_field_is_required(page: Read, cell: str, expected: bool | None) -> None:
    assert only(page(f"{HEADER}`a` | String | {cell} | It.")).required is expected


def test_a_pipe_in_a_code_span_splits_no_cell(page: Read) -> None:
    assert only(page(f"{HEADER}`a` | String | Optional | Either `x|y`. Default is `x|y`.")).default == "x|y"


def test_a_row_that_stops_early_has_empty_cells(page: Read) -> None:
    field = only(page(f"{HEADER}`a` | String"))
    assert (field.required, field.default, field.values) == (None, None, ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**Introduced 2.12**", "2.12"),
        ("Introduced in 2.1", "2.1"),
        ("Starting with OpenSearch version 2.13, it runs.", "2.13"),
        ("Starting with OpenSearch  2.14, it runs.", "2.14"),
        ("Available in version 3.0.1 and later", "3.0.1"),
        ("It costs 2.12.", None),
    ],
)
def test_the_first_version_is_read(text: str, expected: str | None) -> None:
    assert since_of(text) == expected


def test_after_a_version_is_vague() -> None:
    assert vague_since("It is there after 2.19.") == "2.19"


def test_a_label_under_the_title_dates_the_page(page: Read) -> None:
    assert page_since(page(PAGE)) == "2.3"
    assert page_since(page("# Title\n\n## Part\nIntroduced 2.3\n")) is None
