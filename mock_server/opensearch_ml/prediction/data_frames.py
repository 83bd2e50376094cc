"""The input of training and of trained models: rows in the body, or what a search finds."""

from __future__ import annotations

import json
import math
from typing import Any

from msgspec import Struct

from mlconform.mock_server.opensearch_ml.bodies.document import Document
from mlconform.mock_server.opensearch_ml.bodies.fields import Fields
from mlconform.mock_server.opensearch_ml.cluster import Call, Cluster
from mlconform.mock_server.opensearch_ml.errors import ApiError, illegal_argument, validation_error
from mlconform.mock_server.opensearch_ml.search.operation import answer_search

Cell = int | float | str | bool | None


class Frame(Struct, frozen=True):
    """Columns by name, and rows of cells."""

    names: list[str]
    rows: list[list[Cell]]


class Input(Struct, frozen=True):
    """Where rows come from: a data frame, or else a search in `indices`."""

    frame: Frame | None = None
    query: Any = None
    indices: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """What a task says of its input."""
        return "SEARCH_QUERY" if self.frame is None else "DATA_FRAME"

    def require_given(self) -> None:
        """Raises ApiError 400 for a body that gave nothing to learn from or to predict."""
        if self.frame is None and self.query is None:
            raise validation_error(["input data can't be null"])


def read_input(fields: Fields) -> Input:
    """What a body gives to learn from or to predict. Raises ApiError 400 for what can't be read."""
    data, query = fields.object("input_data"), fields.object("input_query")
    indices = fields.texts("input_index")
    if data is not None:
        names = [meta.text("name") or "" for meta in data.objects("column_metas") or []]
        return Input(Frame(names, [_row(row) for row in data.objects("rows") or []]))
    if query is None:
        return Input()
    if not indices:
        raise illegal_argument("indices can't be empty")
    return Input(query=query.values, indices=tuple(indices))


def frame_of(cluster: Cluster, given: Input) -> Frame:
    """The rows that are meant. Raises ApiError where there are none."""
    frame = _found(cluster, given) if given.frame is None else given.frame
    if not frame.rows:
        raise illegal_argument("Input data frame should not be null or empty")
    return frame


def show_frame(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A data frame as the API shows it; the first row tells the columns and their types."""
    metas = [{"name": name, "column_type": _type(value)} for name, value in rows[0].items()]
    shown = [[{"column_type": _type(value), "value": value} for value in row.values()] for row in rows]
    return {"column_metas": metas, "rows": [{"values": cells} for cells in shown]}


def _type(value: Any) -> str:
    kinds = {bool: "BOOLEAN", int: "INTEGER", float: "DOUBLE"}
    return kinds.get(type(value), "STRING")


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
    match cell.text("column_type"):
        case "STRING":
            return cell.text("value")
        case "BOOLEAN":
            return cell.flag("value")
        case "INTEGER":
            return cell.integer("value")
        case "SHORT" | "LONG":
            return cell.whole("value")
    return _real(cell)


def _real(cell: Fields) -> float:
    text = cell.text("value") or ""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ApiError(400, "number_format_exception", f'For input string: "{text}"')
    return number


def _found(cluster: Cluster, given: Input) -> Frame:
    asked = Call(cluster, {}, document=Document(json.dumps(given.query), given.query))
    found: list[dict[str, Any]] = []
    for name in given.indices:
        index = cluster.store.indices.get(name)
        if index is None:
            raise ApiError(404, "index_not_found_exception", f"no such index [{name}]", {"index": name})
        hits = answer_search(asked, index, lambda _id, document: document).value["hits"]["hits"]
        found += [hit["_source"] for hit in hits]
    if not found:
        raise illegal_argument("No document found")
    return Frame(list(found[0]), [list(source.values()) for source in found])
