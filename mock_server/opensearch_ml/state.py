"""The state of a cluster as JSON values, and a cluster from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlconform.mock_server import codec
from mlconform.mock_server.codec import CodecError
from mlconform.mock_server.opensearch_ml.cluster import Cluster
from mlconform.mock_server.opensearch_ml.errors import ApiError
from mlconform.mock_server.opensearch_ml.model_files import Chunk
from mlconform.mock_server.opensearch_ml.opensearch_core.settings import Settings
from mlconform.mock_server.opensearch_ml.prediction.rate_limit import TokenBucket
from mlconform.mock_server.opensearch_ml.security.accounts import Account, Accounts
from mlconform.mock_server.opensearch_ml.security.roles import Role, RoleMapping
from mlconform.mock_server.opensearch_ml.store import (
    Agent,
    Connector,
    Controller,
    Index,
    JsonObject,
    Model,
    ModelGroup,
    Store,
    Task,
)

_KINDS: dict[str, type] = {
    "models": Model,
    "chunks": Chunk,
    "groups": ModelGroup,
    "connectors": Connector,
    "tasks": Task,
    "agents": Agent,
    "controllers": Controller,
}


def dump(cluster: Cluster) -> dict[str, Any]:
    """Everything but the credentials of connectors and the passwords of users."""
    store = cluster.store
    indices = {name: index for name, (index, _) in _known(store).items()} | store.indices
    return {
        "version": cluster.version,
        "nodes": codec.dump(list(cluster.all_nodes)),
        "settings": {scope: cluster.settings.explicit(scope) for scope in Settings.SCOPES},
        "indices": {
            name: {key: _shown(document) for key, document in index} for name, index in indices.items()
        },
        "standings": {name: index.standings() for name, index in indices.items()},
        "work": cluster.lifecycle.dump(),
        "remnants": {name: _shown(model) for name, model in cluster.lifecycle.remnants.models.items()},
        "asked": {name: _shown(model) for name, model in cluster.lifecycle.remnants.asked.items()},
        "counts": cluster.monitor.dump(),
        "throttle": codec.dump(cluster.throttle.buckets),
        "ingest_pipelines": store.ingest_pipelines,
        "search_pipelines": store.search_pipelines,
        **({} if cluster.accounts is None else {"accounts": _shown_accounts(cluster.accounts)}),
    }


def _known(store: Store) -> dict[str, tuple[Index[Any], type]]:
    """The indices of ML Commons with what they hold, by name; chunks are in the index of models."""
    names = {"chunks": f"{store.models.name}-chunks"}
    indices = {name: getattr(store, name) for name in _KINDS}
    return {names.get(name, indices[name].name): (indices[name], kind) for name, kind in _KINDS.items()}


def _shown_accounts(accounts: Accounts) -> dict[str, Any]:
    users = {name: codec.dump(user) for name, user in accounts.users.items()}
    for user in users.values():
        del user["password"]
    return {"users": users, "roles": codec.dump(accounts.roles), "mappings": codec.dump(accounts.mappings)}


def _load_accounts(accounts: Accounts, dumped: JsonObject) -> None:
    """Users come back with the password that all of a mock's users begin with."""
    users = {
        name: {"password": accounts.password, **user} if isinstance(user, dict) else user
        for name, user in _object(dumped, "users").items()
    }
    accounts.users = codec.load(dict[str, Account], users, "accounts.users")
    accounts.roles = codec.load(dict[str, Role], _object(dumped, "roles"), "accounts.roles")
    accounts.mappings = codec.load(dict[str, RoleMapping], _object(dumped, "mappings"), "accounts.mappings")


def _shown(document: Any) -> Any:
    values = codec.dump(document)
    for holder in (values, values.get("connector")):
        if isinstance(document, Model | Connector) and isinstance(holder, dict):
            holder.pop("credential", None)
    return values


def load(cluster: Cluster, dumped: Mapping[str, Any]) -> None:
    """Fill an empty cluster with a dump of another that has as many nodes.

    Raises CodecError for what is no dump. The nodes keep the ids that they have here.
    """
    dumped = _with_node_ids_of(cluster, dumped)
    store = cluster.store
    indices = codec.load(dict[str, JsonObject], _object(dumped, "indices"), "indices")
    standings = _object(dumped, "standings")
    known = _known(store)
    for name, documents in indices.items():
        if name in known:
            index, kind = known[name]
        else:
            index, kind = store.new_index(name), JsonObject
        loaded = {key: _loaded(kind, value, f"{name}.{key}") for key, value in documents.items()}
        index.load(loaded, _standings(name, standings.get(name, {})))
    settings = codec.load(dict[str, JsonObject], _object(dumped, "settings"), "settings")
    try:
        cluster.settings.load(settings)
    except ApiError as error:
        raise CodecError(f"expected settings that this cluster has: {error.reason}") from None
    store.ingest_pipelines.update(_object(dumped, "ingest_pipelines"))
    store.search_pipelines.update(_object(dumped, "search_pipelines"))
    if cluster.accounts is not None and "accounts" in dumped:
        _load_accounts(cluster.accounts, _object(dumped, "accounts"))
    cluster.lifecycle.load(_object(dumped, "work"))
    remnants = cluster.lifecycle.remnants
    remnants.models = _loaded_models(dumped, "remnants")
    remnants.asked = _loaded_models(dumped, "asked")
    cluster.monitor.load(_object(dumped, "counts"))
    cluster.throttle.buckets = codec.load(dict[str, TokenBucket], _object(dumped, "throttle"), "throttle")
    # Another server may have made the ids of the dump from the same seed, and would make them again.
    cluster.ids.begin_anew(json.dumps([indices, standings, dumped.get("work")], sort_keys=True))


def _standings(name: str, value: Any) -> dict[str, list[int]]:
    loaded = codec.load(dict[str, list[int]], value, f"standings.{name}")
    for key, standing in loaded.items():
        if len(standing) != 2:
            raise CodecError(
                f"expected version and sequence number at standings.{name}.{key}, got {standing}"
            )
    return loaded


def _loaded(kind: Any, value: Any, place: str) -> Any:
    if kind is Connector:
        value = {"credential": {}, **value} if isinstance(value, dict) else value
    if kind is Model and isinstance(value, dict) and isinstance(value.get("connector"), dict):
        value = {**value, "connector": {"credential": {}, **value["connector"]}}
    return codec.load(kind, value, place)


def _loaded_models(dumped: Mapping[str, Any], name: str) -> dict[str, Model]:
    return {key: _loaded(Model, model, name) for key, model in _object(dumped, name).items()}


def _object(dumped: Mapping[str, Any], name: str) -> JsonObject:
    value = dumped.get(name, {})
    if not isinstance(value, dict):
        raise CodecError(f"expected an object as {name}, got {type(value).__name__}")
    return value


def _with_node_ids_of(cluster: Cluster, dumped: Mapping[str, Any]) -> Mapping[str, Any]:
    nodes = dumped.get("nodes")
    ids = [node.get("id") for node in nodes if isinstance(node, dict)] if isinstance(nodes, list) else []
    if len(ids) != len(cluster.all_nodes):
        raise CodecError(f"expected the state of a cluster of {len(cluster.all_nodes)} nodes, got {len(ids)}")
    names = {str(old): node.id for old, node in zip(ids, cluster.all_nodes, strict=True)}
    renamed: Mapping[str, Any] = _renamed(dict(dumped), names)
    return renamed


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Texts that are node ids, or JSON texts that hold them in quotes, with the new ids."""
    if isinstance(value, dict):
        return {names.get(key, key): _renamed(member, names) for key, member in value.items()}
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    if not isinstance(value, str):
        return value
    for old, new in names.items():
        value = new if value == old else value.replace(f'"{old}"', f'"{new}"')
    return value
