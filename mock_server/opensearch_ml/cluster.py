"""One cluster: the parts that every operation works on, and what a request and its answer look like to it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from msgspec import Struct, field
from msgspec.structs import astuple

from mlconform.mock_server.opensearch_ml.bodies.document import EMPTY, Document
from mlconform.mock_server.opensearch_ml.bodies.fields import Fields, fields_of
from mlconform.mock_server.opensearch_ml.environment import Environment
from mlconform.mock_server.opensearch_ml.errors import not_x_content
from mlconform.mock_server.opensearch_ml.lifecycle import Lifecycle
from mlconform.mock_server.opensearch_ml.monitor import Monitor
from mlconform.mock_server.opensearch_ml.nodes import Node
from mlconform.mock_server.opensearch_ml.opensearch_core.settings import Settings
from mlconform.mock_server.opensearch_ml.prediction.rate_limit import Throttle
from mlconform.mock_server.opensearch_ml.second_refusals import SecondRefusals
from mlconform.mock_server.opensearch_ml.security.accounts import Accounts, Caller
from mlconform.mock_server.opensearch_ml.store import JsonObject, Model, Store


class Cluster:
    """The state of a cluster in its environment."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self.rules = environment.rules
        self.clock = environment.clock
        self.local_node_id = environment.local_node_id
        self.ids = environment.ids
        self.endpoint = environment.endpoint
        self.version = environment.version
        self.http_address = environment.http_address
        self.let_others_in = environment.let_others_in
        security = environment.security
        self.accounts = None if security is None else Accounts(security, environment.rules)
        self.settings = Settings(environment.rules)
        self.store = Store(len(environment.nodes))
        self.throttle = Throttle()
        self.monitor = Monitor(environment.local_node_id)
        parting = environment.rules.second_refusals_part_nodes if len(environment.nodes) > 1 else 0.0
        self.second_refusals = SecondRefusals(environment.clock, environment.ids, parting)
        self.lifecycle = Lifecycle(environment, self.settings, self.store)

    def copy(self) -> Cluster:
        """The same state in the same environment; the two go their own ways."""
        shared = [self._environment, *astuple(self._environment)]
        return copy.deepcopy(self, {id(part): part for part in shared})

    def eligible(self, model: Model) -> tuple[str, ...]:
        """The nodes that may have a model in memory, in the order of plans."""
        return self.lifecycle.departures.eligible(model)

    @property
    def all_nodes(self) -> tuple[Node, ...]:
        """The nodes, those that left too."""
        return self._environment.nodes

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes that are there."""
        gone = self.lifecycle.departures.gone
        there = tuple(node for node in self._environment.nodes if node.id not in gone)
        return there[:-1] if self.second_refusals.part_nodes and len(there) > 1 else there

    @property
    def node_ids(self) -> tuple[str, ...]:
        """The ids of the nodes that are there, in the order of plans."""
        gone = self.lifecycle.departures.gone
        return tuple(node for node in self._environment.node_ids if node not in gone)

    def now_ms(self) -> int:
        """Epoch milliseconds."""
        return int(self.clock.now() * 1000)


class Call(Struct, frozen=True):
    """One request on its way to a handler: path parameters and query parameters are decoded.

    There is a `caller` where the cluster is secured. `node` is the number of the node that it came to.
    """

    cluster: Cluster
    parameters: dict[str, str]
    query: dict[str, str] = field(default_factory=dict)
    document: Document = EMPTY
    caller: Caller | None = None
    node: int = 1

    def fields(self) -> Fields:
        """The body as an object. Raises ApiError 400 for another kind of value; an empty one has none."""
        return fields_of(self.document)

    def map(self) -> JsonObject:
        """The body as an object, where the node looks at its first character alone to know what it is.

        Raises NodeError for another kind of value and for a blank body.
        """
        if not self.document.is_object:
            raise not_x_content()
        value: JsonObject = self.document.value
        return value


class Answer(Struct, frozen=True):
    """What a handler answers: a JSON value, or `text` instead of it."""

    value: Any = None
    status: int = 200
    text: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


Handler = Callable[[Call], Answer]
