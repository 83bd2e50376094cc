"""What a cluster with ML Commons tells of itself."""

from __future__ import annotations

from typing import Any

import pytest

from mlconform.conformance.errors import PrerequisiteMissing
from mlconform.conformance.outcomes import BrokenAnswer
from mlconform.conformance.targets.opensearch_discovery import discover
from mlconform.conformance.targets.session import Facts

ROOT = {"version": {"number": "2.19.0", "distribution": "opensearch"}}
PLUGINS = [{"name": "n", "component": "opensearch-ml", "version": "2.19.0.0"}]
NODES = {"nodes": {"b": {"roles": ["data", "ingest"]}, "a": {"roles": ["ml"]}, "m": {"roles": ["master"]}}}
CLUSTER = {
    ("GET", "/"): (200, ROOT),
    ("GET", "/_cat/plugins"): (200, PLUGINS),
    ("GET", "/_nodes"): (200, NODES),
}


def test_a_cluster_is_discovered(talk_to: Any) -> None:
    session, _ = talk_to(CLUSTER)
    assert discover(session) == Facts("opensearch-ml", "opensearch", "2.19.0", ("a", "b"))


@pytest.mark.parametrize(
    ("path", "answer", "message"),
    [
        pytest.param("/", (401, {}), "MLCONFORM_USERNAME", id="no credentials"),
        pytest.param("/", (403, {}), "MLCONFORM_USERNAME", id="wrong credentials"),
        pytest.param("/", (200, b"<html>hello</html>"), "expected OpenSearch's JSON", id="html"),
        pytest.param("/", (500, {"error": "x"}), "expected OpenSearch's JSON.*500", id="server error"),
        pytest.param("/", (200, {"hello": "world"}), "expected version.number", id="another API"),
        pytest.param("/", (200, []), "expected version.number", id="a list"),
        pytest.param("/_cat/plugins", (200, []), "plugin opensearch-ml is not listed", id="no plugin"),
        pytest.param("/_cat/plugins", (200, 5), "plugin opensearch-ml is not listed", id="plugins a number"),
        pytest.param("/_cat/plugins", (403, {}), "plugin opensearch-ml is not listed", id="plugins hidden"),
        pytest.param("/_nodes", (200, {"nodes": []}), "expected the nodes", id="nodes no object"),
        pytest.param("/_nodes", (403, {}), "expected the nodes", id="nodes hidden"),
    ],
)
def test_what_is_missing_is_named(talk_to: Any, path: str, answer: Any, message: str) -> None:
    session, _ = talk_to({**CLUSTER, ("GET", path): answer})
    with pytest.raises(PrerequisiteMissing, match=message):
        discover(session)


def test_a_broken_body_of_the_plugins_is_the_targets_failure(talk_to: Any) -> None:
    session, _ = talk_to({**CLUSTER, ("GET", "/_cat/plugins"): (200, b"[{")})
    with pytest.raises(BrokenAnswer, match=r"osml\.wire\.json"):
        discover(session)


def test_nodes_of_unknown_shape_are_all_taken(talk_to: Any) -> None:
    session, _ = talk_to({**CLUSTER, ("GET", "/_nodes"): (200, {"nodes": {"x": 1, "y": {"roles": "data"}}})})
    assert discover(session).nodes == ("x", "y")
