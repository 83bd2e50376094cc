"""Whatever bytes come as method, path, query, content type and body: a well-formed answer, never a 5xx."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_server import MockServer, Request

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
    "input_data rows $ref pattern required "
)
names = st.sampled_from(FIELDS.split())
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=6),
    st.sampled_from(["remote", "local_regex", "model", "MINUTES", "http", "asc", "1e999", "(", "*", "flow"]),
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(names | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
bodies = st.one_of(
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


def _seeded() -> tuple[MockServer, dict[str, str]]:
    server = MockServer()
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
