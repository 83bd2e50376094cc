"""What safe delete asks: who uses a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlconform.mock_server.core import encode_json
from mlconform.mock_server.opensearch_ml.cluster import Cluster
from mlconform.mock_server.opensearch_ml.errors import ApiError, status_error
from mlconform.mock_server.opensearch_ml.opensearch_core.settings import SAFE_DELETE
from mlconform.mock_server.opensearch_ml.rules import User


def refuse_while_in_use(cluster: Cluster, model_id: str) -> None:
    """With safe delete on, raises one ApiError 409 that names every user of the model, of all kinds or, where
    the rules say so, of one."""
    if not cluster.settings.on(SAFE_DELETE):
        return
    refusals = {
        kind: status_error(
            cluster.rules.conflict_status, _reason(kind, names, named=cluster.rules.conflict_names_users)
        )
        for kind, names in users(cluster, model_id).items()
        if names and kind in cluster.rules.safe_delete_asks
    }
    if not refusals:
        return
    if not cluster.rules.conflict_names_all_kinds:
        raise _first(cluster, refusals)
    raise status_error(cluster.rules.conflict_status, "; ".join(each.reason for each in refusals.values()))


def _first(cluster: Cluster, refusals: Mapping[User, ApiError]) -> ApiError:
    """The refusal that a node comes to first, which is that of an agent last: these it has to search for."""
    pipelines = [refusal for kind, refusal in refusals.items() if kind is not User.AGENT]
    if not pipelines:
        return refusals[User.AGENT]
    if User.AGENT in refusals:
        cluster.second_refusals.come(encode_json(refusals[User.AGENT].envelope()))
    return pipelines[-1 if cluster.ids.happens(0.5) else 0]


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
