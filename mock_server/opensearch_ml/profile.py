"""The `opensearch-ml` profile: a cluster that answers OpenSearch's REST API for ML Commons."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from mock_server.core import Request, Response
from mock_server.opensearch_ml import wire
from mock_server.opensearch_ml.cluster import Cluster
from mock_server.opensearch_ml.environment import Environment
from mock_server.opensearch_ml.settings import Settings


class OpenSearchMl:
    """A cluster that loses its state with a reset and its memory with a restart."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._cluster = Cluster(environment)

    def owns(self, path: str) -> bool:
        """Every path: an OpenSearch node answers all of them."""
        return True

    def handle(self, request: Request) -> Response:
        """Answer one request, after everything that was due by now has happened."""
        lifecycle = self._cluster.lifecycle
        lifecycle.settle()
        response = wire.answer(self._cluster, request)
        if request.method not in ("GET", "HEAD"):
            lifecycle.disturb()
        return response

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

    def dump(self) -> Mapping[str, Any]:
        """Every document by index, pipelines, settings and nodes; credentials of connectors are left out."""
        cluster = self._cluster
        cluster.lifecycle.settle()
        store = cluster.store
        indices = (store.models, store.groups, store.connectors, store.tasks, store.agents, store.controllers)
        return {
            "version": cluster.version,
            "nodes": [dataclasses.asdict(node) for node in cluster.nodes],
            "settings": {scope: cluster.settings.explicit(scope) for scope in Settings.SCOPES},
            "indices": {index.name: {key: _plain(document) for key, document in index} for index in indices},
            "ingest_pipelines": store.ingest_pipelines,
            "search_pipelines": store.search_pipelines,
        }


def _plain(document: Any) -> dict[str, Any]:
    values = dataclasses.asdict(document)
    for holder in (values, values.get("connector") or {}):
        holder.pop("credential", None)
    return values
