"""Model groups and connectors: their pages, where model access control is off."""

from __future__ import annotations

from typing import Any

import pytest

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import deciding, requirement
from mlconform.conformance.suites.opensearch_ml.api import MlCommons
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.opensearch_ml import ML


def _body(ml: MlCommons) -> dict[str, Any]:
    return {"name": ml.session.new_name("group"), "description": "made by a conformance run"}


@requirement(
    "osml.group.register.answer.model_group_id",
    "osml.group.register.answer.status",
    "osml.group.register.field.name",
    "osml.group.register.field.description",
    "osml.group.public-by-default",
    "osml.remote.group",
)
def test_a_group_is_registered(ml: MlCommons, expect: Expect) -> None:
    body = _body(ml)
    answered = ml.register_group(body)
    expect.accepted("osml.remote.group", answered)
    expect.equal("osml.remote.group", answered.member("status"), "CREATED", "status")
    id_name = "osml.group.register.answer.model_group_id"
    expect.members(id_name, answered.json, {"model_group_id": str}, "the answer")
    expect.members("osml.group.register.answer.status", answered.json, {"status": str}, "the answer")
    read = ml.get_group(str(answered.member("model_group_id")))
    expect.equal("osml.group.register.field.name", read.member("name"), body["name"], "name")
    told = read.member("description")
    expect.equal("osml.group.register.field.description", told, body["description"], "description")
    expect.equal("osml.group.public-by-default", read.member("access"), "public", "access")


@pytest.mark.parametrize(
    "parameter",
    [{"access_mode": "restricted"}, {"backend_roles": ["a"]}, {"add_all_backend_roles": True}],
    ids=["mode", "roles", "all-roles"],
)
@requirement("osml.group.no-access-parameters")
def test_access_without_access_control(ml: MlCommons, expect: Expect, parameter: dict[str, Any]) -> None:
    expect.client_error("osml.group.no-access-parameters", ml.register_group(_body(ml) | parameter))


@requirement("osml.group.update.no-access-parameters")
def test_an_update_of_access_without_access_control(ml: MlCommons, expect: Expect) -> None:
    path = f"{ML}/model_groups/{ml.group()}"
    for sent in ({"access_mode": "private"}, {"backend_roles": ["a"]}, {"add_all_backend_roles": True}):
        refused = ml.session.request("PUT", path, {"description": "changed", **sent})
        expect.client_error("osml.group.update.no-access-parameters", refused)


@requirement("osml.group.unique-name")
def test_a_name_stands_once(ml: MlCommons, expect: Expect) -> None:
    body = _body(ml)
    expect.accepted("osml.group.unique-name", ml.register_group(body))
    query = {"query": {"term": {"name.keyword": {"value": body["name"]}}}}
    _settle(ml, "model_groups", query)
    expect.client_error("osml.group.unique-name", ml.register_group(body))


def _settle(ml: MlCommons, kind: str, query: dict[str, Any]) -> None:
    """Wait until a search finds it: names and uses are told by an index that is refreshed later."""
    ml.session.settle(
        lambda: ml.session.request("POST", f"{ML}/{kind}/_search", query).member("hits", "hits"),
        bool,
        budget=5.0,
    )


@requirement("osml.group.delete.empty-only")
def test_a_group_with_a_version_stays(ml: MlCommons, expect: Expect) -> None:
    group = ml.group()
    model = ml.model(model_group_id=group)
    _settle(ml, "models", {"query": {"ids": {"values": [model]}}})
    refused = ml.session.request("DELETE", f"{ML}/model_groups/{group}")
    expect.client_error("osml.group.delete.empty-only", refused)
    expect.accepted("osml.group.delete.empty-only", ml.get_group(group))


@requirement("osml.group.update.description")
def test_a_group_is_changed(ml: MlCommons, expect: Expect) -> None:
    group = ml.group()
    changed = {"name": ml.session.new_name("group"), "description": "changed"}
    answered = ml.session.request("PUT", f"{ML}/model_groups/{group}", changed)
    expect.accepted("osml.group.update.description", answered)
    read = ml.get_group(group)
    for member, value in changed.items():
        expect.equal("osml.group.update.description", read.member(member), value, member)


def _update(ml: MlCommons, connector: str, body: dict[str, Any]) -> Exchange:
    return ml.session.request("PUT", f"{ML}/connectors/{connector}", body)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        deciding("osml.connector.update.field.name", {"name": "changed"}),
        deciding("osml.connector.update.field.description", {"description": "changed"}),
        deciding("osml.connector.update.field.version", {"version": 2}),
        deciding("osml.connector.update.field.protocol", {"protocol": "http"}),
        deciding("osml.connector.update.field.parameters", {"parameters": {"model": "other"}}),
        deciding("osml.connector.update.field.credential", {"credential": {"key": "other"}}),
    ],
)
def test_a_field_of_a_connector(ml: MlCommons, expect: Expect, name: str, fields: dict[str, Any]) -> None:
    connector = ml.connector()
    expect.accepted(name, _update(ml, connector, fields))
    read = ml.session.request("GET", f"{ML}/connectors/{connector}")
    for member, value in fields.items() if "credential" not in fields else ():
        expect.equal(name, _text(read.member(member)), _text(value), f"{member} of the connector")


def _text(value: Any) -> Any:
    """Numbers read as text."""
    return value if isinstance(value, dict) else str(value)


@requirement("osml.connector.update.field.actions")
def test_the_actions_of_a_connector(ml: MlCommons, expect: Expect) -> None:
    actions = ml.connector_body()["actions"]
    answered = _update(ml, ml.connector(), {"actions": actions})
    expect.accepted("osml.connector.update.field.actions", answered)


@requirement("osml.connector.update.adds")
def test_other_fields_of_a_connector_stay(ml: MlCommons, expect: Expect) -> None:
    body = ml.connector_body()
    connector = str(ml.create_connector(body).member("connector_id"))
    expect.accepted("osml.connector.update.adds", _update(ml, connector, {"description": "changed"}))
    read = ml.session.request("GET", f"{ML}/connectors/{connector}")
    expect.equal("osml.connector.update.adds", read.member("description"), "changed", "description")
    expect.equal("osml.connector.update.adds", read.member("name"), body["name"], "name")


@requirement("osml.connector.update.undeploy-first")
def test_a_connector_whose_models_are_undeployed(ml: MlCommons, expect: Expect) -> None:
    connector = ml.connector()
    model = ml.deployed_model(connector_id=connector)
    ml.take_down(model)
    answered = ml.session.settle(
        lambda: _update(ml, connector, {"description": "changed"}), lambda sent: sent.status == 200
    ).value
    expect.accepted("osml.connector.update.undeploy-first", answered)
