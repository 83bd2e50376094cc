from __future__ import annotations

from typing import Any

import pytest

from mlconform.mock_server import Request


@pytest.mark.parametrize(
    ("method", "target", "allowed"),
    [
        ("GET", "~/models/x/_deploy", "POST"),
        ("PATCH", "~/models/x", "PUT, GET, DELETE"),
        ("DELETE", "~/models/x/_undeploy", "POST"),
    ],
)
def test_a_wrong_method_tells_the_allowed_ones(ml: Any, method: str, target: str, allowed: str) -> None:
    answer = ml.send(method, target)
    uri = target.replace("~", "/_plugins/_ml")
    message = f"Incorrect HTTP method for uri [{uri}] and method [{method}], allowed: [{allowed}]"
    assert (answer.status, answer.body) == (405, {"error": message, "status": 405})
    assert answer.headers["allow"] == allowed.replace(" ", "")


@pytest.mark.parametrize("target", ["~/nope", "~/models", "~/models/", "~/models/x/nope", "/x/" * 100])
def test_an_unknown_route_is_400(ml: Any, target: str) -> None:
    answer = ml.get(target)
    uri = target.replace("~", "/_plugins/_ml")
    assert (answer.status, answer.body) == (
        400,
        {"error": f"no handler found for uri [{uri}] and method [GET]"},
    )


def test_options_tells_the_methods(ml: Any) -> None:
    assert ml.send("OPTIONS", "~/models/x").headers["allow"] == "PUT,GET,DELETE"


def test_an_unknown_parameter_is_refused(ml: Any) -> None:
    answer = ml.get("~/models/x?bogus=1")
    expected = "request [/_plugins/_ml/models/x] contains unrecognized parameter: [bogus]"
    assert (answer.status, ml.reason(answer)) == (400, expected)
    assert ml.reason(ml.get("~/models/x?b=1&a=2")).endswith("parameters: [a], [b]")


@pytest.mark.parametrize("target", ["~/models/%zz", "~/models/x?%"])
def test_a_broken_escape_is_refused(ml: Any, target: str) -> None:
    assert ml.get(target).status == 400


def test_another_content_type_is_406(ml: Any) -> None:
    answer = ml.send("PUT", "~/models/x", b"{}", content_type="text/plain")
    assert (answer.status, answer.body) == (
        406,
        {"error": "Content-Type header [text/plain] is not supported", "status": 406},
    )


def test_a_charset_does_not_matter(ml: Any) -> None:
    model_id = ml.model()
    assert (
        ml.send(
            "PUT", f"~/models/{model_id}", b'{"name":"n"}', content_type="application/json; charset=UTF-8"
        ).status
        == 200
    )


def test_yaml_is_read_and_answered(ml: Any) -> None:
    model_id = ml.model()
    answer = ml.send("PUT", f"~/models/{model_id}", b"description: x\n", content_type="application/yaml")
    assert answer.headers["content-type"] == "application/yaml"
    assert answer.body == (
        f'---\n_index: ".plugins-ml-model"\n_id: "{model_id}"\n_version: 2\nresult: "updated"\n'
        "_shards:\n  total: 1\n  successful: 1\n  failed: 0\n_seq_no: 1\n_primary_term: 1\n"
    )
    assert ml.get(f"~/models/{model_id}").body["description"] == "x"


@pytest.mark.parametrize(
    "body", [b"a: [", b"a: &x 1\nb: *x", b"? [a]\n: 1", b"a: !!python/object:os.x {}", b"a: .nan"]
)
def test_yaml_beyond_json_is_refused(ml: Any, body: bytes) -> None:
    answer = ml.send(
        "PUT", f"~/models/{ml.model()}", body, content_type="application/yaml", accept="application/json"
    )
    assert answer.status == 400


def test_a_date_in_yaml_is_text(ml: Any) -> None:
    model_id = ml.model()
    ml.send("PUT", f"~/models/{model_id}", b"description: 2024-01-01\n", content_type="application/yaml")
    assert ml.get(f"~/models/{model_id}").body["description"] == "2024-01-01"


def test_pretty_answers_are_indented(ml: Any) -> None:
    response = ml.send("GET", "/_cluster/settings?pretty&format=json")
    assert response.body == {"persistent": {}, "transient": {}}
    assert ml.send("GET", "/_cluster/settings?format=yaml").body == "---\npersistent: {}\ntransient: {}\n"
    assert ml.get("/_cluster/settings?pretty=maybe").status == 400


@pytest.mark.parametrize(
    ("paths", "left"),
    [
        ("version.number", {"version": {"number": "2.19.0"}}),
        ("v*.number,name", {"name": "node-1", "version": {"number": "2.19.0"}}),
        ("**.number", {"version": {"number": "2.19.0"}}),
        ("nope", {}),
        ("-version,-tagline,-cluster_uuid", {"name": "node-1", "cluster_name": "mock-cluster"}),
        (
            "version.*,-version.build_*,-version.min*,-version.l*",
            {"version": {"distribution": "opensearch", "number": "2.19.0"}},
        ),
    ],
)
def test_filter_path_cuts_the_answer(ml: Any, paths: str, left: Any) -> None:
    assert ml.get(f"/?filter_path={paths}").body == left


def test_errors_are_not_filtered(ml: Any) -> None:
    assert ml.reason(ml.get("~/models/x?filter_path=nope")).endswith("id: x")


def test_plugins_are_listed_as_text_and_as_json(ml: Any) -> None:
    assert "opensearch-ml" in ml.get("/_cat/plugins").body
    assert ml.get("/_cat/plugins?format=json&h=component,version").body[-1] == {
        "component": "opensearch-ml",
        "version": "2.19.0.0",
    }
    assert ml.get("/_cat/plugins?v").body.splitlines()[0].split() == ["name", "component", "version"]


def test_nodes_are_listed_with_roles_and_plugins(make_client: Any) -> None:
    ml = make_client(nodes=3)
    nodes = ml.get("/_nodes").body
    assert nodes["_nodes"]["total"] == len(nodes["nodes"]) == 3
    first = next(iter(nodes["nodes"]))
    assert "ml" in nodes["nodes"][first]["roles"]
    assert list(ml.get(f"/_nodes/{first}/plugins").body["nodes"]) == [first]
    assert len(ml.get("/_nodes/plugins").body["nodes"]) == 3
    assert len(ml.get("/_cat/nodes").body.splitlines()) == 3
    assert ml.get("/_cluster/health").body["number_of_nodes"] == 3


def test_an_error_tells_its_trace_where_that_is_asked_for(ml: Any) -> None:
    plain, traced = (ml.get(f"~/models/nope{query}").body["error"] for query in ("", "?error_trace=true"))
    assert "stack_trace" not in plain
    trace = traced["stack_trace"]
    assert (trace, traced["root_cause"][0]["stack_trace"]) == (
        "StatusException[Failed to find model with the provided model id: nope]\n",
        trace,
    )


@pytest.mark.parametrize(
    ("method", "path", "methods"),
    [
        ("GET", "~/models/_register", {"POST"}),
        ("GET", "~/models/_undeploy", {"POST"}),
        ("DELETE", "~/models/_search", {"POST", "GET"}),
        ("GET", "~/connectors/_create", {"POST"}),
        ("POST", "/_nodes", {"GET"}),
    ],
)
def test_a_literal_segment_hides_a_parameter(ml: Any, method: str, path: str, methods: set[str]) -> None:
    answer = ml.send(method, path)
    assert (answer.status, set(answer.headers["allow"].split(","))) == (405, methods)


@pytest.mark.parametrize("path", ["~//models/x", "~/models//x", "//nope"])
def test_no_segment_of_a_path_is_empty(ml: Any, path: str) -> None:
    assert ml.get(path).status == 400


@pytest.mark.parametrize("path", ["/_cluster/health", "~/models/nope", "/_cluster/settings"])
def test_slashes_at_the_end_of_a_path_count_for_nothing(ml: Any, path: str) -> None:
    plain, slashed = ml.get(path), ml.get(f"{path}//")
    assert (plain.status, plain.body) == (slashed.status, slashed.body)


@pytest.mark.parametrize(("asked", "status"), [("human", 200), ("human=true", 200), ("human=maybe", 400)])
def test_what_is_for_people_may_be_asked_for_of_every_operation(ml: Any, asked: str, status: int) -> None:
    """No answer of the mock has a number with a unit, so that there is nothing to show otherwise."""
    answer = ml.get(f"/_cluster/settings?{asked}")
    assert answer.status == status
    assert status != 200 or answer.body == {"persistent": {}, "transient": {}}


def test_a_path_without_methods_is_told_without_its_query(ml: Any) -> None:
    error = ml.get("~/nope?pretty").body["error"]
    assert error == "no handler found for uri [/_plugins/_ml/nope] and method [GET]"


@pytest.mark.parametrize("kind", ["json", "", "application/json,text/plain"])
def test_a_content_type_that_is_none_is_refused(ml: Any, kind: str) -> None:
    answer = ml.send("PUT", "/_cluster/settings", b"{}", content_type=kind)
    assert answer.status == 400
    assert answer.body["error"]["caused_by"]["reason"] == f"invalid Content-Type header [{kind}]"


@pytest.mark.parametrize("kind", ["application/x-ndjson", "application/vnd.opensearch+json; v=2"])
def test_other_names_of_json_are_known(ml: Any, kind: str) -> None:
    assert ml.send("POST", "~/models/_search", b"{}", content_type=kind).status == 200


def test_a_time_has_a_unit(ml: Any) -> None:
    assert ml.reason(ml.get("/_cluster/settings?master_timeout=1")) == (
        "failed to parse setting [master_timeout] with value [1] as a time value: unit is missing or "
        "unrecognized"
    )


@pytest.mark.parametrize("body", [b"{", b"x", b"[]", b"{}"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_body_that_nobody_reads_may_be_anything(ml: Any, method: str, body: bytes) -> None:
    assert ml.send(method, f"~/models/{ml.model()}", body).status == 200


def test_a_table_in_a_format_that_is_none_is_text(ml: Any) -> None:
    assert ml.get("/_cat/nodes?h=ip&format=nope").body == "127.0.0.1\n"


def test_a_health_that_is_none_is_not_waited_for(ml: Any) -> None:
    assert ml.reason(ml.get("/_cluster/health?wait_for_status=blue")).endswith("ClusterHealthStatus.BLUE")


def test_the_name_of_a_request_comes_back(ml: Any) -> None:
    assert ml.send("GET", "/", x_opaque_id="mine").headers["x-opaque-id"] == "mine"
    assert ml.send("GET", "~/models/none", x_opaque_id="mine").headers["x-opaque-id"] == "mine"
    assert "x-opaque-id" not in ml.get("/").headers


def test_the_main_page_alone_is_pretty_unless_told(ml: Any) -> None:
    def lines(target: str) -> int:
        path, _, query = target.partition("?")
        return len(ml.server.handle(Request("GET", path, query)).body.splitlines())

    assert lines("/") == lines("/?pretty") > 1
    assert lines("/?pretty=false") == lines("/_cluster/health") == 1
    assert lines("/_cluster/health?pretty") > 1
