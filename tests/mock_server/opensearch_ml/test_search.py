from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def found(ml: Any) -> Any:
    """Searches three models and gives the names that were found."""
    for name, description in (("alpha-one", "first model"), ("beta", "second model"), ("gamma", None)):
        ml.model(name=name, **({} if description is None else {"description": description}))
        ml.time.now += 1

    def search(query: Any, **body: Any) -> list[str]:
        answer = ml.post("~/models/_search", {"query": query, **body})
        assert answer.status == 200, answer.body
        return [hit["_source"]["name"] for hit in answer.body["hits"]["hits"]]

    return search


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"match_all": {}}, {"alpha-one", "beta", "gamma"}),
        ({"match_none": {}}, set()),
        ({"term": {"name.keyword": "beta"}}, {"beta"}),
        ({"term": {"name.keyword": {"value": "beta"}}}, {"beta"}),
        ({"term": {"algorithm": "REMOTE"}}, {"alpha-one", "beta", "gamma"}),
        ({"term": {"algorithm": "remote"}}, set()),
        ({"terms": {"name.keyword": ["beta", "gamma", "x"]}}, {"beta", "gamma"}),
        ({"match": {"name": "Alpha"}}, {"alpha-one"}),
        ({"match": {"description": "first second"}}, {"alpha-one", "beta"}),
        ({"match_phrase": {"description": "second model"}}, {"beta"}),
        ({"prefix": {"name.keyword": "al"}}, {"alpha-one"}),
        ({"wildcard": {"name.keyword": "*a"}}, {"beta", "gamma"}),
        ({"exists": {"field": "description"}}, {"alpha-one", "beta"}),
        ({"range": {"created_time": {"gte": 1_000_000_001_000}}}, {"beta", "gamma"}),
        ({"bool": {"must_not": {"exists": {"field": "description"}}}}, {"gamma"}),
        (
            {"bool": {"should": [{"term": {"name.keyword": "beta"}}, {"term": {"name.keyword": "gamma"}}]}},
            {"beta", "gamma"},
        ),
        (
            {
                "bool": {
                    "must": [{"match": {"description": "model"}}],
                    "must_not": [{"term": {"name.keyword": "beta"}}],
                }
            },
            {"alpha-one"},
        ),
        (
            {"bool": {"filter": [{"term": {"name.keyword": "beta"}}], "should": [{"match_none": {}}]}},
            {"beta"},
        ),
    ],
)
def test_a_query_finds_its_models(found: Any, query: Any, names: set[str]) -> None:
    assert set(found(query)) == names


def test_ids_find_documents(ml: Any, found: Any) -> None:
    model_id = ml.model(name="delta")
    assert found({"ids": {"values": [model_id, "x"]}}) == ["delta"]


def test_hits_can_be_sorted_and_paged(found: Any) -> None:
    sort = [{"created_time": {"order": "desc"}}]
    assert found({"match_all": {}}, sort=sort) == ["gamma", "beta", "alpha-one"]
    assert found({"match_all": {}}, sort="created_time", size=1, **{"from": 1}) == ["beta"]


def test_the_source_can_be_cut(ml: Any) -> None:
    ml.model(name="x")
    (hit,) = ml.post("~/models/_search", {"_source": ["name"]}).body["hits"]["hits"]
    assert hit["_source"] == {"name": "x"}


def test_a_hit_tells_version_and_sequence_number(ml: Any) -> None:
    model_id = ml.model()
    write = ml.put(f"~/models/{model_id}", {"description": "d"}).body
    (hit,) = ml.get("~/models/_search").body["hits"]["hits"]
    assert (hit["_version"], hit["_seq_no"]) == (write["_version"], write["_seq_no"])


@pytest.mark.parametrize("models", [0, 1])
def test_an_unknown_query_is_refused_with_its_place(ml: Any, models: int) -> None:
    for _ in range(models):
        ml.model()
    answer = ml.post("~/models/_search", {"query": {"bogus": {}}})
    error = answer.body["error"]
    assert (answer.status, ml.reason(answer), error["line"], error["col"]) == (
        400,
        "unknown query [bogus]",
        1,
        21,
    )
    assert error["caused_by"]["reason"] == "[1:21] unknown field [bogus]"


@pytest.mark.parametrize(
    "body",
    [
        {"query": []},
        {"query": {}},
        {"query": {"term": {}}},
        {"query": {"term": {"name": None}}},
        {"query": {"terms": {"name": "x"}}},
        {"query": {"bool": {"maybe": []}}},
        {"query": {"exists": {}}},
        {"query": {"range": {"created_time": {"near": 1}}}},
        {"bogus": 1},
        {"size": "x"},
        {"size": -1},
        {"size": 10_001},
        {"sort": [{"name": {"order": "up"}}]},
    ],
)
def test_a_malformed_search_is_refused(ml: Any, body: Any) -> None:
    assert ml.post("~/models/_search", body).status == 400


@pytest.mark.parametrize("kind", ["connectors", "model_groups", "tasks", "agents"])
def test_other_documents_can_be_searched_too(ml: Any, kind: str) -> None:
    ml.deployed()
    ml.post("~/agents/_register", {"name": "a", "type": "flow"})
    assert ml.get(f"~/{kind}/_search").body["hits"]["total"]["value"] >= 1
