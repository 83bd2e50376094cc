from __future__ import annotations

from typing import Any

import pytest

ACTION = {"action_type": "predict", "method": "POST", "url": "http://127.0.0.1:9/x"}
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


def test_private_addresses_can_be_refused(ml: Any) -> None:
    ml.setting("connector.private_ip_enabled", False)
    assert "private ip" in ml.reason(ml.post("~/connectors/_create", WHOLE))
