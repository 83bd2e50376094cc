"""Controllers: rate limits of a model's users. No call of the mock has a user to be limited."""

from __future__ import annotations

from typing import Any

from mlconform.mock_server.opensearch_ml import conflicts
from mlconform.mock_server.opensearch_ml.bodies.document import Document, read_json
from mlconform.mock_server.opensearch_ml.bodies.fields import (
    BodyParser,
    Fields,
    fields_of,
    read_in_order,
    text_reader,
)
from mlconform.mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mlconform.mock_server.opensearch_ml.errors import ApiError, node_error, parse_error, status_error
from mlconform.mock_server.opensearch_ml.prediction import gson
from mlconform.mock_server.opensearch_ml.prediction.rate_limit import (
    merged,
    read_rate_limiter,
    view_rate_limiter,
)
from mlconform.mock_server.opensearch_ml.rules import Rules
from mlconform.mock_server.opensearch_ml.security import access
from mlconform.mock_server.opensearch_ml.store import Controller, Model, ModelState, RateLimiter

_NO_MODEL = "Failed to find model to create the corresponding model controller with the provided model ID"


def create(call: Call) -> Answer:
    """POST controllers/{model_id}: replaces what is there."""
    limits = _read(call, "Create")
    model = _find_model(call)
    if model.state is ModelState.DEPLOYING:
        raise status_error(
            409,
            "Creating a model controller during its corresponding model in DEPLOYING state is not allowed, "
            "please either create the model controller after it is deployed or before deploying it. "
            f"Model ID: {model.id}",
        )
    call.cluster.let_others_in()
    result = call.cluster.store.controllers.put(model.id, Controller(model.id, limits)).result
    if result == "created":
        _mark(call.cluster, model.id, enabled=True)
    return Answer({"model_id": model.id, "status": result.upper()})


def update(call: Call) -> Answer:
    """PUT controllers/{model_id}: users that are not named keep their limits."""
    limits = _read(call, "Update")
    model, controllers = _find_model(call), call.cluster.store.controllers
    controller = controllers.get(model.id)
    if controller is None:
        raise status_error(
            409,
            "Model controller haven't been created for the model. Consider calling create model controller "
            f"api instead. Model ID: {model.id}",
        )
    changed = {user: merged(controller.limits.get(user), limit) for user, limit in limits.items()}
    call.cluster.let_others_in()
    conflicts.begin_update(call.cluster, controllers, model.id)
    after = Controller(model.id, controller.limits | changed)
    return Answer(controllers.put(model.id, after, forced_refresh=True).answer())


def _mark(cluster: Cluster, model_id: str, *, enabled: bool) -> None:
    """The model's document says whether there is a controller of it, if it is still there."""
    model = cluster.store.models.get(model_id)
    if model is None:
        return
    model.is_controller_enabled = enabled
    model.change_at(cluster.now_ms())
    cluster.store.models.touch(model_id)


def get(call: Call) -> Answer:
    """GET controllers/{model_id}."""
    model_id = call.parameters["model_id"]
    rules, controllers = call.cluster.rules, call.cluster.store.controllers
    controller = controllers.get(model_id)
    if controller is None:
        raise status_error(404, rules.missing_controller_reason.format(model_id=model_id))
    access.require_controller(call, model_id)
    limits = {user: view_rate_limiter(limit) for user, limit in controller.limits.items()}
    return Answer({"model_id": controller.model_id, "user_rate_limiter": limits})


def delete(call: Call) -> Answer:
    """DELETE controllers/{model_id}."""
    model_id, store = call.parameters["model_id"], call.cluster.store
    access.require_controller(call, model_id)
    if model_id not in store.controllers:
        raise status_error(404, "Failed to find model controller")
    call.cluster.let_others_in()
    answer = store.controllers.delete(model_id).answer()
    _mark(call.cluster, model_id, enabled=False)
    return Answer(answer)


def _find_model(call: Call) -> Model:
    model = call.cluster.store.models.get(call.parameters["model_id"])
    if model is None:
        raise status_error(404, _NO_MODEL)
    access.require_controller(call, model.id)
    if model.algorithm not in ("REMOTE", "TEXT_EMBEDDING"):
        raise status_error(
            403,
            "Creating model controller on this operation on the function category "
            f"{model.algorithm} is not supported.",
        )
    return model


def _read(call: Call, operation: str) -> dict[str, RateLimiter]:
    if call.document.empty:
        raise parse_error(f"{operation} model controller request has empty body")
    fields = call.fields()
    readers = {
        "model_id": text_reader("model_id"),
        "user_rate_limiter": lambda fields: _user_limits(fields, call.cluster.rules),
    }
    limits: dict[str, RateLimiter] = read_in_order(fields, readers).get("user_rate_limiter", {})
    return limits


def _user_limits(fields: Fields, rules: Rules) -> dict[str, RateLimiter]:
    """The limits by user; each is read as a body of its own, and one that says nothing is left out."""
    users = fields.mapping("user_rate_limiter", BodyParser.CONTROLLER)
    limits = {}
    for user, value in users.values.items() if users else ():
        limiter = read_rate_limiter(fields_of(_document_of(value)), rules)
        if limiter != RateLimiter():
            limits[user] = limiter
    return limits


def _document_of(value: Any) -> Document:
    text = value if isinstance(value, str) else gson.to_text(value)
    try:
        return read_json(text.encode("utf-8", "replace"))
    except ApiError as error:
        cause = {"type": error.type, "reason": error.reason}
        package, name = _JAVA_ERRORS.get(error.type, ("java.lang", "RuntimeException"))
        raise node_error("runtime_exception", f"{package}.{name}: {error.reason}", cause) from None


_JAVA_ERRORS = {
    "json_parse_exception": ("com.fasterxml.jackson.core", "JsonParseException"),
    "json_e_o_f_exception": ("com.fasterxml.jackson.core.io", "JsonEOFException"),
}
