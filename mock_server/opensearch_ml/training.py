"""K-means, trained and predicted on the node; the centroids are the first rows that differ."""

from __future__ import annotations

import math
from typing import Any

from mock_server.opensearch_ml.cluster import Answer, Call
from mock_server.opensearch_ml.errors import illegal_argument, parse_error
from mock_server.opensearch_ml.fields import Fields
from mock_server.opensearch_ml.store import JsonObject, Model, ModelState

_CLUSTERS = 2


def train(call: Call) -> Answer:
    """POST _train/{algorithm}: keeps a model that is trained and can be read, used and deleted."""
    if call.document.empty:
        raise parse_error("request body is required")
    if call.parameters["algorithm"].upper() != "KMEANS":
        raise illegal_argument(
            f"The mock trains kmeans alone, not {call.parameters['algorithm']}. "
            "Register a remote model instead."
        )
    fields = call.fields()
    rows = _rows(fields)
    parameters = fields.object("parameters")
    wanted = parameters.whole("centroids") if parameters else None
    model_id = call.cluster.ids.document()
    model = Model(model_id, "KMEANS", "KMEANS", "1.0.0", ModelState.TRAINED)
    model.centroids = _distinct(rows)[: max(wanted or _CLUSTERS, 1)]
    call.cluster.store.models.put(model_id, model)
    return Answer({"model_id": model_id, "status": "COMPLETED"})


def predict(model: Model, fields: Fields) -> JsonObject:
    """The cluster of each row. Raises ApiError 400 for an input without rows."""
    centroids = model.centroids or [[]]
    rows = [
        {"values": [{"column_type": "INTEGER", "value": _nearest(row, centroids)}]} for row in _rows(fields)
    ]
    metas = [{"name": "ClusterID", "column_type": "INTEGER"}]
    return {"status": "COMPLETED", "prediction_result": {"column_metas": metas, "rows": rows}}


def _nearest(row: list[float], centroids: list[list[float]]) -> int:
    distances = [math.dist(row[: len(centroid)], centroid[: len(row)]) for centroid in centroids]
    return distances.index(min(distances))


def _distinct(rows: list[list[float]]) -> list[list[float]]:
    return [row for index, row in enumerate(rows) if row not in rows[:index]]


def _rows(fields: Fields) -> list[list[float]]:
    data = fields.object("input_data")
    items = data.items("rows") if data is not None else None
    if not items:
        raise illegal_argument("Input data is empty: expected input_data.rows with at least one row")
    return [_numbers(item) for item in items]


def _numbers(row: Any) -> list[float]:
    values = row.get("values") if isinstance(row, dict) else None
    cells: list[Any] = values if isinstance(values, list) else []
    numbers = [cell.get("value") if isinstance(cell, dict) else None for cell in cells]
    if not numbers or not all(isinstance(number, int | float) for number in numbers):
        raise illegal_argument("A row is an object with the numbers in values, each with its column_type")
    return [float(number) for number in numbers if number is not None]
