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
        ({"bool": {"mustNot": {"exists": {"field": "description"}}}}, {"gamma"}),
        ({"wildcard": {"name.keyword": "[ab]*"}}, set()),
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
    (hit,) = ml.get("~/models/_search", {}).body["hits"]["hits"]
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
    ml.model()
    assert ml.post("~/models/_search", body).status == 400


def test_a_search_has_a_body(ml: Any) -> None:
    answer = ml.get("~/models/_search")
    assert (answer.status, ml.reason(answer)) == (400, "request body or source parameter is required")


def test_before_the_first_document_a_search_finds_nothing(ml: Any) -> None:
    body = ml.post("~/models/_search", {}).body
    assert body["_shards"]["total"] == 0
    assert body["hits"] == {"total": {"value": 0, "relation": "eq"}, "max_score": 0.0, "hits": []}


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        ({"query": 1}, "parsing_exception", "Unknown key for a VALUE_NUMBER in [query]."),
        ({"query": {}}, "illegal_argument_exception", "query malformed, empty clause found at [1:12]"),
        (
            {"query": {"matchall": {}}},
            "parsing_exception",
            "unknown query [matchall] did you mean any of [match_all, match]?",
        ),
        (
            {"query": {"term": {"a": 1}, "match": {"a": 1}}},
            "parsing_exception",
            "[term] malformed query, expected [END_OBJECT] but found [FIELD_NAME]",
        ),
        ({"query": {"term": {}}}, "illegal_argument_exception", "field name is null or empty"),
        (
            {"query": {"term": {"a": ["b"]}}},
            "parsing_exception",
            "[term] query does not support array of values",
        ),
        (
            {"query": {"match": {"a": 1, "b": 2}}},
            "parsing_exception",
            "[match] query doesn't support multiple fields, found [a] and [b]",
        ),
        ({"query": {"match": {}}}, "parsing_exception", "No text specified for text query"),
        ({"query": {"exists": {}}}, "parsing_exception", "[exists] must be provided with a [field]"),
        ({"query": {"bool": {"no": 1}}}, "x_content_parse_exception", "[1:21] [bool] unknown field [no]"),
        (
            {"query": {"bool": {"must": [{"bogus": {}}]}}},
            "x_content_parse_exception",
            "[1:40] [bool] failed to parse field [must]",
        ),
        ({"size": "x"}, "number_format_exception", 'For input string: "x"'),
        ({"size": -1}, "illegal_argument_exception", "[size] parameter cannot be negative, found [-1]"),
        ({"_source": {"no": []}}, "parsing_exception", "Unknown key for a START_ARRAY in [no]."),
        ({"bogus": 1}, "parsing_exception", "Unknown key for a VALUE_NUMBER in [bogus]."),
        ([], "parsing_exception", "Expected [START_OBJECT] but found [START_ARRAY]"),
    ],
)
def test_a_body_is_refused_in_the_words_of_a_node(ml: Any, body: Any, kind: str, reason: str) -> None:
    answer = ml.post("~/models/_search", body)
    error = answer.body["error"]
    assert (answer.status, error["type"], error["reason"]) == (400, kind, reason)


def test_a_clause_inside_bool_is_the_root_of_its_refusal(ml: Any) -> None:
    error = ml.post("~/models/_search", {"query": {"bool": {"must": {"bogus": {}}}}}).body["error"]
    (root,) = error["root_cause"]
    assert (root["reason"], error["caused_by"]["reason"]) == ("unknown query [bogus]",) * 2


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            {"query": {"term": {"is_enabled": "x"}}},
            "Can't parse boolean value [x], expected [true] or [false]",
        ),
        ({"query": {"term": {"created_time": "x"}}}, "Fail to search model version"),
        ({"sort": "nope"}, "Fail to search model version"),
    ],
)
def test_a_search_that_fails_on_the_shard_tells_little(ml: Any, body: Any, reason: str) -> None:
    ml.model()
    answer = ml.post("~/models/_search", body)
    assert (answer.status, answer.body["error"]["type"], ml.reason(answer)) == (
        400,
        "status_exception",
        reason,
    )


def test_of_connectors_the_failed_shard_is_told(ml: Any) -> None:
    ml.deployed()
    error = ml.post("~/connectors/_search", {"sort": "name"}).body["error"]
    assert (error["type"], error["failed_shards"][0]["index"]) == (
        "search_phase_execution_exception",
        ".plugins-ml-connector",
    )


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"term": {"name.keyword": {"value": "BETA", "case_insensitive": True}}}, {"beta"}),
        ({"match": {"description": {"query": "first model", "operator": "and"}}}, {"alpha-one"}),
        ({"match": {"name": {"query": "alpah", "fuzziness": "AUTO"}}}, {"alpha-one"}),
        ({"match_phrase_prefix": {"description": "second mo"}}, {"beta"}),
        ({"multi_match": {"query": "second", "fields": ["name", "desc*"]}}, {"beta"}),
        ({"query_string": {"query": "name:al*"}}, {"alpha-one"}),
        ({"regexp": {"name.keyword": "b.t."}}, {"beta"}),
        ({"exists": {"field": "desc*"}}, {"alpha-one", "beta"}),
        ({"constant_score": {"filter": {"term": {"name": "beta"}}}}, {"beta"}),
        (
            {
                "bool": {
                    "should": [{"match": {"name": "alpha"}}, {"match": {"description": "model"}}],
                    "minimum_should_match": 2,
                }
            },
            {"alpha-one"},
        ),
        ({"term": {"nope": "x"}}, set()),
    ],
)
def test_more_queries_find_their_models(found: Any, query: Any, names: set[str]) -> None:
    assert set(found(query)) == names


def test_sorted_hits_tell_what_they_are_sorted_by(ml: Any) -> None:
    ml.model(name="b")
    ml.model(name="a")
    hits = ml.post("~/models/_search", {"sort": ["name.keyword", "last_deployed_time"]}).body["hits"]
    assert [hit["sort"] for hit in hits["hits"]] == [["a", 2**63 - 1], ["b", 2**63 - 1]]
    assert (hits["max_score"], hits["hits"][0]["_score"]) == (None, None)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (["na*", "algorithm"], {"name", "algorithm"}),
        ({"includes": "*time", "excludes": ["created*"]}, {"last_updated_time"}),
        ("model_state", {"model_state"}),
    ],
)
def test_the_source_is_cut_by_patterns(ml: Any, wanted: Any, names: set[str]) -> None:
    ml.model()
    (hit,) = ml.post("~/models/_search", {"_source": wanted}).body["hits"]["hits"]
    assert set(hit["_source"]) == names


def test_who_wants_no_source_gets_it_all_the_same(ml: Any) -> None:
    ml.model()
    (hit,) = ml.post("~/models/_search", {"_source": False}).body["hits"]["hits"]
    assert hit["_source"]["algorithm"] == "REMOTE"


def test_a_parameter_that_is_not_known_offers_the_one_that_is_near(ml: Any) -> None:
    answer = ml.get("/_cluster/settings?flat_setting=true")
    assert ml.reason(answer) == (
        "request [/_cluster/settings] contains unrecognized parameter: [flat_setting] -> did you mean "
        "[flat_settings]?"
    )


@pytest.mark.parametrize("kind", ["connectors", "model_groups", "tasks", "agents"])
def test_other_documents_can_be_searched_too(ml: Any, kind: str) -> None:
    ml.deployed()
    ml.post("~/agents/_register", {"name": "a", "type": "flow"})
    assert ml.get(f"~/{kind}/_search", {}).body["hits"]["total"]["value"] >= 1


@pytest.mark.parametrize(
    ("body", "status"), [({"from": 9_990, "size": 10}, 200), ({"from": 9_990, "size": 11}, 400)]
)
def test_a_window_ends_at_ten_thousand(ml: Any, body: Any, status: int) -> None:
    assert ml.post("~/models/_search", body).status == status


@pytest.mark.parametrize(
    ("body", "total"),
    [
        ({"track_total_hits": 3}, {"value": 3, "relation": "eq"}),
        ({"track_total_hits": 2}, {"value": 2, "relation": "gte"}),
        ({"track_total_hits": True}, {"value": 3, "relation": "eq"}),
        ({"track_total_hits": False}, None),
    ],
)
def test_hits_are_counted_as_far_as_is_asked_for(ml: Any, found: Any, body: Any, total: Any) -> None:
    assert ml.post("~/models/_search", body).body["hits"].get("total") == total


@pytest.mark.parametrize(("least", "count"), [(1, 3), (1.5, 0)])
def test_a_score_may_be_the_least_one(found: Any, least: float, count: int) -> None:
    assert len(found({"match_all": {}}, min_score=least)) == count


def test_a_post_filter_leaves_hits_out(found: Any) -> None:
    assert found({"match_all": {}}, post_filter={"term": {"name.keyword": "beta"}}) == ["beta"]


def test_of_equal_hits_the_one_that_was_written_first_comes_first(ml: Any, found: Any) -> None:
    (first, *_) = ml.post("~/models/_search", {}).body["hits"]["hits"]
    ml.put(f"~/models/{first['_id']}", {"description": "written again"})
    assert found({"match_all": {}}) == ["beta", "gamma", "alpha-one"]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("models", "Fail to search model version"),
        ("model_groups", "Fail to search"),
        ("agents", "Fail to search agent"),
    ],
)
def test_of_other_indices_little_is_told_too(ml: Any, kind: str, reason: str) -> None:
    answer = ml.post(f"~/{kind}/_search", {"sort": "nope"})
    assert (answer.status, ml.kind(answer), ml.reason(answer)) == (400, "status_exception", reason)


@pytest.mark.parametrize(("kind", "score"), [("agents", 0.0), ("connectors", 1.0)])
def test_without_a_query_only_what_may_be_hidden_has_no_score(ml: Any, kind: str, score: float) -> None:
    ml.connector()
    ml.post("~/agents/_register", {"name": "a", "type": "flow"})
    assert ml.post(f"~/{kind}/_search", {}).body["hits"]["max_score"] == score


def test_a_member_that_a_clause_does_not_have_is_placed_by_its_name(ml: Any) -> None:
    answer = ml.post("~/models/_search", {"query": {"match_all": {"x": 5}}})
    assert ml.reason(answer) == "[1:26] [match_all] unknown field [x]"
