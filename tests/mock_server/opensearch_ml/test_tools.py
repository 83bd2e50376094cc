"""The tools that agents may use."""

from __future__ import annotations

from typing import Any


def test_tools_say_whether_their_input_has_a_schema(ml: Any) -> None:
    tools = {tool["name"]: tool for tool in ml.get("~/tools").body}
    assert tools["MLModelTool"]["attributes"] == {}
    assert set(tools["ListIndexTool"]["attributes"]) == {"input_schema", "strict"}
