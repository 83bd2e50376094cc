"""The `opensearch-ml` profile: a cluster that answers OpenSearch's REST API for ML Commons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mlconform.mock_server.core import Request, Response
from mlconform.mock_server.opensearch_ml import state, wire
from mlconform.mock_server.opensearch_ml.cluster import Cluster
from mlconform.mock_server.opensearch_ml.environment import Environment
from mlconform.mock_server.opensearch_ml.unmocked import UNMOCKED


class OpenSearchMl:
    """A cluster that loses its state with a reset and its memory with a restart."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._cluster = Cluster(environment)
        self._before: Cluster | None = None

    def owns(self, path: str) -> bool:
        """Every path: an OpenSearch node answers all of them."""
        return True

    def handle(self, request: Request) -> Response:
        """Answer one request, after everything that was due by now has happened."""
        lifecycle = self._cluster.lifecycle
        lifecycle.settle()
        if not self._cluster.rules.nodes_agree:
            if request.node > 1:
                return self.handle_before(request)
            if request.method not in ("GET", "HEAD"):
                self.remember()
        response = wire.answer(self._cluster, request)
        if request.method not in ("GET", "HEAD"):
            lifecycle.disturb()
        return response

    def not_mocked(self) -> list[dict[str, Any]]:
        """What is answered with 501."""
        return [
            {"paths": known.paths, "reason": known.reason, "instead": known.instead} for known in UNMOCKED
        ]

    def reset(self) -> None:
        """An empty cluster of the same nodes."""
        self._cluster = Cluster(self._environment)

    def restart(self) -> None:
        """Restart every node: documents and persistent settings stay, memory and transient ones do not."""
        self._cluster.lifecycle.settle()
        self._cluster.lifecycle.restart()
        self._cluster.lifecycle.disturb()
        self._cluster.settings.forget_transient()
        self._cluster.throttle.buckets.clear()
        self._cluster.monitor.restart()

    def running(self) -> tuple[int, ...]:
        """The numbers of the nodes that did not leave."""
        return tuple(node.number for node in self._cluster.nodes)

    def stop_node(self, number: int) -> None:
        """A node leaves. Raises ValueError for the first one, which clients ask, and for one that left."""
        if number == 1 or number not in self.running():
            others = ", ".join(str(each) for each in self.running()[1:]) or "none"
            raise ValueError(f"expected one of the nodes that may be stopped ({others}), got {number}")
        self._move(number, self._cluster.lifecycle.departures.leave)

    def start_node(self, number: int) -> None:
        """A node comes back. Raises ValueError for one that is no node or did not leave."""
        if number in self.running() or not 1 <= number <= len(self._environment.nodes):
            raise ValueError(f"expected a node that was stopped, got {number}")
        self._move(number, self._cluster.lifecycle.departures.come_back)

    def _move(self, number: int, deed: Callable[[str], None]) -> None:
        self._cluster.lifecycle.settle()
        deed(self._environment.nodes[number - 1].id)
        self._cluster.lifecycle.disturb()

    def remember(self) -> None:
        """Keep the whole cluster as it is now."""
        self._before = self._cluster.copy()

    def handle_before(self, request: Request) -> Response:
        """Answer from the cluster as it was kept."""
        return wire.answer(self._before or self._cluster, request)

    def dump(self) -> Mapping[str, Any]:
        """Every document by index, what is under way, what was counted, pipelines, settings and nodes."""
        self._cluster.lifecycle.settle()
        return state.dump(self._cluster)

    def load(self, dumped: Mapping[str, Any]) -> None:
        """Another cluster of the same number of nodes takes the place of this one."""
        cluster = Cluster(self._environment)
        state.load(cluster, dumped)
        self._cluster = cluster
