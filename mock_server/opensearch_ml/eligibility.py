"""Which nodes may hold local models: those for machine learning, and others where two settings say so."""

from __future__ import annotations

from collections.abc import Iterable

from mlconform.mock_server.opensearch_ml.errors import ApiError, illegal_argument
from mlconform.mock_server.opensearch_ml.functions import LOCAL_FUNCTIONS
from mlconform.mock_server.opensearch_ml.nodes import Node
from mlconform.mock_server.opensearch_ml.opensearch_core.settings import LOCAL_ROLES, ONLY_ML_NODES, Settings
from mlconform.mock_server.opensearch_ml.rules import Rules

_NOBODY = (
    "No eligible node found to execute this request. It's best practice to provision ML nodes to serve your "
    "models. You can disable this setting to serve the model on your data node for development purposes by "
    f'disabling the "{ONLY_ML_NODES}" configuration using the {{api}} api'
)


def eligible(nodes: Iterable[Node], settings: Settings, function: str) -> frozenset[str]:
    """The ids of the nodes that may have a model of this function in memory."""
    if function not in LOCAL_FUNCTIONS:
        return frozenset(node.id for node in nodes)
    if settings.on(ONLY_ML_NODES):
        return frozenset(node.id for node in nodes if node.is_ml)
    roles = settings.texts(LOCAL_ROLES)
    return frozenset(node.id for node in nodes if not set(roles).isdisjoint(node.roles))


def no_node(rules: Rules) -> ApiError:
    """The refusal of a registration that no node may carry out."""
    return illegal_argument(_NOBODY.format(api=rules.settings_api_is_called))
