"""Finding models: page search-model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import requirement
from mlconform.conformance.suites.opensearch_ml.api import MlCommons
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.opensearch_ml import ML

SEARCH = f"{ML}/models/_search"
NO_CHUNKS = {"must_not": {"exists": {"field": "chunk_number"}}}


def _search(ml: MlCommons, method: str, body: Mapping[str, Any]) -> Exchange:
    return ml.session.request(method, SEARCH, body)


def _found(answered: Exchange) -> list[dict[str, Any]]:
    hits = answered.member("hits", "hits")
    return [hit for hit in hits if isinstance(hit, dict)] if isinstance(hits, list) else []


def _until_found(ml: MlCommons, method: str, body: Mapping[str, Any], model: str) -> Exchange:
    """Search until the model is found: a search sees a change only after the index was refreshed."""
    return ml.session.settle(
        lambda: _search(ml, method, body),
        lambda answered: answered.status != 200 or any(hit.get("_id") == model for hit in _found(answered)),
        budget=5.0,
    ).value


@requirement("osml.search.all", "osml.search.example.all", "osml.search.answer")
def test_all_models(ml: MlCommons, expect: Expect) -> None:
    model = ml.model()
    newest = {"query": {"match_all": {}}, "size": 1000, "sort": [{"created_time": {"order": "desc"}}]}
    answered = _until_found(ml, "POST", newest, model)
    expect.accepted("osml.search.all", answered)
    ids = [hit.get("_id") for hit in _found(answered)]
    expect.that(
        "osml.search.all",
        model in ids,
        expected=f"{model} is found",
        came=answered.summary,
        exchange=answered,
    )
    documented = _search(ml, "POST", {"query": {"match_all": {}}, "size": 1000})
    expect.accepted("osml.search.example.all", documented)
    kinds = {"took": int, "timed_out": bool, "_shards": dict, "hits": dict}
    expect.members("osml.search.answer", documented.json, kinds, "the answer")
    total = documented.member("hits", "total")
    expect.members("osml.search.answer", total, {"value": int, "relation": str}, "hits.total")
    for hit in _found(documented)[:5]:
        kinds = {"_index": str, "_id": str, "_source": dict}
        expect.members("osml.search.answer", hit, kinds, "a model that was found")


@requirement("osml.search.example.algorithm")
def test_models_of_an_algorithm(ml: MlCommons, expect: Expect) -> None:
    ml.model()
    answered = _search(ml, "POST", {"query": {"term": {"algorithm": {"value": "FIT_RCF"}}}})
    expect.accepted("osml.search.example.algorithm", answered)
    for hit in _found(answered):
        found = hit.get("_source", {}).get("algorithm")
        expect.equal("osml.search.example.algorithm", found, "FIT_RCF", "algorithm of a model that was found")


@requirement("osml.search.example.without-chunks")
def test_models_without_their_chunks(ml: MlCommons, expect: Expect) -> None:
    model = ml.model()
    body = {"query": {"bool": NO_CHUNKS}, "sort": [{"created_time": {"order": "desc"}}]}
    answered = _until_found(ml, "GET", body, model)
    expect.accepted("osml.search.example.without-chunks", answered)
    times = [hit.get("_source", {}).get("created_time", 0) for hit in _found(answered)]
    expect.equal(
        "osml.search.example.without-chunks", times, sorted(times, reverse=True), "times of what was found"
    )


@requirement("osml.search.example.chunks")
def test_the_chunks_of_a_model(ml: MlCommons, expect: Expect) -> None:
    model = ml.model()
    body = {
        "query": {"bool": {"filter": [{"term": {"model_id": model}}]}},
        "sort": [{"chunk_number": {"order": "asc"}}],
    }
    expect.accepted("osml.search.example.chunks", _search(ml, "GET", body))


@requirement("osml.search.example.description")
def test_models_by_their_description(ml: MlCommons, expect: Expect) -> None:
    word = ml.session.new_name("word").replace("-", "")
    model = ml.model(description=f"sentence {word}")
    query = {"bool": {"should": [{"match": {"description": word}}], **NO_CHUNKS}}
    answered = _until_found(ml, "GET", {"query": query, "size": 1000}, model)
    expect.accepted("osml.search.example.description", answered)
    ids = [hit.get("_id") for hit in _found(answered)]
    expect.that(
        "osml.search.example.description",
        model in ids,
        expected=f"{model} is found",
        came=answered.summary,
        exchange=answered,
    )
