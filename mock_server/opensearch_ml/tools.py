"""Tools that agents may use: which there are, and whether they say what they take."""

from __future__ import annotations

import json

from mlconform.mock_server.opensearch_ml.cluster import Answer, Call
from mlconform.mock_server.opensearch_ml.store import JsonObject

_TOOLS: dict[str, tuple[str, bool | None]] = {
    "ConnectorTool": ("undefined", None),
    "IndexInsightTool": ("undefined", False),
    "QueryPlanningTool": ("undefined", None),
    "ReadFromScratchPadTool": ("1", True),
    "VisualizationTool": ("undefined", False),
    "McpSseTool": ("undefined", None),
    "MLModelTool": ("undefined", None),
    "AgentTool": ("undefined", None),
    "WriteToScratchPadTool": ("1", True),
    "IndexMappingTool": ("undefined", True),
    "McpStreamableHttpTool": ("undefined", None),
    "ListIndexTool": ("undefined", False),
    "SearchIndexTool": ("undefined", False),
}
"""The tools of 3.4.0 (access#41): version, and whether the schema of the input is strict, if there is one."""

_ANY_INPUT = json.dumps({"type": "object", "properties": {}})


def find_all(_call: Call) -> Answer:
    """GET tools: every tool. What it is for, and what it takes, are told in few words."""
    return Answer([_view(name, version, strict) for name, (version, strict) in _TOOLS.items()])


def _view(name: str, version: str, strict: bool | None) -> JsonObject:
    attributes: JsonObject = {} if strict is None else {"input_schema": _ANY_INPUT, "strict": strict}
    return {
        "name": name,
        "description": f"The tool {name}.",
        "type": name,
        "version": version,
        "attributes": attributes,
    }
