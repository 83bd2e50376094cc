"""What a cluster is given and never changes: its rules, time, nodes, and what stands behind its models."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from mock_server.clock import Clock
from mock_server.endpoint import RemoteEndpoint
from mock_server.opensearch_ml.nodes import Ids, Node
from mock_server.opensearch_ml.rules import Rules


@dataclass(frozen=True)
class Environment:
    """The surroundings of a cluster; `version` is the product version that it tells of itself."""

    rules: Rules
    clock: Clock
    nodes: tuple[Node, ...]
    ids: Ids
    endpoint: RemoteEndpoint
    version: str

    @cached_property
    def node_ids(self) -> tuple[str, ...]:
        """The ids of all nodes, in their order."""
        return tuple(node.id for node in self.nodes)
