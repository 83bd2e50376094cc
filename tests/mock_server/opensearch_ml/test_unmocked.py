"""What is not mocked says so, and is not taken for the caller's mistake."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from mlconform.mock_server import Request


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/_bulk"),
        ("POST", "/words/_bulk"),
        ("GET", "/words/_count"),
        ("POST", "/_search"),
        ("POST", "~/_execute/local_sample_calculator"),
        ("POST", "~/agents/a/_execute"),
        ("POST", "~/models/m/_predict/stream"),
        ("GET", "~/tools/ListIndexTool"),
        ("POST", "~/memory"),
        ("POST", "~/memory/m/messages"),
        ("POST", "~/memory_containers/_create"),
        ("POST", "~/_train_predict/kmeans"),
        ("GET", "/_cat/shards"),
        ("GET", "/_nodes/stats"),
        ("GET", "/_nodes/_local/stats"),
        ("PUT", "/words/_doc/1?pipeline=p"),
    ],
)
def test_it_is_501_with_the_reason(ml: Any, caplog: Any, method: str, path: str) -> None:
    with caplog.at_level(logging.WARNING):
        answer = ml.send(method, path, {"a": 1})
    assert answer.status == 501
    assert ml.kind(answer) == "not_mocked"
    assert caplog.messages == [ml.reason(answer)]


@pytest.mark.parametrize(
    "settings",
    [{"default_pipeline": "p"}, {"index": {"final_pipeline": "p"}}, {"index.default_pipeline": "p"}],
)
def test_an_index_whose_documents_would_lack_what_a_pipeline_adds_is_not_made(ml: Any, settings: Any) -> None:
    assert ml.put("/words", {"settings": settings}).status == 501
    assert ml.get("/words").status == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "~/nothing/there", 400), ("PATCH", "/_cluster/settings", 405), ("POST", "/words", 405)],
)
def test_what_no_node_has_stays_the_callers_mistake(ml: Any, method: str, path: str, status: int) -> None:
    assert ml.send(method, path).status == status


def test_the_list_of_operations_tells_it(ml: Any) -> None:
    told = json.loads(ml.server.handle(Request("GET", "/_mock/")).body)["not_mocked"]
    assert any("/_bulk" in one["paths"] and one["reason"] and one["instead"] for one in told)
