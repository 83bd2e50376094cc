"""Which nodes may hold local models: those for machine learning, and others where two settings say so."""

from __future__ import annotations

from mlconform.mock_server.opensearch_ml.environment import Environment
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


def eligible(environment: Environment, settings: Settings, function: str) -> tuple[str, ...]:
    """The ids of the nodes that may have a model of this function in memory, in the order of plans."""
    may = {node.id for node in environment.nodes if _is_eligible(node, settings, environment.rules, function)}
    return tuple(node for node in environment.node_ids if node in may)


def _is_eligible(node: Node, settings: Settings, rules: Rules, function: str) -> bool:
    if function not in LOCAL_FUNCTIONS:
        return True
    if rules.only_ml_nodes_is_kept and settings.on(ONLY_ML_NODES):
        return node.is_ml
    return not set(settings.texts(LOCAL_ROLES)).isdisjoint(node.roles)


def no_node(rules: Rules) -> ApiError:
    """The refusal of a registration that no node may carry out."""
    return illegal_argument(_NOBODY.format(api=rules.settings_api_is_called))
