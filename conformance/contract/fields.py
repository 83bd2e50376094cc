"""Facts of table rows and sentences: names, types, defaults, listed values, first versions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import yaml

from mlconform.conformance.contract.pages import Kind, Page, Unit, cells, plain

_VERSION = r"v?(\d+\.\d+(?:\.\d+)?)"
_SINCE = re.compile(
    rf"(?:introduced(?: in)?|starting (?:with|in)|as of|since|available (?:in|from))\s+"
    rf"(?:opensearch\s+)?(?:version\s+)?{_VERSION}",
    re.IGNORECASE,
)
_AFTER = re.compile(rf"\bafter\s+(?:opensearch\s+)?(?:version\s+)?{_VERSION}", re.IGNORECASE)
_DEFAULT = re.compile(r"\bdefault(?: value)?(?: is|:)\s+`([^`]*)`|\(default:?\s+`([^`]*)`\)", re.IGNORECASE)
_VALUES = re.compile(
    r"\b(?:valid|allowed|supported|possible)\s+(?:values|options)(?:\s+are)?:?\s+([^.]*)", re.IGNORECASE
)
_REQUIRED = re.compile(r"^\W*(required|optional)\b|(?:[.)])\s+(required|optional)\.", re.IGNORECASE)


class Place(StrEnum):
    """Where a field lies."""

    QUERY = "query"
    REQUEST = "request"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Field:
    """One row of a table of fields. `name` is dotted where the field lies inside another.

    `type` is the cell as it stands, `required` is None where the table does not say, `default` is the
    value as YAML reads it and None where there is none, `values` are the listed values if any. `table` counts
    the tables of the page, `place` is the part of the exchange that the table is about.
    """

    name: str
    type: str
    required: bool | None
    default: object
    values: tuple[str, ...]
    since: str | None
    unit: Unit
    place: Place
    table: int


def read_fields(page: Page, nest: Mapping[str, str] | None = None) -> tuple[Field, ...]:
    """The fields of all tables of a page, in page order.

    `nest` leads from the slug of a section, or the key of a single row, to the member that its fields lie in.
    """
    found = []
    table = 0
    for unit in page.units:
        if unit.kind is Kind.TABLE_HEADER:
            table += 1
        elif unit.kind is Kind.FIELD:
            inside = (nest or {}).get(unit.key, (nest or {}).get(unit.section, ""))
            found.append(_field(unit, f"{inside}." if inside else "", table))
    return tuple(found)


def _field(unit: Unit, prefix: str, table: int) -> Field:
    row = dict(zip(unit.columns, cells(unit.text), strict=False))
    description = row.get("description", "")
    return Field(
        name=prefix + plain(cells(unit.text)[0]),
        type=next((cell for column, cell in row.items() if "type" in column and "agent" not in column), ""),
        required=_required(row, description),
        default=_default(row, description),
        values=_values(description),
        since=since_of(unit.text),
        unit=unit,
        place=_place(unit.section),
        table=table,
    )


def _place(section: str) -> Place:
    if "query-param" in section:
        return Place.QUERY
    return Place.ANSWER if "response" in section else Place.REQUEST


def _required(row: dict[str, str], description: str) -> bool | None:
    column = next(
        (cell for name, cell in row.items() if name.startswith(("required", "optional"))), description
    )
    match = _REQUIRED.search(column)
    return "required" in match.group().lower() if match else None


def _default(row: dict[str, str], description: str) -> object:
    match = _DEFAULT.search(description)
    text = row.get("default", "").strip("` ") or (next(filter(None, match.groups()), "") if match else "")
    try:
        return yaml.safe_load(text) if text else None
    except yaml.YAMLError:
        return text


def _values(description: str) -> tuple[str, ...]:
    match = _VALUES.search(description)
    return tuple(re.findall(r"`([^`]+)`", match[1])) if match else ()


def since_of(text: str) -> str | None:
    """The version that the text names as the first to have what it describes."""
    match = _SINCE.search(text)
    return match[1] if match else None


def vague_since(text: str) -> str | None:
    """The version of an "after X", which leaves open whether X itself has it."""
    match = _AFTER.search(text)
    return match[1] if match else None


def page_since(page: Page) -> str | None:
    """The version of the label that stands directly under the page's title."""
    for before, unit in zip(page.units, page.units[1:], strict=False):
        if unit.kind is Kind.LABEL and before.kind is Kind.HEADING and before.level == 1:
            return since_of(unit.text)
    return None
