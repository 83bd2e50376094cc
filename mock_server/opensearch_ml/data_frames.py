"""The input of training and of trained models: rows in the body, or what a search finds."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from mock_server.opensearch_ml import search
from mock_server.opensearch_ml.cluster import Call
from mock_server.opensearch_ml.document import Document
from mock_server.opensearch_ml.errors import ApiError, illegal_argument
from mock_server.opensearch_ml.fields import Fields

DATA_FRAME = "DATA_FRAME"
SEARCH_QUERY = "SEARCH_QUERY"
Cell = float | str | None


@dataclass(frozen=True, slots=True)
class Input:
    """Where the rows come from, and the rows of a data frame; those of a search come when they are used."""

    kind: str
    cells: list[list[Cell]]
    indices: list[str]


def read_input(fields: Fields) -> Input:
    """What a body gives to learn from. Raises ApiError 400 for one that gives nothing, or can't be read."""
    data, query, indices = (
        fields.object("input_data"),
        fields.object("input_query"),
        fields.texts("input_index"),
    )
    if data is not None:
        data.objects("column_metas")
        return Input(DATA_FRAME, [_row(row) for row in data.objects("rows") or []], [])
    if query is None:
        reason = "Validation Failed: 1: input data can't be null;"
        raise ApiError(400, "action_request_validation_exception", reason)
    if not indices:
        raise illegal_argument("indices can't be empty")
    return Input(SEARCH_QUERY, [], indices)


def rows_of(call: Call, given: Input) -> list[list[float]]:
    """The numbers of each row. Raises ApiError for an input that holds none."""
    cells = given.cells if given.kind == DATA_FRAME else _found(call, given)
    if not cells:
        raise illegal_argument("Input data frame should not be null or empty")
    for row in cells:
        if not all(isinstance(cell, float) for cell in row):
            raise illegal_argument("the value isn't Double type")
    return [[cell for cell in row if isinstance(cell, float)] for row in cells]


def _row(row: Fields) -> list[Cell]:
    return [_cell(cell) for cell in row.objects("values") or []]


def _cell(cell: Fields) -> Cell:
    """A value with its type before it: the order counts."""
    names = list(cell.values)
    for position, (name, what) in enumerate((("column_type", "type"), ("value", "value"))):
        found = names[position] if position < len(names) else None
        if found != name:
            raise illegal_argument(f"wrong column {what}, expect {name} field but got {found}")
        if position == 0 and cell.text(name) == "NULL":
            return None
    if cell.text("column_type") == "STRING":
        return cell.text("value")
    if cell.text("column_type") == "BOOLEAN":
        cell.flag("value")
        return None
    whole = cell.text("column_type") in ("INTEGER", "SHORT", "LONG")
    return float(cell.whole("value") or 0) if whole else _real(cell)


def _real(cell: Fields) -> float:
    text = cell.text("value") or ""
    try:
        return float(text)
    except ValueError:
        raise ApiError(400, "number_format_exception", f'For input string: "{text}"') from None


def _found(call: Call, given: Input) -> list[list[Cell]]:
    query = call.fields().values["input_query"]
    asked = replace(call, query={}, document=Document(json.dumps(query), query))
    found: list[list[Cell]] = []
    for name in given.indices:
        index = call.cluster.store.indices.get(name)
        if index is None:
            raise ApiError(404, "index_not_found_exception", f"no such index [{name}]", {"index": name})
        hits = search.answer(asked, index, lambda _id, document: document).value["hits"]["hits"]
        found += [[_number(value) for value in hit["_source"].values()] for hit in hits]
    if not found:
        raise illegal_argument("No document found")
    return found


def _number(value: object) -> Cell:
    return float(value) if isinstance(value, int | float) else str(value)
