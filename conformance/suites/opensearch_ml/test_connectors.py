"""Connectors and model groups as far as the lifecycle of a model touches them (recordings)."""

from __future__ import annotations

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import requirement
from mlconform.conformance.suites.opensearch_ml.api import UNKNOWN_ID, MlCommons
from mlconform.conformance.targets.opensearch_ml import ML


@requirement("osml.connector.lifecycle")
def test_a_connector_is_made_read_and_deleted(ml: MlCommons, expect: Expect) -> None:
    body = ml.connector_body()
    created = ml.create_connector(body)
    expect.status("osml.connector.lifecycle", created, 200)
    path = f"{ML}/connectors/{created.member('connector_id')}"
    read = ml.session.request("GET", path)
    expect.status("osml.connector.lifecycle", read, 200)
    expect.equal("osml.connector.lifecycle", read.member("name"), body["name"], "name")
    expect.equal("osml.connector.lifecycle", read.member("credential"), None, "credential as it reads")
    expect.status("osml.connector.lifecycle", ml.session.request("DELETE", path), 200)
    expect.status("osml.connector.lifecycle", ml.session.request("GET", path), 404)


@requirement("osml.connector.in-use")
def test_a_connector_in_use_is_not_deleted(ml: MlCommons, expect: Expect) -> None:
    connector = ml.connector()
    model = ml.model(connector_id=connector)
    ml.await_found("model", model)
    answered = ml.session.request("DELETE", f"{ML}/connectors/{connector}")
    expect.error("osml.connector.in-use", answered, 409, "models are still using this connector")
    expect.that(
        "osml.connector.in-use",
        model in answered.text,
        expected=f"a reason that names {model}",
        came=answered.text,
    )


@requirement("osml.connector.delete.unused")
def test_a_connector_is_deleted_that_only_looks_like_one_in_use(ml: MlCommons, expect: Expect) -> None:
    """A model names the same letters in the other case, which is the id of another connector. Where it can
    name none that is not there, nothing is decided."""
    connector, model = ml.connector(), ml.model()
    other = connector.swapcase()
    ml.change(model, {"connector_id": other})
    ml.await_found("model", model, connector_id=other)
    answered = ml.session.request("DELETE", f"{ML}/connectors/{connector}")
    expect.accepted("osml.connector.delete.unused", answered)
    expect.equal("osml.connector.delete.unused", answered.member("result"), "deleted", "result of the delete")


@requirement("osml.connector.deployed-update")
def test_a_connector_of_a_deployed_model_is_not_changed(ml: MlCommons, expect: Expect) -> None:
    connector = ml.connector()
    ml.await_found("model", ml.deployed_model(connector_id=connector), model_state="DEPLOYED")
    answered = ml.session.request("PUT", f"{ML}/connectors/{connector}", {"description": "changed"})
    expect.error("osml.connector.deployed-update", answered, 400, "please undeploy the models first")


@requirement("osml.connector.unknown")
def test_an_unknown_connector(ml: MlCommons, expect: Expect) -> None:
    answered = ml.session.request("GET", f"{ML}/connectors/{UNKNOWN_ID}")
    expect.error("osml.connector.unknown", answered, 404, "Failed to find connector")
