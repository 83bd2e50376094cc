"""What a cluster is given and never changes: its rules, time, nodes, and what stands behind its models."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from msgspec import Struct, field

from mlconform.mock_server.clock import Clock
from mlconform.mock_server.downloads import Downloads, LocalDownloads
from mlconform.mock_server.endpoint import RemoteEndpoint
from mlconform.mock_server.opensearch_ml.nodes import Ids, Node
from mlconform.mock_server.opensearch_ml.rules import Rules
from mlconform.mock_server.opensearch_ml.security.accounts import Security
from mlconform.mock_server.opensearch_ml.work import AlwaysDeployed, Outcomes, Progress


class Environment(Struct, frozen=True, dict=True):
    """The surroundings of a cluster; `version` is the product version that it tells of itself.

    `let_others_in` is called inside a request where a real node lets other requests go on: between what it
    reads and what it writes. Without `security` the cluster has no users, and anybody may do anything.
    `http_address` tells at which host and port a node listens, by its number; None where it does not.
    """

    rules: Rules
    clock: Clock
    nodes: tuple[Node, ...]
    ids: Ids
    endpoint: RemoteEndpoint
    version: str
    progress: Progress = field(default_factory=Progress)
    outcomes: Outcomes = field(default_factory=AlwaysDeployed)
    downloads: Downloads = field(default_factory=LocalDownloads)
    let_others_in: Callable[[], None] = lambda: None
    security: Security | None = None
    http_address: Callable[[int], str | None] = lambda _number: None

    @property
    def local_node_id(self) -> str:
        """The id of the node that clients talk to."""
        return self.nodes[0].id

    @cached_property
    def node_ids(self) -> tuple[str, ...]:
        """The ids of all nodes, as plans name them: as recorded, the one that clients talk to comes last."""
        first, *others = (node.id for node in self.nodes)
        return (*others, first)
