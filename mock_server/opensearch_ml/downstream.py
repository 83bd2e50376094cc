"""What safe delete asks: who uses a model."""

from __future__ import annotations

from typing import Any

from mlconform.mock_server.opensearch_ml.cluster import Cluster
from mlconform.mock_server.opensearch_ml.errors import status_error
from mlconform.mock_server.opensearch_ml.opensearch_core.settings import SAFE_DELETE
from mlconform.mock_server.opensearch_ml.rules import User


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
