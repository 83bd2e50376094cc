"""Pipelines, and what safe delete asks: who uses a model."""

from __future__ import annotations

import fnmatch
from typing import Any

from mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mock_server.opensearch_ml.errors import ApiError, parse_error, status_error
from mock_server.opensearch_ml.rules import User
from mock_server.opensearch_ml.settings import SAFE_DELETE
from mock_server.opensearch_ml.store import JsonObject

INFERENCE = "ml_inference"
SEARCH_PROCESSORS = ("request_processors", "response_processors", "phase_results_processors")


def put_ingest_pipeline(call: Call) -> Answer:
    """PUT /_ingest/pipeline/{pipeline_id}."""
    definition = _definition(call)
    if not isinstance(definition.get("processors"), list):
        reason = "[processors] required property is missing"
        raise ApiError(400, "parse_exception", reason, {"property_name": "processors"})
    _require_processors(definition, ("processors", "on_failure"))
    call.cluster.store.ingest_pipelines[call.parameters["pipeline_id"]] = definition
    return Answer({"acknowledged": True})


def put_search_pipeline(call: Call) -> Answer:
    """PUT /_search/pipeline/{pipeline_id}."""
    definition = _definition(call)
    _require_processors(definition, SEARCH_PROCESSORS)
    call.cluster.store.search_pipelines[call.parameters["pipeline_id"]] = definition
    return Answer({"acknowledged": True})


def get_ingest_pipeline(call: Call) -> Answer:
    """GET /_ingest/pipeline and GET /_ingest/pipeline/{pipeline_id}."""
    return _get(call, call.cluster.store.ingest_pipelines)


def get_search_pipeline(call: Call) -> Answer:
    """GET /_search/pipeline and GET /_search/pipeline/{pipeline_id}."""
    return _get(call, call.cluster.store.search_pipelines)


def delete_ingest_pipeline(call: Call) -> Answer:
    """DELETE /_ingest/pipeline/{pipeline_id}."""
    return _delete(call, call.cluster.store.ingest_pipelines)


def delete_search_pipeline(call: Call) -> Answer:
    """DELETE /_search/pipeline/{pipeline_id}."""
    return _delete(call, call.cluster.store.search_pipelines)


def _definition(call: Call) -> JsonObject:
    if call.document.empty:
        raise parse_error("request body is required")
    return call.fields().values


def _require_processors(definition: JsonObject, lists: tuple[str, ...]) -> None:
    for name in lists:
        processors = definition.get(name, [])
        if not isinstance(processors, list) or not all(isinstance(item, dict) for item in processors):
            reason = f"[{name}] property isn't a list of processors"
            raise ApiError(400, "parse_exception", reason, {"property_name": name})
        for processor in processors:
            _require_model(processor)


def _require_model(processor: JsonObject) -> None:
    """An ml_inference processor names its model (page ml-inference, required fields)."""
    inference = processor.get(INFERENCE)
    if isinstance(inference, dict) and not inference.get("model_id"):
        reason = "[model_id] required property is missing"
        where = {"processor_type": INFERENCE, "property_name": "model_id"}
        raise ApiError(400, "parse_exception", reason, where)


def _matching(pipelines: dict[str, JsonObject], wanted: str) -> dict[str, JsonObject]:
    patterns = wanted.split(",")
    return {
        name: definition
        for name, definition in pipelines.items()
        if any(
            name == pattern or ("*" in pattern and fnmatch.fnmatchcase(name, pattern)) for pattern in patterns
        )
    }


def _get(call: Call, pipelines: dict[str, JsonObject]) -> Answer:
    wanted = call.parameters.get("pipeline_id", "*")
    found = _matching(pipelines, wanted)
    return Answer(found, 200 if found or "*" in wanted else 404)


def _delete(call: Call, pipelines: dict[str, JsonObject]) -> Answer:
    wanted = call.parameters["pipeline_id"]
    found = _matching(pipelines, wanted)
    if not found and wanted != "*":
        raise ApiError(404, "resource_not_found_exception", f"pipeline [{wanted}] is missing")
    for name in found:
        del pipelines[name]
    return Answer({"acknowledged": True})


def refuse_while_in_use(cluster: Cluster, model_id: str) -> None:
    """With safe delete on, raises one ApiError 409 that names every user of the model, of all kinds."""
    if not cluster.settings.on(SAFE_DELETE):
        return
    reasons = [
        _reason(kind, names, named=cluster.rules.conflict_names_users)
        for kind, names in users(cluster, model_id).items()
        if names and kind in cluster.rules.safe_delete_asks
    ]
    if reasons:
        raise status_error(cluster.rules.conflict_status, "; ".join(reasons))


def users(cluster: Cluster, model_id: str) -> dict[User, list[str]]:
    """The names of the pipelines and the ids of the agents that name a model."""
    store = cluster.store
    agents = {agent_id: agent.definition for agent_id, agent in store.agents}
    holders = {
        User.INGEST_PIPELINE: store.ingest_pipelines,
        User.SEARCH_PIPELINE: store.search_pipelines,
        User.AGENT: agents,
    }
    return {
        kind: [name for name, definition in definitions.items() if _names(definition, model_id)]
        for kind, definitions in holders.items()
    }


def _names(value: Any, model_id: str) -> bool:
    if isinstance(value, dict):
        return value.get("model_id") == model_id or any(_names(member, model_id) for member in value.values())
    return isinstance(value, list) and any(_names(item, model_id) for item in value)


def _reason(kind: User, names: list[str], *, named: bool) -> str:
    shown = f"[{', '.join(names) if named else ''}]"
    if kind is User.AGENT:
        return (
            f"{len(names)} agents are still using this model, please delete or update the agents first, "
            f"all visible agents are: {shown}"
        )
    return (
        f"{len(names)} {kind}s are still using this model, please delete or update the pipelines first: "
        f"{shown}"
    )
