"""K-means, trained and predicted on the node; the centroids are the first rows that differ."""

from __future__ import annotations

import math

from mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mock_server.opensearch_ml.data_frames import Input, read_input, rows_of
from mock_server.opensearch_ml.errors import ApiError, illegal_argument, parse_error
from mock_server.opensearch_ml.fields import Fields, flag_of, read_in_order
from mock_server.opensearch_ml.store import JsonObject, Model, ModelState, Task, TaskState

FUNCTIONS = frozenset(
    {
        "AD_LIBSVM",
        "AGENT",
        "ANOMALY_LOCALIZATION",
        "BATCH_RCF",
        "CONNECTOR",
        "FIT_RCF",
        "IMAGE_EMBEDDING",
        "KMEANS",
        "LINEAR_REGRESSION",
        "LOCAL_SAMPLE_CALCULATOR",
        "LOGISTIC_REGRESSION",
        "METRICS_CORRELATION",
        "QUESTION_ANSWERING",
        "RCF_SUMMARIZE",
        "REMOTE",
        "SAMPLE_ALGO",
        "SPARSE_ENCODING",
        "SPARSE_TOKENIZE",
        "TEXT_EMBEDDING",
        "TEXT_SIMILARITY",
    }
)
"""Everything that a model can be; a name that is none of them is refused."""

_TRAINABLE = frozenset({"AD_LIBSVM", "BATCH_RCF", "FIT_RCF", "LINEAR_REGRESSION", "LOGISTIC_REGRESSION"})
_DISTANCES = ("EUCLIDEAN", "COSINE", "L1")
_CLUSTERS = 2


def train(call: Call) -> Answer:
    """POST _train/{algorithm}: keeps a model that is trained and can be read, used and deleted.

    With `async=true` the answer names a task, which has ended by the time somebody asks for it.
    """
    algorithm, in_background = call.parameters["algorithm"].upper(), flag_of(call.query.get("async", "false"))
    if call.document.empty:
        raise parse_error("request body is required")
    fields = call.fields()
    if algorithm not in FUNCTIONS:
        raise illegal_argument("Wrong function name")
    given, cluster, now = read(fields), call.cluster, call.cluster.now_ms()
    given.require_given()
    if not in_background:
        return Answer({"model_id": _train(cluster, algorithm, fields, given), "status": "COMPLETED"})
    task = Task("TRAINING", algorithm, TaskState.CREATED, (cluster.local_node_id,), now, now, is_async=True)
    task.input_type, task_id = given.kind, cluster.ids.document()
    cluster.store.tasks.put(task_id, task)
    try:
        task.model_id, task.state = _train(cluster, algorithm, fields, given), TaskState.COMPLETED
    except ApiError as error:
        task.error, task.state = error.reason, TaskState.FAILED
    cluster.store.tasks.touch(task_id)
    return Answer({"task_id": task_id, "status": "CREATED"})


def read(fields: Fields) -> Input:
    """The input of training or of a prediction, with the parameters before it read as those of k-means."""
    read_in_order(fields, {"parameters": _read_parameters})
    return read_input(fields)


def _train(cluster: Cluster, algorithm: str, fields: Fields, given: Input) -> str:
    rows = rows_of(cluster, given)
    if algorithm in _TRAINABLE:
        raise illegal_argument(
            f"The mock trains kmeans alone, not {algorithm.lower()}. Register a remote model instead."
        )
    if algorithm != "KMEANS":
        raise illegal_argument(f"Unsupported algorithm: {algorithm}")
    centroids, iterations = _read_parameters(fields)
    if centroids <= 0:
        raise illegal_argument("K should be positive.")
    if iterations <= 0:
        raise illegal_argument("Iterations should be positive.")
    model_id = cluster.ids.document()
    model = Model(model_id, algorithm, algorithm, "1.0.0", ModelState.TRAINED)
    model.centroids = _distinct(rows)[:centroids]
    cluster.store.models.put(model_id, model)
    cluster.monitor.count(model, "train")
    return model_id


def _read_parameters(fields: Fields) -> tuple[int, int]:
    """How many clusters, and how many rounds to find them."""
    parameters = fields.object("parameters")
    if parameters is None:
        return _CLUSTERS, 1
    read_in_order(
        parameters,
        {
            "centroids": lambda members: members.whole("centroids"),
            "iterations": lambda members: members.whole("iterations"),
            "distance_type": _require_distance,
        },
    )
    centroids, iterations = parameters.whole("centroids"), parameters.whole("iterations")
    return _CLUSTERS if centroids is None else centroids, 1 if iterations is None else iterations


def _require_distance(parameters: Fields) -> None:
    if (parameters.text("distance_type") or "").upper() not in _DISTANCES:
        raise illegal_argument("Wrong distance type")


def predict(cluster: Cluster, model: Model, given: Input) -> JsonObject:
    """The cluster of each row. Raises ApiError 400 for an input without rows."""
    given.require_given()
    centroids = model.centroids or [[]]
    rows = [
        {"values": [{"column_type": "INTEGER", "value": _nearest(row, centroids)}]}
        for row in rows_of(cluster, given)
    ]
    metas = [{"name": "ClusterID", "column_type": "INTEGER"}]
    return {"status": "COMPLETED", "prediction_result": {"column_metas": metas, "rows": rows}}


def _nearest(row: list[float], centroids: list[list[float]]) -> int:
    distances = [math.dist(row[: len(centroid)], centroid[: len(row)]) for centroid in centroids]
    return distances.index(min(distances))


def _distinct(rows: list[list[float]]) -> list[list[float]]:
    return [row for index, row in enumerate(rows) if row not in rows[:index]]
