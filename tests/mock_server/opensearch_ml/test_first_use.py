"""Before anything was kept a node tells of the index that it misses; the pages know no such case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

NO_MODELS = "Failed to get data object from index .plugins-ml-model"


@pytest.mark.parametrize(
    ("behaviour", "status", "reason"),
    [
        ("documented", 404, "Failed to find model"),
        ("opensearch-2.19", 500, NO_MODELS),
        ("opensearch-3.4", 500, NO_MODELS),
    ],
)
def test_a_deploy(make_client: Callable[..., Any], behaviour: str, status: int, reason: str) -> None:
    ml = make_client(behaviour=behaviour)
    answer = ml.post("~/models/nope/_deploy")
    assert (answer.status, answer.body["error"]["reason"]) == (status, reason)


def test_once_a_model_was_kept_it_is_answered_as_documented(make_client: Callable[..., Any]) -> None:
    ml = make_client(behaviour="opensearch-3.4")
    ml.model()
    assert ml.post("~/models/nope/_deploy").status == 404


def test_an_undeploy_of_nothing_is_refused_first(make_client: Callable[..., Any]) -> None:
    ml = make_client(behaviour="opensearch-3.4")
    answer = ml.post("~/models/_undeploy", {})
    assert (answer.status, ml.reason(answer)) == (400, "Must set specific model ids to undeploy")


def test_a_delete_makes_no_index(make_client: Callable[..., Any]) -> None:
    ml = make_client()
    ml.delete("~/model_groups/nope")
    assert ml.post("~/model_groups/_search", {}).body["_shards"]["total"] == 0
