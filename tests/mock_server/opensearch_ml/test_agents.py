"""Agents: how a body is read, what is refused first, and what is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

FLOW = {"name": "x", "type": "flow"}
CHAT = {"name": "x", "type": "conversational", "llm": {"model_id": "m"}}
PLAN = {"name": "x", "type": "plan_execute_and_reflect", "llm": {"model_id": "m"}, "parameters": {"a": "b"}}
TEXTLESS = "Can't get text on a VALUE_NULL at 1:10"
NO_PARAMETERS = (
    'Cannot invoke "java.util.Map.containsKey(Object)" because the return value of '
    '"org.opensearch.ml.common.agent.MLAgent.getParameters()" is null'
)
LONG = "Agent name cannot be empty or exceed max length of 128 characters"
UNPLANNED = "plan_execute_and_reflect is not a valid Agent Type"


def _refused(ml: Any, body: Any) -> tuple[int, str, str]:
    error = (answer := ml.post("~/agents/_register", body)).body["error"]
    return answer.status, error["type"], error["reason"]


def _shown(ml: Any, body: Any) -> Any:
    return ml.get(f"~/agents/{ml.post('~/agents/_register', body).body['agent_id']}").body


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        ({"name": None, "type": "flow"}, "illegal_state_exception", TEXTLESS),
        ({**FLOW, "tools": [{}]}, "illegal_argument_exception", "tool type is null"),
        ({"tools": [{"name": "t"}]}, "illegal_argument_exception", "tool type is null"),
        (
            {**FLOW, "tools": ["t"]},
            "parsing_exception",
            "Failed to parse object: expecting token of type [START_OBJECT] but found [VALUE_STRING]",
        ),
        (
            {**FLOW, "tools": {}},
            "parsing_exception",
            "Failed to parse object: expecting token of type [START_ARRAY] but found [START_OBJECT]",
        ),
        (
            {**FLOW, "tools": [{"type": "T"}, {"type": "A", "name": "T"}]},
            "illegal_argument_exception",
            "Duplicate tool defined: T",
        ),
        ({**CHAT, "llm": {}}, "illegal_argument_exception", "model id is null"),
        ({**CHAT, "memory": {}}, "illegal_argument_exception", "agent name is null"),
        (
            {**CHAT, "memory": {"type": "conversation_index", "window_size": "a"}},
            "number_format_exception",
            'For input string: "a"',
        ),
    ],
)
def test_a_body_that_can_not_be_read_is_refused(ml: Any, body: Any, kind: str, reason: str) -> None:
    assert _refused(ml, body) == (400, kind, reason)


@pytest.mark.parametrize(
    ("behaviour", "body", "refusal"),
    [
        ("opensearch-2.19", {**FLOW, "name": " "}, None),
        ("opensearch-3.4", {**FLOW, "name": " "}, (400, "illegal_argument_exception", LONG)),
        ("opensearch-3.4", {**FLOW, "name": "x" * 128}, None),
        ("opensearch-3.4", {**FLOW, "name": "x" * 129}, (400, "illegal_argument_exception", LONG)),
        ("opensearch-2.19", PLAN, (400, "illegal_argument_exception", UNPLANNED)),
        ("opensearch-3.4", PLAN, None),
        ("opensearch-3.4", {**PLAN, "parameters": None}, None),
        (
            "opensearch-3.4",
            {"name": "x", "type": "plan_execute_and_reflect"},
            (500, "null_pointer_exception", NO_PARAMETERS),
        ),
        (
            "opensearch-3.4",
            {**FLOW, "parameters": {"_llm_interface": "nope"}},
            (400, "illegal_argument_exception", "Invalid _llm_interface: nope"),
        ),
        (
            "opensearch-3.4",
            {**FLOW, "parameters": {"_llm_interface": " "}},
            (400, "illegal_argument_exception", "_llm_interface cannot be blank or empty"),
        ),
    ],
)
def test_versions_differ_in_what_they_refuse(
    make_client: Callable[..., Any], behaviour: str, body: Any, refusal: Any
) -> None:
    ml = make_client(behaviour=behaviour)
    if refusal is None:
        assert ml.post("~/agents/_register", body).status == 200
    else:
        assert _refused(ml, body) == refusal


def test_a_documented_server_does_not_fail_over_a_plan(make_client: Callable[..., Any]) -> None:
    ml = make_client(docs_version="3.4")
    assert _refused(ml, {"name": "x", "type": "plan_execute_and_reflect"})[0] == 400


def test_parameters_are_kept_as_texts_and_empty_members_are_not_shown(ml: Any) -> None:
    body = {
        **CHAT,
        "llm": {"parameters": {"max": 5}, "model_id": "m"},
        "tools": [],
        "memory": {"window_size": 3, "type": "conversation_index"},
        "parameters": {"n": 1, "flag": True, "nested": {"a": [1]}},
        "app_type": "rag",
        "bogus": 1,
    }
    shown = _shown(ml, body)
    assert shown["llm"] == {"model_id": "m", "parameters": {"max": "5"}}
    assert shown["parameters"] == {"n": "1", "flag": "true", "nested": '{"a":[1]}'}
    assert shown["memory"] == {"type": "conversation_index", "window_size": 3}
    assert list(shown)[-4:] == ["created_time", "last_updated_time", "app_type", "is_hidden"]
    assert not {"tools", "bogus"} & set(shown)


def test_nobody_hides_an_agent(ml: Any) -> None:
    assert _shown(ml, {**FLOW, "is_hidden": True})["is_hidden"] is False


def test_tools_have_attributes_since_3_4(make_client: Callable[..., Any]) -> None:
    body = {**FLOW, "tools": [{"type": "T", "attributes": {"strict": False}}]}
    shown = [_shown(make_client(behaviour=f"opensearch-{version}"), body) for version in ("2.19", "3.4")]
    assert [agent["tools"][0].get("attributes") for agent in shown] == [None, {"strict": "false"}]


def test_a_planning_agent_gets_one_that_executes(make_client: Callable[..., Any]) -> None:
    ml = make_client(behaviour="opensearch-3.4")
    executor = _shown(ml, PLAN)["parameters"]["executor_agent_id"]
    agent = ml.get(f"~/agents/{executor}").body
    assert (agent["name"], agent["type"]) == ("x (ReAct)", "CONVERSATIONAL")
    assert agent["description"] == "Execution Agent for Plan Execute Reflect - x"
    named = {**PLAN, "parameters": {"executor_agent_id": executor}}
    assert _shown(ml, named)["parameters"] == {"executor_agent_id": executor}


@pytest.mark.parametrize(("behaviour", "status"), [("documented", 400), ("opensearch-2.19", 500)])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "~/agents/_register"),
        ("GET", "~/agents/nope"),
        ("DELETE", "~/agents/nope"),
        ("GET", "~/agents/_search"),
    ],
)
def test_all_operations_can_be_turned_off(
    make_client: Callable[..., Any], behaviour: str, status: int, method: str, path: str
) -> None:
    ml = make_client(behaviour=behaviour)
    ml.setting("agent_framework_enabled", False)
    answer = ml.send(method, path)
    assert (answer.status, answer.body["error"]["type"]) == (status, "illegal_state_exception")
    assert ml.reason(answer).startswith("Agent Framework is currently disabled.")


def test_an_update_goes_into_what_is_there(make_client: Callable[..., Any]) -> None:
    ml = make_client(behaviour="opensearch-3.4")
    body = {
        **CHAT,
        "llm": {"model_id": "m", "parameters": {"a": "1"}},
        "tools": [{"type": "T"}],
        "app_type": "x",
    }
    agent_id = ml.post("~/agents/_register", body).body["agent_id"]
    changes = {
        "description": "new",
        "llm": {"parameters": {"b": 2}},
        "tools": [{"type": "U"}],
        "type": "flow",
    }
    answer = ml.put(f"~/agents/{agent_id}", changes).body
    assert (answer["result"], answer["_version"], answer["forced_refresh"]) == ("updated", 2, True)
    shown = ml.get(f"~/agents/{agent_id}").body
    assert (shown["type"], shown["description"], shown["app_type"]) == ("conversational", "new", "x")
    assert shown["llm"] == {"model_id": "m", "parameters": {"a": "1", "b": "2"}}
    assert [tool["type"] for tool in shown["tools"]] == ["U"]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"description": "d"}, 404, "Failed to get agent with ID nope"),
        ({"name": ""}, 400, LONG),
        ({"memory": {"type": "other"}}, 400, "Invalid memory type: other"),
        ({"tools": [{"type": "T"}, {"type": "T"}]}, 400, "Duplicate tool defined: T"),
        (b"", 400, "request body is required"),
    ],
)
def test_a_bad_update_is_refused(
    make_client: Callable[..., Any], body: Any, status: int, reason: str
) -> None:
    ml = make_client(behaviour="opensearch-3.4")
    answer = ml.put("~/agents/nope", body)
    assert (answer.status, ml.reason(answer)) == (status, reason)


def test_before_3_1_agents_can_not_be_updated(make_client: Callable[..., Any]) -> None:
    answer = make_client(behaviour="opensearch-2.19").put("~/agents/nope", FLOW)
    assert (answer.status, answer.headers["allow"]) == (405, "GET,DELETE")


def test_an_interface_is_known_in_any_letters(make_client: Callable[..., Any]) -> None:
    ml = make_client(behaviour="opensearch-3.4")
    body = {**FLOW, "parameters": {"_llm_interface": " OpenAI/V1/Chat/Completions "}}
    assert ml.post("~/agents/_register", body).status == 200


def test_an_update_moves_the_time_of_the_last_one(make_client: Callable[..., Any]) -> None:
    ml = make_client(behaviour="opensearch-3.4")
    agent_id = ml.post("~/agents/_register", FLOW).body["agent_id"]
    before = ml.get(f"~/agents/{agent_id}").body
    ml.time.now += 5
    ml.put(f"~/agents/{agent_id}", {"description": "d"})
    after = ml.get(f"~/agents/{agent_id}").body
    assert after["created_time"] == before["created_time"]
    assert after["last_updated_time"] == before["last_updated_time"] + 5000
