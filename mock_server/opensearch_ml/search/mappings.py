"""How the indices of ML Commons hold their fields, and how a search is told that failed on a shard.

The kinds are those of the mappings that ML Commons makes its indices with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any

from msgspec import Struct


class Kind(StrEnum):
    """How a field is indexed; the names are those that OpenSearch tells."""

    KEYWORD = "keyword"
    TEXT = "text"
    INTEGER = "integer"
    LONG = "long"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    FLAT = "flat_object"


_NAMED = {"name": Kind.TEXT, "name.keyword": Kind.KEYWORD, "description": Kind.TEXT}
_DATED = {"created_time": Kind.DATE, "last_updated_time": Kind.DATE}
_CONNECTOR = {
    **_NAMED,
    "version": Kind.KEYWORD,
    "protocol": Kind.KEYWORD,
    **dict.fromkeys(("parameters", "credential", "client_config", "actions"), Kind.FLAT),
}
_GUARDRAIL = {"regex": Kind.TEXT, "stop_words.index_name": Kind.TEXT, "stop_words.source_fields": Kind.TEXT}


class Mapping(Struct, frozen=True):
    """The fields of one index by dotted name.

    `failure` is all that is told of a search that fails on a shard, unless a bad value made it fail; without
    it the whole failure is told. `hides` says that hidden documents are filtered out, which costs a search
    without a query its score.
    """

    fields: dict[str, Kind]
    failure: str | None = None
    hides: bool = False

    def kind(self, name: str) -> Kind | None:
        """How a field is indexed; what is below a flat object is a keyword. None where there is no field."""
        kind = self.fields.get(name)
        if kind is not None:
            return kind
        parents = (name[:at] for at, character in enumerate(name) if character == ".")
        return Kind.KEYWORD if any(self.fields.get(parent) is Kind.FLAT for parent in parents) else None


MAPPINGS = {
    ".plugins-ml-model": Mapping(
        {
            **_NAMED,
            **_DATED,
            **dict.fromkeys(
                (
                    *("algorithm", "model_version", "model_group_id", "model_id", "model_format"),
                    *("model_state", "planning_worker_nodes", "model_content_hash_value"),
                    *("model_config.model_type", "model_config.framework_type"),
                ),
                Kind.KEYWORD,
            ),
            **dict.fromkeys(
                ("version", "chunk_number", "total_chunks", "model_content_size_in_bytes"), Kind.LONG
            ),
            **dict.fromkeys(
                (
                    *("planning_worker_node_count", "current_worker_node_count", "auto_redeploy_retry_times"),
                    *("model_config.embedding_dimension", "model_config.model_max_length"),
                ),
                Kind.INTEGER,
            ),
            **dict.fromkeys(("deploy_to_all_nodes", "is_hidden", "is_enabled"), Kind.BOOLEAN),
            **dict.fromkeys(
                ("last_registered_time", "last_deployed_time", "last_undeployed_time"), Kind.DATE
            ),
            **dict.fromkeys(("deploy_setting", "rate_limiter", "interface"), Kind.FLAT),
            "model_config.all_config": Kind.TEXT,
            # Not in the mapping: the first document makes them, as it makes every text.
            **dict.fromkeys(("connector_id", "guardrails.type"), Kind.TEXT),
            **dict.fromkeys(("connector_id.keyword", "guardrails.type.keyword"), Kind.KEYWORD),
            **{f"connector.{name}": kind for name, kind in _CONNECTOR.items()},
            **{f"guardrails.input_guardrail.{name}": kind for name, kind in _GUARDRAIL.items()},
            **{f"guardrails.output_guardrail.{name}": kind for name, kind in _GUARDRAIL.items()},
        },
        failure="Fail to search model version",
        hides=True,
    ),
    ".plugins-ml-model-group": Mapping(
        {
            **_NAMED,
            **_DATED,
            "latest_version": Kind.INTEGER,
            "model_group_id": Kind.KEYWORD,
            "access": Kind.KEYWORD,
        },
        failure="Fail to search",
    ),
    ".plugins-ml-connector": Mapping({**_CONNECTOR, **_DATED, "access": Kind.KEYWORD}),
    ".plugins-ml-task": Mapping(
        {
            **dict.fromkeys(
                (
                    "model_id",
                    "task_type",
                    "function_name",
                    "state",
                    "input_type",
                    "output_index",
                    "worker_node",
                ),
                Kind.KEYWORD,
            ),
            **dict.fromkeys(("create_time", "last_update_time"), Kind.DATE),
            "progress": Kind.FLOAT,
            "error": Kind.TEXT,
            "is_async": Kind.BOOLEAN,
            "remote_job": Kind.FLAT,
        }
    ),
    ".plugins-ml-agent": Mapping(
        {
            **_NAMED,
            **_DATED,
            "type": Kind.KEYWORD,
            **dict.fromkeys(("llm", "tools", "parameters", "memory"), Kind.FLAT),
            "is_hidden": Kind.BOOLEAN,
        },
        failure="Fail to search agent",
        hides=True,
    ),
}


def mapping_of(name: str, documents: Iterable[Any]) -> Mapping:
    """The mapping of an index; one that is not of ML Commons has the fields that its documents make."""
    known = MAPPINGS.get(name)
    if known is not None:
        return known
    return Mapping(dict(field for document in documents for field in _made_by(document, "")))


def _made_by(value: Any, name: str) -> Iterator[tuple[str, Kind]]:
    if isinstance(value, dict):
        for member, inner in value.items():
            yield from _made_by(inner, f"{name}.{member}" if name else member)
    elif isinstance(value, list):
        yield from _made_by(next(iter(value), None), name)
    elif isinstance(value, str):
        yield from ((name, Kind.TEXT), (f"{name}.keyword", Kind.KEYWORD))
    elif value is not None:
        kinds = {bool: Kind.BOOLEAN, int: Kind.LONG, float: Kind.FLOAT}
        yield name, kinds[type(value)]
