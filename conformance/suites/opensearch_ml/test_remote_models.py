"""From a connector to a prediction, and batches: pages remote-models, batch-predict and predict."""

from __future__ import annotations

from typing import Any

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import requirement
from mlconform.conformance.suites.opensearch_ml.api import UNKNOWN_ID, MlCommons
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.opensearch_ml import ML

BATCH_ACTIONS = ("batch_predict", "batch_predict_status", "cancel_batch_predict")


@requirement("osml.remote.connector", "osml.remote.register", "osml.remote.deploy", "osml.predict.remote")
def test_the_steps_to_a_prediction(ml: MlCommons, expect: Expect) -> None:
    created = ml.create_connector(ml.connector_body())
    expect.accepted("osml.remote.connector", created)
    expect.members("osml.remote.connector", created.json, {"connector_id": str}, "the answer")
    registered = ml.register(ml.remote_body(connector_id=created.member("connector_id")))
    _ends(ml, expect, "osml.remote.register", registered)
    model = str(registered.member("model_id"))
    _ends(ml, expect, "osml.remote.deploy", ml.deploy(model))
    ml.settle_state(model, "DEPLOYED")
    answered = ml.predict(model)
    expect.members("osml.predict.remote", answered.json, {"inference_results": list}, "the answer")
    result = answered.member("inference_results")[0]
    expect.members("osml.predict.remote", result, {"output": list, "status_code": int}, "the result")


def _ends(ml: MlCommons, expect: Expect, name: str, answered: Exchange) -> None:
    """The answer names a task, and the task ends well."""
    expect.members(name, answered.json, {"task_id": str}, "the answer")
    task = ml.await_task(answered)
    expect.equal(name, task.member("state") if task is not None else None, "COMPLETED", "state of the task")


@requirement("osml.models.no-access-control")
def test_without_access_control_models_are_open(ml: MlCommons, expect: Expect) -> None:
    model = ml.model(model_group_id=ml.group())
    expect.accepted("osml.models.no-access-control", ml.get(model))
    expect.accepted("osml.models.no-access-control", ml.update(model, {"description": "changed"}))
    expect.accepted("osml.models.no-access-control", ml.delete(model))


@requirement("osml.predict.model-id-required")
def test_a_prediction_without_a_model(ml: MlCommons, expect: Expect) -> None:
    answered = ml.session.request("POST", f"{ML}/_predict/remote", {"parameters": {"q": "hello"}})
    expect.client_error("osml.predict.model-id-required", answered)


@requirement("osml.predict.field.parameters")
def test_parameters_reach_the_model(ml: MlCommons, expect: Expect) -> None:
    model = ml.deployed_model()
    answered = ml.session.request(
        "POST", f"{ML}/_predict/remote/{model}", {"parameters": {"q": "hello", "more": "told"}}
    )
    expect.accepted("osml.predict.field.parameters", answered)


def _with_batches(ml: MlCommons) -> dict[str, Any]:
    body = ml.connector_body()
    (predict,) = body["actions"]
    return body | {"actions": [predict, *(predict | {"action_type": kind} for kind in BATCH_ACTIONS)]}


@requirement(
    "osml.batch-predict.actions",
    "osml.batch-predict.example.connector",
    "osml.batch-predict.example.register",
)
def test_a_connector_for_batches(ml: MlCommons, expect: Expect) -> None:
    created = ml.create_connector(_with_batches(ml))
    expect.accepted("osml.batch-predict.actions", created)
    name = "osml.batch-predict.example.connector"
    expect.members(name, created.json, {"connector_id": str}, "the answer")
    body = ml.remote_body(connector_id=created.member("connector_id"))
    registered = ml.register(body, "?deploy=true")
    ml.settle_state(str(registered.member("model_id")), "DEPLOYED")
    kinds = {"task_id": str, "status": str}
    expect.members("osml.batch-predict.example.register", registered.json, kinds, "the answer")


@requirement("osml.batch-predict.model-id-required")
def test_a_batch_without_a_model(ml: MlCommons, expect: Expect) -> None:
    path = f"{ML}/models/{UNKNOWN_ID}/_batch_predict"
    answered = ml.session.request("POST", path, {"parameters": {}})
    expect.client_error("osml.batch-predict.model-id-required", answered)
