"""Training on the node: k-means, as far as the lifecycle of a trained model goes."""

from __future__ import annotations

from mock_server.opensearch_ml.cluster import Answer, Call
from mock_server.opensearch_ml.errors import illegal_argument, parse_error
from mock_server.opensearch_ml.fields import Fields
from mock_server.opensearch_ml.store import Model, ModelState


def train(call: Call) -> Answer:
    """POST _train/{algorithm}: keeps a model that is trained and can be read and deleted.

    The mock serves no predictions of local models, so the centroids themselves are not computed.
    """
    if call.document.empty:
        raise parse_error("request body is required")
    if call.parameters["algorithm"].upper() != "KMEANS":
        raise illegal_argument(
            f"The mock trains kmeans alone, not {call.parameters['algorithm']}. "
            "Register a remote model instead."
        )
    _require_rows(call.fields())
    model_id = call.cluster.ids.document()
    model = Model(model_id, "KMEANS", "KMEANS", "1.0.0", ModelState.TRAINED)
    call.cluster.store.models.put(model_id, model)
    return Answer({"model_id": model_id, "status": "COMPLETED"})


def _require_rows(fields: Fields) -> None:
    data = fields.object("input_data")
    if data is None or not data.items("rows"):
        raise illegal_argument("Input data is empty: expected input_data.rows with at least one row")
