"""Controllers: rate limits of a model's users. No call of the mock has a user to be limited."""

from __future__ import annotations

from mock_server.opensearch_ml import conflicts
from mock_server.opensearch_ml.cluster import Answer, Call
from mock_server.opensearch_ml.errors import parse_error, status_error
from mock_server.opensearch_ml.rate_limit import read_rate_limiter, view_rate_limiter
from mock_server.opensearch_ml.store import Controller, RateLimiter

_NO_MODEL = "Failed to find model to create the corresponding model controller with the provided model ID"


def create(call: Call) -> Answer:
    """POST controllers/{model_id}: replaces what is there."""
    model_id, limits = _read(call)
    call.cluster.let_others_in()
    result = call.cluster.store.controllers.put(model_id, Controller(model_id, limits)).result
    if result == "created":
        call.cluster.store.models.touch(model_id)
    return Answer({"model_id": model_id, "status": result.upper()})


def update(call: Call) -> Answer:
    """PUT controllers/{model_id}: users that are not named keep their limits."""
    model_id, limits = _read(call)
    controller = call.cluster.store.controllers.get(model_id)
    if controller is None:
        raise status_error(404, "Failed to find model controller with the provided model ID")
    call.cluster.let_others_in()
    conflicts.begin_update(call.cluster, call.cluster.store.controllers, model_id)
    merged = Controller(model_id, controller.limits | limits)
    return Answer(call.cluster.store.controllers.put(model_id, merged, forced_refresh=True).answer())


def get(call: Call) -> Answer:
    """GET controllers/{model_id}."""
    model_id = call.parameters["model_id"]
    rules, controllers = call.cluster.rules, call.cluster.store.controllers
    controller = controllers.get(model_id)
    if controller is None and rules.missing_controller_index_matters and not controllers.exists:
        raise status_error(404, "Failed to find model controller")
    if controller is None:
        raise status_error(404, rules.missing_controller_reason.format(model_id=model_id))
    limits = {user: view_rate_limiter(limit) for user, limit in controller.limits.items()}
    return Answer({"model_id": controller.model_id, "user_rate_limiter": limits})


def delete(call: Call) -> Answer:
    """DELETE controllers/{model_id}."""
    model_id, store = call.parameters["model_id"], call.cluster.store
    if model_id not in store.controllers:
        raise status_error(404, "Failed to find model controller")
    call.cluster.let_others_in()
    store.models.touch(model_id)
    return Answer(store.controllers.delete(model_id).answer())


def _read(call: Call) -> tuple[str, dict[str, RateLimiter]]:
    if call.document.empty:
        raise parse_error("Controller request has empty body")
    model_id = call.parameters["model_id"]
    users = call.fields().object("user_rate_limiter")
    limits = {}
    for user in users.values if users else ():
        limiter = users.object(user) if users else None
        if limiter is not None:
            limits[user] = read_rate_limiter(limiter, call.cluster.rules)
    if model_id not in call.cluster.store.models:
        raise status_error(404, _NO_MODEL)
    return model_id, limits
