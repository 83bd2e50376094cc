from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

ACTION = {"action_type": "predict", "method": "POST", "url": "http://127.0.0.1:9/x"}
TOKEN = "Failed to parse object: expecting token of type"
NO_ACCESS_CONTROL = (
    "You cannot specify connector access control parameters because the Security plugin or connector access "
    "control is disabled on your cluster."
)
SAFE = "can only contain letters, numbers, spaces, and basic punctuation (.,!?():@-_'/\")"
WHOLE = {"name": "c", "version": "1", "protocol": "http", "credential": {"k": "v"}, "actions": [ACTION]}


def test_a_connector_is_shown_without_its_credential(ml: Any) -> None:
    shown = ml.get(f"~/connectors/{ml.connector()}").body
    assert shown["actions"][0]["action_type"] == "PREDICT"
    assert (shown["version"], shown["parameters"]) == ("1", {"endpoint": "127.0.0.1:9", "model": "m"})
    assert "credential" not in shown


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": None}, "Connector name is null"),
        ({"version": None}, "Connector version is null"),
        ({"protocol": None}, "Connector protocol is null"),
        ({"protocol": "ftp"}, "Can't find class for type ftp"),
        ({"credential": None}, "Connector credential is null or empty list"),
        ({"credential": {}}, "Connector credential is null or empty list"),
        ({"actions": None}, "No actions configured for this connector"),
        ({"actions": [{"action_type": "predict", "method": "POST"}]}, "url can't be null"),
        (
            {"actions": [{**ACTION, "action_type": "nope"}]},
            "No enum constant org.opensearch.ml.common.connector.ConnectorAction.ActionType.NOPE",
        ),
    ],
)
def test_a_bad_connector_is_refused(ml: Any, change: dict[str, Any], reason: str) -> None:
    body = {name: value for name, value in {**WHOLE, **change}.items() if value is not None}
    answer = ml.post("~/connectors/_create", body)
    assert (answer.status, ml.reason(answer)) == (400, reason)


def test_an_empty_body_is_a_mistake_of_the_client(ml: Any) -> None:
    answer = ml.post("~/connectors/_create")
    assert (answer.status, ml.reason(answer)) == (400, "Create Connector request has empty body")


def test_an_update_merges_parameters(ml: Any) -> None:
    connector_id = ml.connector()
    assert ml.put(f"~/connectors/{connector_id}", {"name": "c2", "parameters": {"model": "z"}}).status == 200
    shown = ml.get(f"~/connectors/{connector_id}").body
    assert (shown["name"], shown["parameters"]) == ("c2", {"endpoint": "127.0.0.1:9", "model": "z"})


def test_a_connector_of_a_deployed_model_is_not_updated(ml: Any) -> None:
    model_id = ml.deployed()
    connector_id = ml.get(f"~/models/{model_id}").body["connector_id"]
    answer = ml.put(f"~/connectors/{connector_id}", {"description": "x"})
    expected = f"1 models are still using this connector, please undeploy the models first: [{model_id}]"
    assert (answer.status, ml.reason(answer)) == (400, expected)
    ml.post(f"~/models/{model_id}/_undeploy")
    assert ml.put(f"~/connectors/{connector_id}", {"description": "x"}).status == 200


def test_a_connector_in_use_is_not_deleted(ml: Any) -> None:
    model_id = ml.model()
    connector_id = ml.get(f"~/models/{model_id}").body["connector_id"]
    answer = ml.delete(f"~/connectors/{connector_id}")
    expected = (
        f"1 models are still using this connector, please delete or update the models first: [{model_id}]"
    )
    assert (answer.status, ml.reason(answer)) == (409, expected)
    ml.delete(f"~/models/{model_id}")
    assert ml.delete(f"~/connectors/{connector_id}").body["result"] == "deleted"


def test_deleting_an_unknown_connector_is_not_found_with_a_version(ml: Any) -> None:
    ml.connector()
    answers = [ml.delete("~/connectors/nope").body for _ in range(2)]
    assert [(answer["result"], answer["_version"]) for answer in answers] == [
        ("not_found", 1),
        ("not_found", 2),
    ]


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_an_unknown_connector_is_404(ml: Any, method: str) -> None:
    answer = ml.send(method, "~/connectors/nope", {} if method == "PUT" else None)
    assert ml.reason(answer) == "Failed to find connector with the provided connector id: nope"


def test_endpoints_must_be_trusted(ml: Any) -> None:
    ml.setting("trusted_connector_endpoints_regex", ["^https://api\\.example/.*$"])
    answer = ml.post("~/connectors/_create", WHOLE)
    assert answer.status == 400
    assert ml.reason(answer).endswith("URL is: http://127.0.0.1:9/x")


@pytest.mark.parametrize(
    ("change", "kind", "reason"),
    [
        (
            {"credential": {}, "protocol": "ftp"},
            "illegal_argument_exception",
            "Connector credential is null or empty list",
        ),
        ({"credential": "v"}, "illegal_argument_exception", "Connector credential is null or empty list"),
        ({"actions": {}}, "parsing_exception", f"{TOKEN} [START_ARRAY] but found [START_OBJECT]"),
        ({"actions": ["x"]}, "parsing_exception", f"{TOKEN} [START_OBJECT] but found [VALUE_STRING]"),
        ({"actions": [{}]}, "illegal_argument_exception", "action type can't be null"),
        (
            {"actions": [{**ACTION, "action_type": ""}]},
            "illegal_argument_exception",
            "No enum constant org.opensearch.ml.common.connector.ConnectorAction.ActionType.",
        ),
        ({"client_config": 5}, "parsing_exception", f"{TOKEN} [START_OBJECT] but found [VALUE_NUMBER]"),
        (
            {"client_config": {"retry_backoff_policy": "x"}},
            "illegal_argument_exception",
            "Unsupported retry backoff policy",
        ),
        ({"protocol": "aws_sigv4"}, "illegal_argument_exception", "Missing credential"),
        (
            {"protocol": "aws_sigv4", "credential": {"access_key": "a", "secret_key": "s"}},
            "illegal_argument_exception",
            "Missing service name",
        ),
        ({"access_mode": "public"}, "illegal_argument_exception", NO_ACCESS_CONTROL),
    ],
)
def test_a_body_is_refused_for_its_first_fault(
    ml: Any, change: dict[str, Any], kind: str, reason: str
) -> None:
    answer = ml.post("~/connectors/_create", {**WHOLE, **change})
    assert (answer.status, answer.body["error"]["type"], ml.reason(answer)) == (400, kind, reason)


def test_parameters_are_kept_as_texts(ml: Any) -> None:
    sent = {"n": 5, "f": 1.0, "b": True, "o": {"y": [1, None], "z": None}, "nothing": None}
    shown = ml.get(f"~/connectors/{ml.connector(parameters=sent)}").body["parameters"]
    assert shown == {"n": "5", "f": "1.0", "b": "true", "o": '{"y":[1,null]}', "nothing": "null"}


def test_what_a_client_config_leaves_out_has_defaults(ml: Any) -> None:
    connector_id = ml.connector(client_config={"max_connection": 3, "retry_backoff_policy": "CONSTANT"})
    assert ml.get(f"~/connectors/{connector_id}").body["client_config"] == {
        "max_connection": 3,
        "connection_timeout": 1000,
        "read_timeout": 10,
        "retry_backoff_millis": 200,
        "retry_timeout_seconds": 30,
        "max_retry_times": 0,
        "retry_backoff_policy": "constant",
        "skip_ssl_verification": False,
    }


def test_an_access_mode_that_there_is_not_is_as_good_as_none(ml: Any) -> None:
    assert ml.post("~/connectors/_create", {**WHOLE, "access_mode": "nope"}).status == 200


def test_an_update_may_give_access_where_a_creation_may_not(ml: Any) -> None:
    connector_id = ml.connector()
    access = {"access_mode": "restricted", "backend_roles": ["a"]}
    assert ml.put(f"~/connectors/{connector_id}", access).status == 200
    shown = ml.get(f"~/connectors/{connector_id}").body
    assert (shown["access"], shown["backend_roles"]) == ("restricted", ["a"])


def test_an_update_that_its_parser_meets_unprepared_is_refused(ml: Any) -> None:
    answer = ml.put(f"~/connectors/{ml.connector()}", {"name": None})
    assert (answer.body["error"]["type"], answer.status) == ("parse_exception", 400)


def test_a_dry_run_creates_nothing(ml: Any) -> None:
    answer = ml.post("~/connectors/_create", {"dry_run": True, "name": "c"})
    assert answer.body == {"connector_id": "dryRunConnector"}
    assert ml.get("~/connectors/dryRunConnector").status == 404


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("2.19", None),
        ("3.4", f"Validation Failed: 1: Model connector description {SAFE};2: Model connector name {SAFE};"),
    ],
)
def test_newer_versions_look_at_names_and_descriptions(
    make_client: Any, version: str, reason: str | None
) -> None:
    ml = make_client(docs_version=version)
    answer = ml.post("~/connectors/_create", {**WHOLE, "name": "<b>", "description": "a;b"})
    assert (None if answer.status == 200 else ml.reason(answer)) == reason


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (None, 400, "Failed to update connector: Request body is empty"),
        ({"actions": 5}, 400, f"{TOKEN} [START_ARRAY] but found [VALUE_NUMBER]"),
        ({"description": "x"}, 404, "Failed to find connector with the provided connector id: nope"),
    ],
)
def test_an_update_is_read_before_its_connector_is_looked_for(
    ml: Any, body: Any, status: int, reason: str
) -> None:
    answer = ml.put("~/connectors/nope", body)
    assert (answer.status, ml.reason(answer)) == (status, reason)


def test_an_update_to_an_endpoint_that_is_not_trusted_is_refused_first(ml: Any) -> None:
    model_id = ml.deployed()
    connector_id = ml.get(f"~/models/{model_id}").body["connector_id"]
    ml.setting("trusted_connector_endpoints_regex", ["^https://api\\.example/.*$"])
    assert "not matching the trusted" in ml.reason(ml.put(f"~/connectors/{connector_id}", {"name": "n"}))


def test_an_unknown_protocol_is_met_by_the_next_read(ml: Any) -> None:
    connector_id = ml.connector()
    assert ml.put(f"~/connectors/{connector_id}", {"protocol": "ftp"}).status == 200
    assert ml.reason(ml.get(f"~/connectors/{connector_id}")) == "Can't find class for type ftp"


@pytest.mark.parametrize(
    ("connector", "reason"),
    [
        ({}, "connector protocol is null"),
        (
            {"protocol": "http", "actions": "x"},
            "You must provide connector content when creating a remote model without connector id!",
        ),
        (
            {"protocol": "http", "actions": []},
            "Connector endpoint is required when creating a remote model without connector id!",
        ),
        ({"protocol": "ftp", "actions": [ACTION]}, "Can't find class for type ftp"),
    ],
)
def test_a_connector_inside_a_model_needs_a_protocol_and_an_endpoint(
    ml: Any, connector: dict[str, Any], reason: str
) -> None:
    body = {"name": "m", "function_name": "remote", "connector": connector}
    assert ml.reason(ml.post("~/models/_register", body)) == reason


def test_a_connector_inside_a_model_needs_no_name(ml: Any) -> None:
    connector = {"protocol": "http", "credential": {}, "actions": [ACTION], "description": None}
    body = {"name": "m", "function_name": "remote", "connector": connector}
    assert ml.post("~/models/_register", body).status == 200


def test_of_an_action_the_url_is_missed_before_the_method(ml: Any) -> None:
    answer = ml.post("~/connectors/_create", {**WHOLE, "actions": [{"action_type": "predict"}]})
    assert ml.reason(answer) == "url can't be null"


@pytest.mark.parametrize(
    "parameters", [{"a": "${parameters.a}"}, {"a": "${parameters.b}", "b": "${parameters.a}"}]
)
def test_a_parameter_may_name_itself(ml: Any, parameters: dict[str, str]) -> None:
    action = {**ACTION, "url": "http://127.0.0.1:9/${parameters.a}"}
    answer = ml.post("~/connectors/_create", {**WHOLE, "parameters": parameters, "actions": [action]})
    assert answer.status == 200


@pytest.mark.parametrize(
    ("pattern", "status"), [("http://127.0.0.1:9/", 400), ("127.0.0.1:9/x", 400), ("http://127.*", 200)]
)
def test_a_pattern_matches_all_of_an_endpoint(ml: Any, pattern: str, status: int) -> None:
    ml.setting("trusted_connector_endpoints_regex", [pattern])
    assert ml.post("~/connectors/_create", WHOLE).status == status


@pytest.mark.parametrize("place", ["credential", "parameters"])
def test_service_and_region_may_stand_in_either_place(ml: Any, place: str) -> None:
    signed = {"credential": {"access_key": "a", "secret_key": "s"}, "parameters": {}}
    signed[place] |= {"service_name": "bedrock", "region": "r"}
    assert ml.post("~/connectors/_create", {**WHOLE, "protocol": "aws_sigv4", **signed}).status == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [(2**31 - 1, 200), (2**31, 400), ("2147483647", 200), ("2147483648", 400), ("3.9", 200), (-(2**31), 200)],
)
def test_a_number_of_a_client_config_has_32_bits(ml: Any, sent: Any, status: int) -> None:
    body = {**WHOLE, "client_config": {"max_connection": sent}}
    assert ml.post("~/connectors/_create", body).status == status


@pytest.mark.parametrize(
    ("named", "kept"),
    [("{}", True), ("{swapped}", True), ("other-{}", True), ("other_{}", False), ("other", False)],
)
def test_a_recorded_node_keeps_a_connector_that_has_a_word_in_common_with_one_in_use(
    make_client: Callable[..., Any], named: str, kept: bool
) -> None:
    node = make_client(behaviour="opensearch-3.4")
    connector, model = node.connector(), node.model()
    name = named.format(connector, swapped=connector.swapcase())
    assert node.put(f"~/models/{model}", {"connector_id": name}).status == 200
    answer = node.delete(f"~/connectors/{connector}")
    assert answer.status == (409 if kept else 200)
    assert not kept or node.reason(answer).endswith(f"[{model}]")


def test_as_documented_a_connector_is_kept_by_those_that_name_it_alone(ml: Any) -> None:
    connector, model = ml.connector(), ml.model()
    ml.put(f"~/models/{model}", {"connector_id": connector.swapcase()})
    assert ml.delete(f"~/connectors/{connector}").status == 200
