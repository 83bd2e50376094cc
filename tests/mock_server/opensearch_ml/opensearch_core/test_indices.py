"""Indices and documents answer as a 2.19.0 node does, as far as the stop words of guardrails need them."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("Stop", "must be lowercase"),
        ("a,b", 'must not contain the following characters [ , ", *, \\, <, |, ,, >, /, ?]'),
        ("_stop", "must not start with '_', '-', or '+'"),
        ("a:b", "must not contain ':'"),
    ],
)
def test_an_index_has_a_good_name(ml: Any, name: str, rule: str) -> None:
    answer = ml.put(f"/{name}")
    assert (answer.status, ml.reason(answer)) == (400, f"Invalid index name [{name}], {rule}")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"bogus": {}}, "unknown key [bogus] for create index"),
        ({"settings": 1}, "key [settings] must be an object"),
    ],
)
def test_an_index_is_made_of_what_is_known(ml: Any, body: Any, reason: str) -> None:
    answer = ml.put("/stop", body)
    assert (answer.status, ml.reason(answer)) == (400, reason)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_index_that_is_not_there_is_named(ml: Any, method: str) -> None:
    error = ml.send(method, "/nope").body["error"]
    assert error["reason"] == "no such index [nope]"
    assert error["resource.type"] == "index_or_alias"


def test_an_index_is_there_until_it_is_deleted(ml: Any) -> None:
    statuses = [ml.send(method, "/stop").status for method in ("HEAD", "PUT", "HEAD", "DELETE", "HEAD")]
    assert statuses == [404, 200, 200, 200, 404]


def test_a_pattern_may_mean_no_index(ml: Any) -> None:
    assert ml.get("/nope*").body == {}
    assert ml.delete("/nope*").status == 200


def test_a_document_goes_to_one_of_two_copies(ml: Any) -> None:
    write = ml.put("/stop/_doc/1?refresh=true", {"title": "word"}).body
    assert write["_shards"] == {"total": 2, "successful": 1, "failed": 0}
    assert write["forced_refresh"] is True


def test_a_document_can_be_deleted_once(ml: Any) -> None:
    ml.put("/stop/_doc/1", {"title": "word"})
    first, second = ml.delete("/stop/_doc/1"), ml.delete("/stop/_doc/1")
    assert (first.status, first.body["result"]) == (200, "deleted")
    assert (second.status, second.body["result"]) == (404, "not_found")


def test_a_document_is_created_once(ml: Any) -> None:
    assert ml.put("/stop/_create/1", {}).status == 201
    answer = ml.put("/stop/_create/1", {})
    reason = "[1]: version conflict, document already exists (current version [1])"
    assert (answer.status, ml.reason(answer)) == (409, reason)


@pytest.mark.parametrize("body", [b"[]", b"x", b"{"])
def test_a_document_that_is_none_fails_to_parse(ml: Any, body: bytes) -> None:
    answer = ml.put("/stop/_doc/1", body)
    assert (answer.status, answer.body["error"]["type"], ml.reason(answer)) == (
        400,
        "mapper_parsing_exception",
        "failed to parse",
    )


def test_a_body_is_read_before_the_name_is_looked_at(ml: Any) -> None:
    assert ml.reason(ml.put("/Stop", {"bogus": 1})) == "unknown key [bogus] for create index"


def test_an_index_that_is_not_there_may_be_ignored(ml: Any) -> None:
    ml.put("/stop")
    assert set(ml.get("/stop,nope?ignore_unavailable=true").body) == {"stop"}
    assert ml.get("/stop,nope").status == 404


@pytest.mark.parametrize(("query", "shown"), [("", True), ("?_source=true", True), ("?_source=false", False)])
def test_a_document_is_read_without_its_source(ml: Any, query: str, shown: bool) -> None:
    ml.put("/stop/_doc/1", {"title": "word"})
    assert ("_source" in ml.get(f"/stop/_doc/1{query}").body) is shown


def test_a_search_finds_the_documents_of_an_index(ml: Any) -> None:
    ml.put("/words/_doc/1", {"title": "one"})
    ml.put("/words/_doc/2", {"title": "two"})
    assert ml.get("/words/_search").body["hits"]["total"]["value"] == 2
    found = ml.post("/words/_search", {"query": {"match": {"title": "two"}}}).body["hits"]["hits"]
    assert [hit["_id"] for hit in found] == ["2"]
    assert ml.get("/none/_search").status == 404


def test_the_list_of_indices_counts_documents(ml: Any) -> None:
    ml.put("/words/_doc/1", {"title": "one"})
    rows = ml.get("/_cat/indices?format=json").body
    assert [(row["index"], row["docs.count"]) for row in rows] == [("words", "1")]
    assert ml.get("/_cat/indices?h=index,docs.count").body == "words 1\n"
