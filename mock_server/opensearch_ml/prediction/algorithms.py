"""What can be trained on the node: how each algorithm learns from a data frame, and what it predicts.

The models are as small as they can be: their answers have the right shape, and are right only by the way.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from mlconform.mock_server.opensearch_ml.bodies.fields import Fields, read_in_order
from mlconform.mock_server.opensearch_ml.errors import illegal_argument, node_error
from mlconform.mock_server.opensearch_ml.prediction.data_frames import Cell, Frame
from mlconform.mock_server.opensearch_ml.store import JsonObject

_DISTANCES = ("EUCLIDEAN", "COSINE", "L1")
_CLUSTERS = 2
_UNUSUAL = 1.0


class Algorithm(Struct, frozen=True):
    """`learn` gives what is kept of a data frame, and `predict` the columns of one row by that."""

    learn: Callable[[Frame, Mapping[str, Cell]], JsonObject]
    predict: Callable[[JsonObject, list[Cell]], JsonObject]


def read_parameters(fields: Fields) -> dict[str, Cell]:
    """The parameters that an algorithm here knows. Raises ApiError 400 for one that can't be read."""
    parameters = fields.object("parameters")
    if parameters is None:
        return {}
    found: dict[str, Cell] = {}

    def whole(name: str) -> Callable[[Fields], None]:
        return lambda members: found.update({name: members.integer(name)})

    def target(members: Fields) -> None:
        found["target"] = members.text("target")

    readers = {"centroids": whole("centroids"), "iterations": whole("iterations"), "target": target}
    read_in_order(parameters, {**readers, "distance_type": _require_distance})
    return found


def _require_distance(parameters: Fields) -> None:
    if (parameters.text("distance_type") or "").upper() not in _DISTANCES:
        raise illegal_argument("Wrong distance type")


def number(cell: Cell) -> float:
    """What an algorithm learns from. Raises ApiError 400 for a cell that holds no number."""
    if not isinstance(cell, int | float) or isinstance(cell, bool):
        raise node_error("runtime_exception", "the value isn't Double type")
    return float(cell)


def _learn_clusters(frame: Frame, parameters: Mapping[str, Cell]) -> JsonObject:
    """The centroids are the first rows that differ."""
    centroids, iterations = parameters.get("centroids", _CLUSTERS), parameters.get("iterations", 1)
    if number(centroids) <= 0:
        raise illegal_argument("K should be positive.")
    if number(iterations) <= 0:
        raise illegal_argument("Iterations should be positive.")
    rows = [[number(cell) for cell in row] for row in frame.rows]
    distinct = [row for index, row in enumerate(rows) if row not in rows[:index]]
    return {"centroids": distinct[: int(number(centroids))]}


def _predict_cluster(learned: JsonObject, row: list[Cell]) -> JsonObject:
    place = [number(cell) for cell in row]
    distances = [_distance(place, centroid) for centroid in learned["centroids"]]
    return {"ClusterID": distances.index(min(distances))}


def _distance(one: list[float], other: list[float]) -> float:
    """How far two places are apart, in the dimensions that both have; never infinitely."""
    return min(math.dist(one[: len(other)], other[: len(one)]), sys.float_info.max)


def _mean(numbers: Sequence[float]) -> float:
    """Never infinite: the sum of large numbers could be."""
    return sum(one / len(numbers) for one in numbers)


def _column(frame: Frame, parameters: Mapping[str, Cell]) -> list[Cell]:
    """The values that are to be predicted; the other columns are numbers."""
    target = parameters.get("target")
    if not target:
        raise illegal_argument("Empty target when generating dataset from data frame.")
    if target not in frame.names:
        raise illegal_argument("No matched target when generating dataset from data frame.")
    place = frame.names.index(str(target))
    for row in frame.rows:
        for cell in (*row[:place], *row[place + 1 :]):
            number(cell)
    if any(len(row) <= place for row in frame.rows):
        raise illegal_argument(f"A row has no value for the column {target}")
    return [row[place] for row in frame.rows]


def _learn_line(frame: Frame, parameters: Mapping[str, Cell]) -> JsonObject:
    values = [number(cell) for cell in _column(frame, parameters)]
    return {"target": parameters["target"], "mean": _mean(values)}


def _learn_label(frame: Frame, parameters: Mapping[str, Cell]) -> JsonObject:
    ((label, _),) = Counter(str(cell) for cell in _column(frame, parameters)).most_common(1)
    return {"label": label}


def _learn_forest(frame: Frame, _parameters: Mapping[str, Cell]) -> JsonObject:
    rows = [[number(cell) for cell in row] for row in frame.rows]
    return {"middle": [_mean(column) for column in zip(*rows, strict=False)]}


def _predict_anomaly(learned: JsonObject, row: list[Cell]) -> JsonObject:
    score = _distance([number(cell) for cell in row], learned["middle"])
    return {"score": score, "anomalous": score > _UNUSUAL}


ALGORITHMS = {
    "BATCH_RCF": Algorithm(_learn_forest, _predict_anomaly),
    "KMEANS": Algorithm(_learn_clusters, _predict_cluster),
    "LINEAR_REGRESSION": Algorithm(_learn_line, lambda learned, _row: {learned["target"]: learned["mean"]}),
    "LOGISTIC_REGRESSION": Algorithm(_learn_label, lambda learned, _row: {"result": learned["label"]}),
}
