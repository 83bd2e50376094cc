"""Agents: register, get, search, delete."""

from __future__ import annotations

from typing import Any

from mock_server.opensearch_ml import search
from mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mock_server.opensearch_ml.errors import ApiError, illegal_argument, parse_error, status_error
from mock_server.opensearch_ml.fields import Fields
from mock_server.opensearch_ml.settings import AGENT_FRAMEWORK
from mock_server.opensearch_ml.store import Agent, JsonObject

TYPES = ("flow", "conversational", "conversational_flow")
_OBJECTS = ("llm", "parameters", "memory")


def register(call: Call) -> Answer:
    """POST agents/_register."""
    _require_framework(call.cluster)
    if call.document.empty:
        raise parse_error("request body is required")
    now = call.cluster.now_ms()
    agent_id = call.cluster.ids.document()
    call.cluster.store.agents.put(agent_id, Agent(_definition(call.fields()), now, now))
    return Answer({"agent_id": agent_id})


def get(call: Call) -> Answer:
    """GET agents/{agent_id}."""
    agent_id = call.parameters["agent_id"]
    agent = call.cluster.store.agents.get(agent_id)
    if agent is None:
        raise status_error(404, f"Failed to find agent with the provided agent id: {agent_id}")
    return Answer(view(agent))


def delete(call: Call) -> Answer:
    """DELETE agents/{agent_id}."""
    agent_id = call.parameters["agent_id"]
    if agent_id not in call.cluster.store.agents:
        raise status_error(404, "Fail to find ml agent")
    call.cluster.let_others_in()
    return Answer(call.cluster.store.agents.delete(agent_id).answer())


def find_all(call: Call) -> Answer:
    """GET or POST agents/_search."""
    return search.answer(call, call.cluster.store.agents, lambda _id, agent: view(agent))


def view(agent: Agent) -> JsonObject:
    """An agent as the API shows it."""
    times = {"created_time": agent.created, "last_updated_time": agent.updated}
    return {**agent.definition, **times, "is_hidden": False}


def _require_framework(cluster: Cluster) -> None:
    if not cluster.settings.on(AGENT_FRAMEWORK):
        reason = (
            "Agent Framework is currently disabled. To enable it, update the setting "
            f'"{AGENT_FRAMEWORK}" to true.'
        )
        raise ApiError(cluster.rules.remote_inference_off_status, "illegal_state_exception", reason)


def _definition(fields: Fields) -> JsonObject:
    name, kind, description = fields.text("name"), fields.text("type"), fields.text("description")
    objects = {part: fields.object(part) for part in _OBJECTS}
    tools, app_type = fields.items("tools"), fields.text("app_type")
    if name is None:
        raise illegal_argument("Agent name can't be null")
    if kind is None:
        raise illegal_argument("Agent type can't be null")
    if kind.lower() not in TYPES:
        raise illegal_argument(f"{kind} is not a valid Agent Type")
    if kind.lower() == "conversational" and objects["llm"] is None:
        raise illegal_argument("We need model information for the conversational agent type")
    definition: JsonObject = {"name": name, "type": kind}
    if description is not None:
        definition["description"] = description
    definition |= {part: found.values for part, found in objects.items() if found is not None}
    if tools is not None:
        definition["tools"] = _tools(tools)
    return definition if app_type is None else definition | {"app_type": app_type}


def _tools(tools: list[Any]) -> list[JsonObject]:
    shown = []
    for tool in tools:
        if not isinstance(tool, dict) or tool.get("type") is None:
            raise illegal_argument("tool type must be set")
        shown.append(
            {**tool, "include_output_in_agent_response": bool(tool.get("include_output_in_agent_response"))}
        )
    names = [tool.get("name", tool["type"]) for tool in shown]
    for name in names:
        if names.count(name) > 1:
            raise illegal_argument(f"Duplicate tool defined: {name}")
    return shown
