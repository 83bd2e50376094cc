"""Models that are trained on the node, and what they predict."""

from __future__ import annotations

from mlconform.mock_server.opensearch_ml.bodies.fields import Fields, flag_of, read_in_order
from mlconform.mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mlconform.mock_server.opensearch_ml.errors import ApiError, illegal_argument, parse_error
from mlconform.mock_server.opensearch_ml.functions import require_function
from mlconform.mock_server.opensearch_ml.prediction.algorithms import ALGORITHMS, read_parameters
from mlconform.mock_server.opensearch_ml.prediction.data_frames import Input, frame_of, read_input, show_frame
from mlconform.mock_server.opensearch_ml.store import JsonObject, Model, ModelState, Task, TaskState

_NOT_TRAINED_HERE = frozenset({"AD_LIBSVM", "FIT_RCF"})


def train(call: Call) -> Answer:
    """POST _train/{algorithm}: keeps a model that is trained and can be read, used and deleted.

    With `async=true` the answer names a task, which has ended by the time somebody asks for it.
    """
    in_background = flag_of(call.query.get("async", "false") or "true")
    if call.document.empty:
        raise parse_error("request body is required")
    fields = call.fields()
    algorithm = require_function(call.parameters["algorithm"])
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
    """The input of training or of a prediction; its parameters must be such that they can be read."""
    read_in_order(fields, {"parameters": read_parameters})
    return read_input(fields)


def _train(cluster: Cluster, algorithm: str, fields: Fields, given: Input) -> str:
    frame, learner = frame_of(cluster, given), ALGORITHMS.get(algorithm)
    if algorithm in _NOT_TRAINED_HERE:
        names = ", ".join(ALGORITHMS).lower()
        raise illegal_argument(f"The mock does not train {algorithm.lower()}, but these: {names}")
    if learner is None:
        raise illegal_argument(f"Unsupported algorithm: {algorithm}")
    model_id = cluster.ids.document()
    model = Model(model_id, algorithm, algorithm, "1.0.0", ModelState.TRAINED)
    model.learned = learner.learn(frame, read_parameters(fields))
    cluster.store.models.put(model_id, model)
    cluster.monitor.count(model, "train")
    return model_id


def predict(cluster: Cluster, model: Model, given: Input) -> JsonObject:
    """What the model says of each row. Raises ApiError 400 for an input without rows."""
    given.require_given()
    frame = frame_of(cluster, given)
    rows = [ALGORITHMS[model.algorithm].predict(model.learned or {}, row) for row in frame.rows]
    return {"status": "COMPLETED", "prediction_result": show_frame(rows)}
