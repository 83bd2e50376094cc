"""What the answers of ML Commons told of the things that a run made, and what later answers owe to that."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

# By the collection in the path: what a creation's answer calls the id.
ID_OF: Final[Mapping[str, str]] = {
    "connectors": "connector_id",
    "model_groups": "model_group_id",
    "models": "model_id",
    "agents": "agent_id",
}
CREATIONS: Final[Mapping[str, str]] = {
    "create_connector": "connectors",
    "register_model_group": "model_groups",
    "register_model": "models",
    "register_model_meta": "models",
    "register_agent": "agents",
}
UPDATES: Final = {
    "update_connector": "connectors",
    "update_model_group": "model_groups",
    "update_model": "models",
    "update_controller": "controllers",
}
READS: Final = {
    "get_connector": "connectors",
    "get_model_group": "model_groups",
    "get_model": "models",
    "get_agent": "agents",
    "get_task": "tasks",
    "get_controller": "controllers",
}
DELETES: Final = {
    "delete_connector": "connectors",
    "delete_model_group": "model_groups",
    "delete_model": "models",
    "delete_agent": "agents",
    "delete_task": "tasks",
    "delete_controller": "controllers",
}
SEARCHES: Final = {
    "search_connectors": "connectors",
    "search_connectors_get": "connectors",
    "search_model_groups": "model_groups",
    "search_model_groups_get": "model_groups",
    "search_models": "models",
    "search_models_get": "models",
    "search_agents": "agents",
    "search_agents_get": "agents",
    "search_tasks": "tasks",
}
# What reads as it was sent.
AS_SENT: Final[Mapping[str, tuple[str, ...]]] = {
    "connectors": ("name", "description", "version", "protocol", "parameters", "actions"),
    "model_groups": ("name", "description"),
    "models": (
        "name",
        "description",
        "connector_id",
        "model_group_id",
        "is_enabled",
        "is_controller_enabled",
        "deploy_setting",
        "connector",
        "guardrails",
        "interface",
        "model_config",
        "rate_limiter",
    ),
    "agents": ("name", "description", "type", "tools"),
    "controllers": ("user_rate_limiter",),
}
# The same of a model whose file comes from a URL.
FROM_URL: Final = (*AS_SENT["models"], "model_format", "model_content_hash_value")
# What the last chunk of a model's file leaves of what was sent; it writes the model anew without the rest.
AFTER_CHUNKS: Final = (
    "name",
    "model_group_id",
    "model_format",
    "model_content_hash_value",
    "model_content_size_in_bytes",
    "total_chunks",
)
# Of these what a node does only after its answer (3.4.0: not yet there in 2 of 60 reads right after it).
LATER: Final = ("is_controller_enabled",)
# What never changes once it is there.
LASTING: Final = (
    "created_time",
    "create_time",
    "algorithm",
    "function_name",
    "protocol",
    "model_version",
    "task_type",
    "is_hidden",
    "is_async",
    "access",
    "owner",
)
# When it was written last.
UPDATED: Final = ("last_updated_time", "last_update_time")

Key = tuple[str, str]


@dataclass
class Thing:
    """One thing: whether it is there, what of it was sent, and what was read of it.

    `there` is None where that cannot be known. `whole` is what was read last, unless it was written since.
    `version` and `number` are those of the last write that an answer told; `alone` says that nothing but the
    run's own answered writes changes it. `maker` is the operation whose answer told of it.
    """

    kind: str
    there: bool | None = True
    sent: dict[str, Any] = field(default_factory=dict)
    read: dict[str, Any] = field(default_factory=dict)
    whole: dict[str, Any] = field(default_factory=dict)
    version: int | None = None
    number: int | None = None
    alone: bool = True
    maker: str = ""


@dataclass
class Things:
    """All that the run made or asked for, by collection and id."""

    known: dict[Key, Thing] = field(default_factory=dict)
    _by_kind: dict[str, dict[str, Thing]] = field(default_factory=dict)

    def get(self, kind: str, name: str) -> Thing | None:
        return self.known.get((kind, name))

    def made(self, kind: str, name: str, sent: Any, maker: str, kept: Iterable[str] | None = None) -> Thing:
        """Remember a thing that an answer says was made, and what was sent of the members that are kept."""
        thing = Thing(kind, maker=maker, version=1 if kind in ID_OF else None)
        if isinstance(sent, dict):
            names = AS_SENT.get(kind, ()) if kept is None else kept
            thing.sent = {each: sent[each] for each in names if each in sent}
        if maker == "register_model_meta" or kind == "tasks":
            # A node writes them too, as the file comes and as the task goes on.
            thing.version, thing.alone = None, False
        self.known[(kind, name)] = thing
        self._by_kind.setdefault(kind, {})[name] = thing
        return thing

    def named(self, kind: str) -> Iterable[tuple[str, Thing]]:
        return self._by_kind.get(kind, {}).items()

    def of_kind(self, kind: str) -> Iterable[Thing]:
        return self._by_kind.get(kind, {}).values()


def same(sent: Any, read: Any, *, as_text: bool = True) -> bool:
    """Whether a value reads as it was sent; `as_text` lets a number or a flag read as its text."""
    if sent in ([], {}):
        # It may be left out, and leaves what was there.
        return True
    if isinstance(sent, dict):
        # The schemas of an interface are kept as their text.
        whole = decoded(read) if isinstance(read, str) else read
        return isinstance(whole, dict) and all(
            same(value, whole.get(name), as_text=as_text)
            for name, value in sent.items()
            if name != "credential"
        )
    if isinstance(sent, list):
        alike = isinstance(read, list) and len(read) == len(sent)
        return alike and all(same(*pair, as_text=as_text) for pair in zip(sent, read, strict=True))
    if as_text and isinstance(sent, bool | int | float) and isinstance(read, str):
        return str(sent).lower() == read.lower()
    # A word such as the type of an action is kept in capitals.
    return type(sent) is type(read) and (sent == read or (isinstance(read, str) and read == sent.upper()))


def decoded(text: str) -> Any:
    """The JSON that a text holds, or None."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def plain(value: Any) -> bool:
    """Whether the value is of the kind that people send: what else a server makes of it is its own."""
    if isinstance(value, str):
        return value.isascii() and value.isprintable() and value == value.strip() and bool(value)
    if isinstance(value, dict):
        return all(plain(each) for each in value.values())
    if isinstance(value, list):
        return all(plain(each) for each in value)
    return isinstance(value, bool | int)


def updated(told: dict[str, Any]) -> Any:
    """When it was last updated, as a thing reads."""
    return next((told[name] for name in UPDATED if name in told), None)
