"""Predict: who may ask, what is asked, and what the remote endpoint's answer is wrapped in."""

from __future__ import annotations

import json
import re
from typing import Any

from mock_server.opensearch_ml import guardrails, interface, local_models, training
from mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mock_server.opensearch_ml.connectors import fill, require_remote_inference
from mock_server.opensearch_ml.errors import ApiError, illegal_argument, parse_error, status_error
from mock_server.opensearch_ml.fields import Fields
from mock_server.opensearch_ml.models import LOCAL_FUNCTIONS, find
from mock_server.opensearch_ml.settings import AUTO_DEPLOY
from mock_server.opensearch_ml.store import Connector, JsonObject, Model, Task, TaskState
from mock_server.opensearch_ml.tasks import BATCH_PREDICTION

BATCH_SECONDS = 1.0

_PLACE = re.compile(r"\$\{parameters\.([^}]+)\}")


def predict(call: Call) -> Answer:
    """POST models/{model_id}/_predict and POST _predict/{algorithm}/{model_id}."""
    if call.document.empty:
        raise parse_error("request body is required")
    algorithm = call.parameters.get("algorithm")
    if algorithm is not None:
        _require_known(algorithm)
    cluster = call.cluster
    model = find(cluster, call.parameters["model_id"])
    fields = call.fields()
    if algorithm is not None and algorithm.upper() in LOCAL_FUNCTIONS and not fields.get("text_docs"):
        raise illegal_argument("Empty text docs")
    if model.algorithm == "KMEANS":
        return Answer(training.predict(model, fields))
    if model.algorithm == "REMOTE":
        require_remote_inference(cluster)
    _require_ready(cluster, model)
    _take_token(cluster, model)
    cluster.let_others_in()
    cluster.lifecycle.use(model)
    if model.algorithm != "REMOTE":
        return Answer(local_models.predict(model, fields))
    return Answer(_invoke(cluster, model, fields))


def batch_predict(call: Call) -> Answer:
    """POST models/{model_id}/_batch_predict: a job at the remote endpoint, followed by a task."""
    if call.document.empty:
        raise parse_error("request body is required")
    cluster, fields = call.cluster, call.fields()
    model = find(cluster, call.parameters["model_id"])
    if model.algorithm != "REMOTE":
        raise illegal_argument(
            f"Batch predict needs a model that is hosted elsewhere: expected function_name remote, got "
            f"{model.algorithm}"
        )
    require_remote_inference(cluster)
    _require_ready(cluster, model)
    _take_token(cluster, model)
    parameters = fields.get("parameters")
    sent = parameters if isinstance(parameters, dict) else {}
    _payload(_connector(cluster, model), sent, "BATCH_PREDICT")
    cluster.lifecycle.use(model)
    now = cluster.now_ms()
    answer = cluster.endpoint.answer
    task = Task(
        BATCH_PREDICTION,
        model.algorithm,
        TaskState.RUNNING,
        (cluster.local_node_id,),
        now,
        now,
        model_id=model.id,
        input_type="REMOTE",
        remote_job=answer if isinstance(answer, dict) else {"response": answer},
        due=cluster.clock.now() + BATCH_SECONDS,
    )
    task_id = cluster.ids.document()
    cluster.store.tasks.put(task_id, task)
    return Answer({"task_id": task_id, "status": "CREATED"})


def _take_token(cluster: Cluster, model: Model) -> None:
    if cluster.rules.rate_limit_enforced and not cluster.throttle.allows(model, cluster.clock.now()):
        raise status_error(429, "Request is throttled at model level.")


def _require_known(algorithm: str) -> None:
    if algorithm.upper() not in ("REMOTE", "KMEANS", *LOCAL_FUNCTIONS):
        raise illegal_argument(f"No enum constant org.opensearch.ml.common.FunctionName.{algorithm.upper()}")


def _require_ready(cluster: Cluster, model: Model) -> None:
    """Enabled and in memory; what is not deployed is deployed on the way where the setting allows it."""
    rules, lifecycle = cluster.rules, cluster.lifecycle
    if model.is_enabled is False and rules.disabled_refuses_predict:
        raise status_error(403, "Model is disabled.")
    if model.in_memory and not lifecycle.sync_up.is_forgotten(model):
        return
    may_deploy = rules.auto_deploy and model.algorithm == "REMOTE"
    if may_deploy and (cluster.settings.on(AUTO_DEPLOY) or not rules.auto_deploy_can_be_disabled):
        lifecycle.auto_deploy(model)
        if lifecycle.lacks_connector(model):
            raise status_error(404, f"Failed to find connector:{model.connector_id}")
    if not lifecycle.serves(model):
        raise illegal_argument("Model not ready yet. Please deploy the model first.")


def _invoke(cluster: Cluster, model: Model, fields: Fields) -> JsonObject:
    rules = cluster.rules
    parameters = fields.get("parameters")
    if rules.interface_checked:
        instance = {"algorithm": "REMOTE", "parameters": parameters, "action_type": "PREDICT"}
        interface.check("input", model.interface.get("input"), instance, rules)
    connector = _connector(cluster, model)
    payload = _payload(connector, parameters if isinstance(parameters, dict) else {})
    guard_answer = json.dumps(cluster.endpoint.answer, ensure_ascii=False)
    if rules.input_guardrail_checked and guardrails.triggered(
        model.guardrails, "input_guardrail", payload, guard_answer, cluster.store.indices
    ):
        raise illegal_argument("guardrails triggered for user input")
    answer = cluster.endpoint.answer
    text = json.dumps(answer, ensure_ascii=False)
    if guardrails.triggered(model.guardrails, "output_guardrail", text, guard_answer, cluster.store.indices):
        raise _output_stopped(rules.output_guardrail_status)
    result = {"inference_results": [{"output": [_output(answer)], "status_code": 200}]}
    if rules.interface_checked:
        interface.check("output", model.interface.get("output"), result, rules)
    return result


def _output(answer: Any) -> JsonObject:
    if isinstance(answer, dict):
        return {"name": "response", "dataAsMap": answer}
    return {"name": "response", "dataAsMap": {"response": answer}}


def _output_stopped(status: int) -> ApiError:
    cause = {"type": "illegal_argument_exception", "reason": "guardrails triggered for LLM output"}
    if status == 400:
        return illegal_argument("guardrails triggered for LLM output")
    return ApiError(status, "m_l_exception", "Fail to execute PREDICT in aws connector", caused_by=cause)


def _connector(cluster: Cluster, model: Model) -> Connector:
    """The connector that the model was deployed with; a standalone one can't go while a model names it."""
    connector = model.connector
    if connector is None and model.connector_id is not None:
        connector = cluster.store.connectors.get(model.connector_id)
    if connector is None:
        raise status_error(404, f"Failed to find connector:{model.connector_id}")
    return connector


def _payload(connector: Connector, sent: JsonObject, kind: str = "PREDICT") -> str:
    """The body of the call to the endpoint, with the connector's parameters under those of the request."""
    action = next((action for action in connector.actions if action["action_type"] == kind), None)
    if action is None:
        raise illegal_argument(f"no {kind} action found")
    parameters = {**connector.parameters, **sent}
    payload = fill(action.get("request_body", ""), parameters)
    missing = _PLACE.findall(payload)
    if missing and str(parameters.get("skip_validating_missing_parameters")).lower() != "true":
        raise illegal_argument(f"Some parameter placeholder not filled in payload: {missing[0]}")
    return payload
