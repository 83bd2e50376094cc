"""The order of hits: what has no value, what has several, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def ml(ml: Any) -> Any:
    """Of three models one is deployed."""
    ml.model(name="a")
    ml.deployed(name="b")
    ml.model(name="c")
    return ml


def _sorted(ml: Any, *orders: Any) -> list[str]:
    hits = ml.post("~/models/_search", {"sort": list(orders), "query": {"match_all": {}}}).body["hits"][
        "hits"
    ]
    return [hit["_source"]["name"] for hit in hits]


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ({}, ["b", "a", "c"]),
        ({"order": "desc"}, ["b", "a", "c"]),
        ({"missing": "_last"}, ["b", "a", "c"]),
        ({"missing": "_first"}, ["a", "c", "b"]),
        ({"missing": "_first", "order": "desc"}, ["a", "c", "b"]),
    ],
)
def test_what_has_no_value_comes_last_unless_it_is_asked_for_first(
    ml: Any, order: Any, names: list[str]
) -> None:
    assert _sorted(ml, {"last_deployed_time": order}, "name.keyword") == names


@pytest.mark.parametrize(("order", "nearest"), [("asc", min), ("desc", max)])
def test_of_several_values_the_one_that_is_nearest_to_the_front_counts(
    make_client: Any, order: str, nearest: Callable[[list[str]], str]
) -> None:
    ml = make_client(nodes=3)
    ml.deployed()
    asked = {"query": {"term": {"task_type": "DEPLOY_MODEL"}}, "sort": [{"worker_node": order}]}
    (hit,) = ml.post("~/tasks/_search", asked).body["hits"]["hits"]
    assert len(hit["_source"]["worker_node"]) == 3
    assert hit["sort"] == [nearest(hit["_source"]["worker_node"])]


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ("desc", None),
        ("asc", [1.0]),
    ],
)
def test_the_score_alone_is_an_order_only_where_the_worst_comes_first(ml: Any, order: str, told: Any) -> None:
    answer = ml.post("~/models/_search", {"sort": [{"_score": order}], "query": {"match_all": {}}})
    assert [hit.get("sort") for hit in answer.body["hits"]["hits"]] == [told] * 3


def test_hits_that_are_sorted_by_their_score_tell_it(ml: Any) -> None:
    answer = ml.post("~/models/_search", {"sort": ["_score", "name.keyword"], "query": {"match_all": {}}})
    assert [hit["_score"] for hit in answer.body["hits"]["hits"]] == [1.0] * 3
