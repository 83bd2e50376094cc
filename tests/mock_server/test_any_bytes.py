"""Whatever bytes come as method, path, query, content type and body: a well-formed answer, never a 5xx."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlconform.mock_server import MockServer, Request

ML = "/_plugins/_ml"
SETTINGS = settings(
    max_examples=200,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
URL_CHARACTERS = string.ascii_letters + string.digits + "-._~!$&'()*+,;=:@%/"

FIELDS = (
    "name function_name connector_id connector deploy_setting model_ttl_minutes "
    "interface input output guardrails type regex "
    "rate_limiter limit unit is_enabled actions node_ids "
    "model_ids query bool must term terms "
    "ids sort size from exists persistent "
    "plugins.ml_commons.safe_delete_model plugins parameters credential processors tools "
    "llm user_rate_limiter description model_group_id model_config _source "
    "range prompt model max_tokens advance answer "
    "name.keyword created_time latest_version gte wildcard regexp match_phrase slop min_score "
    "function_name text_docs response_filter version "
    "input_data rows $ref pattern required "
)
# Digits that are no number, numbers that no type holds, patterns that are none, texts that are no UTF-8.
ODD_TEXTS = (
    *("\u00b2", "--1", "nan", "9" * 5000, "now-999999999d", "0000-01-01T00:00:00.000Z", "\ud800"),
    *("a{99999999999}", "(" * 3000, "[" * 3000, '{"a":NaN}', "$[99999999999]", "*a" * 30),
)
names = st.sampled_from(FIELDS.split())
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=6),
    st.sampled_from(["remote", "local_regex", "model", "MINUTES", "http", "asc", "1e999", "(", "*", "flow"]),
    st.sampled_from(ODD_TEXTS),
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(names | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
fields = st.sampled_from(["name", "name.keyword", "created_time", "latest_version", "_id"])
clauses = st.sampled_from(["term", "match", "match_phrase", "prefix", "wildcard", "regexp", "fuzzy", "terms"])
members = st.sampled_from(["value", "query", "slop", "gte", "lt", "boost"])
queries_of_bodies = st.one_of(
    st.builds(lambda clause, name, value: {clause: {name: value}}, clauses, fields, values),
    st.builds(
        lambda clause, name, value: {clause: {name: value}},
        clauses | st.just("range"),
        fields,
        st.dictionaries(members, scalars, max_size=3),
    ),
)
searches = st.fixed_dictionaries(
    {},
    optional={
        "query": queries_of_bodies,
        "sort": st.lists(
            st.builds(lambda name, order: {name: {"order": order}}, fields, scalars), max_size=2
        ),
        **dict.fromkeys(("size", "from", "min_score", "track_total_hits"), scalars),
    },
)
bodies = st.one_of(
    searches.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=60),
    values.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(names, values, max_size=5).map(lambda value: json.dumps(value).encode()),
    values.map(lambda value: json.dumps(value).encode()[:-1]),
    st.sampled_from(
        [b"1e999", b"NaN", b"[" * 5000, b'{"a":' * 300, b'"\\ud800"', b"9" * 5000, b'{"a":1,"a":2}']
    ),
)
content_types = st.sampled_from(
    ["application/json", "application/yaml", "text/plain", "", "application/json;;="]
)
methods = st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "BREW"])
targets = st.one_of(
    st.text(alphabet=URL_CHARACTERS, max_size=30).map(lambda text: "/" + text),
    st.sampled_from(
        [
            f"{ML}/connectors/_create",
            f"{ML}/connectors/_search",
            f"{ML}/connectors/CONNECTOR",
            f"{ML}/models/_register",
            f"{ML}/models/_search",
            f"{ML}/models/MODEL",
            f"{ML}/models/_undeploy",
            f"{ML}/models/MODEL/_deploy",
            f"{ML}/models/MODEL/_predict",
            f"{ML}/models/MODEL/_undeploy",
            f"{ML}/models/MODEL/upload_chunk/{'9' * 5000}",
            f"{ML}/model_groups/_register",
            f"{ML}/model_groups/_search",
            f"{ML}/agents/_register",
            f"{ML}/controllers/MODEL",
            f"{ML}/tasks/_search",
            f"{ML}/_train/kmeans",
            f"{ML}/_predict/remote/MODEL",
            "/_cluster/settings",
            "/_ingest/pipeline/p",
            "/_search/pipeline/p",
            "/_nodes",
            "/_cat/plugins",
            "/_mock/clock",
            "/_mock/predict",
            "/_mock/state",
            "/_mock/restart",
            "/_mock/nope",
            "/api/v3/inference/completions",
            "/api/v3/models/undeploy-model/alignment-xyz789",
            "/api/v3/%ff",
        ]
    ),
)
queries = st.one_of(
    st.just(""),
    st.text(alphabet=URL_CHARACTERS, max_size=20),
    st.sampled_from(
        [
            "pretty",
            "pretty=x",
            "filter_path=**.a,-b.*",
            "filter_path=" + "**." * 2000 + "a",
            "filter_path=" + "**.a." * 50,
            "format=yaml",
            "deploy=maybe",
            "%zz",
            "size=-1",
            "h=x",
        ]
    ),
)
requests = st.tuples(methods, targets, queries, content_types, bodies)


def _is_well_formed(content_type: str, body: bytes) -> bool:
    text = body.decode("utf-8")
    if content_type.startswith("application/json"):
        json.loads(text)
    elif content_type.startswith("application/yaml"):
        yaml.safe_load(text)
    else:
        return content_type.startswith("text/plain")
    return True


def _seeded(version: str = "2.19") -> tuple[MockServer, dict[str, str]]:
    server = MockServer(docs_version=version)
    json_type = {"content-type": "application/json"}
    connector = {
        "name": "c",
        "version": 1,
        "protocol": "http",
        "credential": {"k": "v"},
        "actions": [{"action_type": "predict", "method": "POST", "url": "http://h/", "request_body": "{}"}],
    }
    created = server.handle(
        Request("POST", f"{ML}/connectors/_create", "", json_type, json.dumps(connector).encode())
    )
    connector_id = json.loads(created.body)["connector_id"]
    model = {"name": "m", "function_name": "remote", "connector_id": connector_id}
    registered = server.handle(
        Request("POST", f"{ML}/models/_register", "deploy=true", json_type, json.dumps(model).encode())
    )
    # Only a model that is in memory answers.
    server.clock.advance(1)
    server.handle(Request("POST", f"{ML}/model_groups/_register", "", json_type, b'{"name": "g"}'))
    return server, {"CONNECTOR": connector_id, "MODEL": json.loads(registered.body)["model_id"]}


@SETTINGS
@given(st.lists(requests, min_size=1, max_size=6))
def test_every_request_gets_a_well_formed_answer(sequence: list[tuple[str, str, str, str, bytes]]) -> None:
    server, ids = _seeded()
    for method, target, query, content_type, body in sequence:
        path = target
        for name, value in ids.items():
            path = path.replace(name, value)
        headers = {"content-type": content_type, "authorization": "Bearer t"}
        response = server.handle(Request(method, path, query, headers, body))
        assert response.status < 500, response.body
        declared = dict(response.headers)["content-type"]
        assert method == "HEAD" or _is_well_formed(declared, response.body), (declared, response.body)


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b'{"name": "\xc3"}', b"\x00", b"{", b"[1,", b'{"a" 1}', b"tru", b'"abc']
)
def test_a_body_that_is_not_json_is_refused(body: bytes) -> None:
    server, ids = _seeded()
    path = f"{ML}/models/{ids['MODEL']}/_predict"
    response = server.handle(Request("POST", path, "", {"content-type": "application/json"}, body))
    assert response.status == 400


@SETTINGS
@given(searches)
def test_every_search_gets_a_well_formed_answer(search: dict[str, Any]) -> None:
    body = json.dumps(search).encode()
    path = f"{ML}/model_groups/_search"
    response = SEARCHED.handle(Request("POST", path, "", {"content-type": "application/json"}, body))
    assert response.status < 500, response.body
    assert _is_well_formed("application/json", response.body)


SEARCHED, _ = _seeded()
SENT = {
    "column_metas": [{"name": "k", "column_type": "DOUBLE"}],
    "rows": [{"values": [{"column_type": "DOUBLE", "value": value}]} for value in (1.7e308, -1.7e308)],
}
GUARDED = {"type": "local_regex", "input_guardrail": {"stop_words": [None]}}


@pytest.mark.parametrize("version", ["2.19", "3.4"])
@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("GET", "/", "filter_path=" + "**." * 2000 + "a", None),
        ("GET", "/_nodes", "filter_path=" + "**.a." * 100 + "b", None),
        ("POST", f"{ML}/models/_search", "", {"query": {"x" * 200_000: {}}}),
        ("POST", f"{ML}/models/_search", "", {"query": {"wildcard": {"name.keyword": "*" * 3000 + "b"}}}),
        ("POST", f"{ML}/models/MODEL/upload_chunk/{'9' * 5000}", "", {}),
        ("POST", f"{ML}/models/MODEL/_predict", "", {"parameters": {"x": "[" * 100_000}}),
        ("POST", f"{ML}/models/MODEL/_predict", "", {"parameters": {"response_filter": f"$[{'9' * 5000}]"}}),
        ("POST", f"{ML}/controllers/MODEL", "", {"user_rate_limiter": {"u": {"\ud800": "\ud800"}}}),
        ("POST", f"{ML}/_train/kmeans", "", {"input_data": SENT}),
        ("PUT", f"{ML}/models/MODEL", "", {"guardrails": GUARDED}),
        ("PUT", f"{ML}/models/MODEL", "", {"model_config": {"all_config": "[" * 100_000}}),
        ("PUT", "/_ingest/pipeline/p", "", {"processors": [{"ml_inference": {"function_name": None}}]}),
        (
            "PUT",
            "/_cluster/settings",
            "",
            {"persistent": {"plugins.ml_commons.max_model_on_node": "9" * 5000}},
        ),
    ],
)
def test_odd_requests_get_a_well_formed_answer(
    version: str, method: str, path: str, query: str, body: Any
) -> None:
    server, ids = _seeded(version)
    sent = b"" if body is None else json.dumps(body).encode()
    path = path.replace("MODEL", ids["MODEL"])
    response = server.handle(Request(method, path, query, {"content-type": "application/json"}, sent))
    assert response.status < 500, response.body
    assert _is_well_formed(dict(response.headers)["content-type"], response.body)


@pytest.mark.parametrize("answer", ['{"a":NaN}', '{"a":-1e999}', "[" * 3000, '{"a":' * 900 + "1" + "}" * 900])
@pytest.mark.parametrize("version", ["2.19", "3.4"])
def test_an_odd_answer_of_the_endpoint_can_be_told(version: str, answer: str) -> None:
    server, ids = _seeded(version)
    json_type = {"content-type": "application/json"}
    server.handle(Request("PUT", "/_mock/predict", "", json_type, json.dumps({"answer": answer}).encode()))
    path = f"{ML}/models/{ids['MODEL']}/_predict"
    response = server.handle(Request("POST", path, "", json_type, b'{"parameters": {}}'))
    assert response.status == 200
    assert _is_well_formed("application/json", response.body)
