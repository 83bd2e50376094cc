"""The input of training and of trained models: rows in the body, or what a search finds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mock_server.opensearch_ml import search
from mock_server.opensearch_ml.cluster import Call, Cluster
from mock_server.opensearch_ml.document import Document
from mock_server.opensearch_ml.errors import ApiError, illegal_argument
from mock_server.opensearch_ml.fields import Fields

DATA_FRAME = "DATA_FRAME"
SEARCH_QUERY = "SEARCH_QUERY"
Cell = float | str | None


@dataclass(frozen=True, slots=True)
class Input:
    """Where rows come from: `cells` of a data frame, or else a search in `indices`."""

    cells: list[list[Cell]] | None = None
    query: Any = None
    indices: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """What a task says of its input."""
        return SEARCH_QUERY if self.cells is None else DATA_FRAME

    def require_given(self) -> None:
        """Raises ApiError 400 for a body that gave nothing to learn from or to predict."""
        if self.cells is None and self.query is None:
            reason = "Validation Failed: 1: input data can't be null;"
            raise ApiError(400, "action_request_validation_exception", reason)


def read_input(fields: Fields) -> Input:
    """What a body gives to learn from or to predict. Raises ApiError 400 for what can't be read."""
    data, query, indices = (
        fields.object("input_data"),
        fields.object("input_query"),
        fields.texts("input_index"),
    )
    if data is not None:
        data.objects("column_metas")
        return Input(cells=[_row(row) for row in data.objects("rows") or []])
    if query is None:
        return Input()
    if not indices:
        raise illegal_argument("indices can't be empty")
    return Input(query=query.values, indices=tuple(indices))


def rows_of(cluster: Cluster, given: Input) -> list[list[float]]:
    """The numbers of each row. Raises ApiError for an input that holds none."""
    cells = _found(cluster, given) if given.cells is None else given.cells
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


def _found(cluster: Cluster, given: Input) -> list[list[Cell]]:
    asked = Call(cluster, {}, document=Document(json.dumps(given.query), given.query))
    found: list[list[Cell]] = []
    for name in given.indices:
        index = cluster.store.indices.get(name)
        if index is None:
            raise ApiError(404, "index_not_found_exception", f"no such index [{name}]", {"index": name})
        hits = search.answer(asked, index, lambda _id, document: document).value["hits"]["hits"]
        found += [[_number(value) for value in hit["_source"].values()] for hit in hits]
    if not found:
        raise illegal_argument("No document found")
    return found


def _number(value: object) -> Cell:
    return float(value) if isinstance(value, int | float) else str(value)
