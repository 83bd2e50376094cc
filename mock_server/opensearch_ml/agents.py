"""Agents: register, get, update, search, delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mlconform.mock_server.opensearch_ml import conflicts
from mlconform.mock_server.opensearch_ml.bodies.fields import Fields
from mlconform.mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mlconform.mock_server.opensearch_ml.errors import illegal_argument, node_error, parse_error, status_error
from mlconform.mock_server.opensearch_ml.opensearch_core.settings import AGENT_FRAMEWORK
from mlconform.mock_server.opensearch_ml.rules import Rules
from mlconform.mock_server.opensearch_ml.search.operation import answer_search
from mlconform.mock_server.opensearch_ml.store import Agent, JsonObject

CONVERSATIONAL = "CONVERSATIONAL"
PLANNING = "PLAN_EXECUTE_AND_REFLECT"
_EXECUTOR = "executor_agent_id"
_INTERFACE = "_llm_interface"
_ONLY_MEMORY = "conversation_index"
_SHOWN = ("name", "type", "description", "llm", "tools", "parameters", "memory")
_LLM = ("model_id", "parameters")
_MEMORY = ("type", "window_size", "session_id")
_ANSWERED = "include_output_in_agent_response"
_TOOL = ("type", "name", "description", "attributes", "parameters", _ANSWERED, "config")


def register(call: Call) -> Answer:
    """POST agents/_register. An agent that plans gets one that executes, if it names none."""
    require_framework(call.cluster)
    if call.document.empty:
        raise parse_error("request body is required")
    rules = call.cluster.rules
    definition = _members(call.fields(), _READERS)
    if not rules.agent_tools_have_attributes:
        for tool in definition.get("tools", []):
            tool.pop("attributes", None)
    _require_whole(definition, rules)
    _require_interface(definition, rules)
    if definition["type"].upper() == PLANNING:
        definition = _with_executor(call.cluster, definition)
    return Answer({"agent_id": _keep(call.cluster, definition)})


def _keep(cluster: Cluster, definition: JsonObject) -> str:
    agent_id, now = cluster.ids.document(), cluster.now_ms()
    cluster.store.agents.put(agent_id, Agent(definition, now, now))
    return agent_id


def _with_executor(cluster: Cluster, definition: JsonObject) -> JsonObject:
    parameters = definition.get("parameters")
    if parameters is None:
        method = '"java.util.Map.containsKey(Object)"'
        value = '"org.opensearch.ml.common.agent.MLAgent.getParameters()"'
        reason = f"Cannot invoke {method} because the return value of {value} is null"
        raise node_error("null_pointer_exception", reason)
    if _EXECUTOR in parameters:
        return definition
    name = definition["name"]
    executor = {
        **definition,
        "name": f"{name} (ReAct)",
        "type": CONVERSATIONAL,
        "description": f"Execution Agent for Plan Execute Reflect - {name}",
    }
    _require_whole(executor, cluster.rules)
    return {**definition, "parameters": {**parameters, _EXECUTOR: _keep(cluster, executor)}}


def get(call: Call) -> Answer:
    """GET agents/{agent_id}."""
    require_framework(call.cluster)
    agent_id = call.parameters["agent_id"]
    agent = call.cluster.store.agents.get(agent_id)
    if agent is None:
        raise status_error(404, f"Failed to find agent with the provided agent id: {agent_id}")
    return Answer(view(agent))


def update(call: Call) -> Answer:
    """PUT agents/{agent_id}: what the body has goes into what is there; tools are replaced as a whole."""
    require_framework(call.cluster)
    if call.document.empty:
        raise parse_error("request body is required")
    changes = _members(call.fields(), _UPDATE_READERS)
    _require_name(changes.get("name"), call.cluster.rules)
    memory = changes.get("memory", {}).get("type")
    if memory not in (None, _ONLY_MEMORY):
        raise illegal_argument(f"Invalid memory type: {memory}")
    _require_tools_apart(changes)
    agent_id, agents = call.parameters["agent_id"], call.cluster.store.agents
    agent = agents.get(agent_id)
    if agent is None:
        raise status_error(404, f"Failed to get agent with ID {agent_id}")
    call.cluster.let_others_in()
    conflicts.begin_update(call.cluster, agents, agent_id)
    agent.definition, agent.updated = _merged(agent.definition, changes), call.cluster.now_ms()
    refresh = call.cluster.rules.update_forces_refresh
    return Answer(agents.put(agent_id, agent, forced_refresh=refresh).answer())


def _merged(old: JsonObject, new: JsonObject) -> JsonObject:
    merged = dict(old)
    for name, value in new.items():
        before = old.get(name)
        both = isinstance(value, dict) and isinstance(before, dict)
        merged[name] = _merged(before or {}, value) if both else value
    return merged


def delete(call: Call) -> Answer:
    """DELETE agents/{agent_id}."""
    require_framework(call.cluster)
    agent_id = call.parameters["agent_id"]
    if agent_id not in call.cluster.store.agents:
        raise status_error(404, "Fail to find ml agent")
    call.cluster.let_others_in()
    return Answer(call.cluster.store.agents.delete(agent_id).answer())


def find_all(call: Call) -> Answer:
    """GET or POST agents/_search."""
    require_framework(call.cluster)
    return answer_search(call, call.cluster.store.agents, lambda _id, agent: view(agent))


def view(agent: Agent) -> JsonObject:
    """An agent as the API shows it."""
    times = {"created_time": agent.created, "last_updated_time": agent.updated}
    category = _in_order(agent.definition, ("app_type",))
    return {**_in_order(agent.definition, _SHOWN), **times, **category, "is_hidden": False}


def _in_order(members: JsonObject, names: tuple[str, ...]) -> JsonObject:
    """The members that hold something, in the order in which they are shown."""
    return {name: members[name] for name in names if members.get(name) not in (None, [], {})}


def require_framework(cluster: Cluster) -> None:
    if not cluster.settings.on(AGENT_FRAMEWORK):
        reason = (
            "Agent Framework is currently disabled. To enable it, update the setting "
            f'"{AGENT_FRAMEWORK}" to true.'
        )
        raise node_error("illegal_state_exception", reason)


def _require_whole(definition: JsonObject, rules: Rules) -> None:
    kind = definition.get("type")
    if definition.get("name") is None:
        raise illegal_argument("Agent name can't be null")
    _require_name(definition["name"], rules)
    if kind is None:
        raise illegal_argument("Agent type can't be null")
    if kind.upper() not in rules.agent_types:
        raise illegal_argument(f"{kind} is not a valid Agent Type")
    if kind.upper() == CONVERSATIONAL and "llm" not in definition:
        raise illegal_argument("We need model information for the conversational agent type")
    _require_tools_apart(definition)


def _require_name(name: str | None, rules: Rules) -> None:
    limit = rules.agent_name_limit
    if name is not None and limit is not None and (not name.strip() or len(name) > limit):
        raise illegal_argument(f"Agent name cannot be empty or exceed max length of {limit} characters")


def _require_tools_apart(definition: JsonObject) -> None:
    tools = [tool.get("name", tool["type"]) for tool in definition.get("tools", [])]
    for index, tool in enumerate(tools):
        if tool in tools[:index]:
            raise illegal_argument(f"Duplicate tool defined: {tool}")


def _require_interface(definition: JsonObject, rules: Rules) -> None:
    interface = definition.get("parameters", {}).get(_INTERFACE)
    if interface is None or rules.agent_llm_interfaces is None:
        return
    if not interface.strip():
        raise illegal_argument(f"{_INTERFACE} cannot be blank or empty")
    if interface.strip().lower() not in rules.agent_llm_interfaces:
        raise illegal_argument(f"Invalid {_INTERFACE}: {interface}")


# Reading a body: a member that can't be read is refused before a missing one is missed.

_Reader = Callable[[Fields, str], Any]


def _members(fields: Fields | None, readers: Mapping[str, _Reader]) -> JsonObject:
    """The members that have a reader, read as they come."""
    values = {} if fields is None else fields.values
    return {
        name: reader(fields, name) for name in values if fields is not None and (reader := readers.get(name))
    }


def _llm_part(fields: Fields, name: str) -> JsonObject:
    return _members(fields.object(name), {"model_id": Fields.text, "parameters": Fields.text_map})


def _llm(fields: Fields, name: str) -> JsonObject:
    llm = _llm_part(fields, name)
    if "model_id" not in llm:
        raise illegal_argument("model id is null")
    return _in_order(llm, _LLM)


def _memory_part(fields: Fields, name: str) -> JsonObject:
    readers = {"type": Fields.text, "session_id": Fields.text, "window_size": Fields.integer}
    return _members(fields.object(name), readers)


def _memory(fields: Fields, name: str) -> JsonObject:
    memory = _memory_part(fields, name)
    if "type" not in memory:
        # The node's own words: it speaks of the wrong thing.
        raise illegal_argument("agent name is null")
    return _in_order(memory, _MEMORY)


def _tools(fields: Fields, name: str) -> list[JsonObject]:
    return [_tool(tool) for tool in fields.objects(name) or []]


def _tool(fields: Fields) -> JsonObject:
    tool = {_ANSWERED: False, **_members(fields, _TOOL_READERS)}
    if "type" not in tool:
        raise illegal_argument("tool type is null")
    return _in_order(tool, _TOOL)


_TOOL_READERS: dict[str, _Reader] = {
    **dict.fromkeys(("type", "name", "description"), Fields.text),
    **dict.fromkeys(("attributes", "parameters", "config"), Fields.text_map),
    _ANSWERED: Fields.flag,
}
_READERS: dict[str, _Reader] = {
    **dict.fromkeys(("name", "type", "description", "app_type"), Fields.text),
    "llm": _llm,
    "tools": _tools,
    "parameters": Fields.text_map,
    "memory": _memory,
}
_UPDATE_READERS: dict[str, _Reader] = {
    **{name: reader for name, reader in _READERS.items() if name != "type"},
    "llm": _llm_part,
    "memory": _memory_part,
}
