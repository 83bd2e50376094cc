"""One cluster: the parts that every operation works on, and what a request and its answer look like to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mock_server.clock import Clock
from mock_server.endpoint import RemoteEndpoint
from mock_server.opensearch_ml.document import EMPTY, Document
from mock_server.opensearch_ml.fields import Fields, fields_of
from mock_server.opensearch_ml.lifecycle import Lifecycle
from mock_server.opensearch_ml.nodes import Ids, Node
from mock_server.opensearch_ml.rate_limit import Throttle
from mock_server.opensearch_ml.rules import Rules
from mock_server.opensearch_ml.settings import Settings
from mock_server.opensearch_ml.store import Store


class Cluster:
    """State and the rules it follows. `version` is the product version that the cluster tells of itself."""

    def __init__(  # noqa: PLR0913
        self,
        rules: Rules,
        clock: Clock,
        nodes: tuple[Node, ...],
        ids: Ids,
        endpoint: RemoteEndpoint,
        version: str,
    ) -> None:
        self.rules = rules
        self.clock = clock
        self.nodes = nodes
        self.ids = ids
        self.endpoint = endpoint
        self.version = version
        self.settings = Settings(rules)
        self.store = Store(len(nodes))
        self.throttle = Throttle()
        self.lifecycle = Lifecycle(rules, clock, nodes, ids, self.settings, self.store)

    def now_ms(self) -> int:
        """Epoch milliseconds."""
        return int(self.clock.now() * 1000)

    @cached_property
    def node_ids(self) -> tuple[str, ...]:
        """The ids of all nodes, in their order."""
        return tuple(node.id for node in self.nodes)


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way to a handler: path parameters and query parameters are decoded."""

    cluster: Cluster
    parameters: dict[str, str]
    query: dict[str, str] = field(default_factory=dict)
    document: Document = EMPTY

    def fields(self) -> Fields:
        """The body as an object. Raises ApiError 400 for another kind of value; an empty body has no fields."""
        return fields_of(self.document)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler answers: a JSON value, or `text` instead of it."""

    value: Any = None
    status: int = 200
    text: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


Handler = Callable[[Call], Answer]
