"""Predict: who may ask, in what form, and in which order a node looks at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from mlconform.mock_server.opensearch_ml.bodies.fields import Fields
from mlconform.mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mlconform.mock_server.opensearch_ml.errors import (
    ApiError,
    illegal_argument,
    null_pointer,
    parse_error,
    status_error,
    validation_error,
)
from mlconform.mock_server.opensearch_ml.functions import require_function
from mlconform.mock_server.opensearch_ml.models import find
from mlconform.mock_server.opensearch_ml.opensearch_core.settings import AUTO_DEPLOY
from mlconform.mock_server.opensearch_ml.prediction import interface, local_models, remote_models, training
from mlconform.mock_server.opensearch_ml.prediction.algorithms import ALGORITHMS
from mlconform.mock_server.opensearch_ml.prediction.remote_models import (
    RemoteInput,
    take_token,
    take_token_of_user,
)
from mlconform.mock_server.opensearch_ml.registration import require_function_allowed
from mlconform.mock_server.opensearch_ml.rules import Rules
from mlconform.mock_server.opensearch_ml.security import access, connector_access
from mlconform.mock_server.opensearch_ml.store import JsonObject, Model, ModelState, Task, TaskState
from mlconform.mock_server.opensearch_ml.tasks import BATCH_PREDICTION

BATCH_SECONDS = 1.0

_EMBEDDING_FUNCTIONS = ("TEXT_EMBEDDING", "SPARSE_ENCODING", "SPARSE_TOKENIZE")
_SPARSE_FUNCTIONS = ("SPARSE_ENCODING", "SPARSE_TOKENIZE")
# What is wrong with a body and is told also where a node loses other faults.
_TOLD = ("illegal_argument_exception", "named_object_not_found_exception")
_DATA_FUNCTIONS = (
    "AD_LIBSVM",
    "BATCH_RCF",
    "FIT_RCF",
    "KMEANS",
    "LINEAR_REGRESSION",
    "LOGISTIC_REGRESSION",
    "RCF_SUMMARIZE",
)
_SET_ALGORITHM = "org.opensearch.ml.common.input.MLInput.setAlgorithm(org.opensearch.ml.common.FunctionName)"
SentT = TypeVar("SentT")


def predict(call: Call) -> Answer:
    """POST models/{model_id}/_predict and POST _predict/{algorithm}/{model_id}."""
    cluster, model = call.cluster, _asked(call.cluster, call.parameters["model_id"])
    algorithm = call.parameters.get("algorithm", model.algorithm).upper()
    if model.algorithm in ALGORITHMS:
        given = _read(call, model, algorithm, training.read)
        access.require_prediction(call, model)
        with cluster.monitor.prediction(model):
            return Answer(training.predict(cluster, model, given))
    if model.algorithm == "REMOTE":
        sent = _read(call, model, algorithm, lambda fields: _remote_input(fields, algorithm, cluster.rules))
        access.require_prediction(call, model)
        return Answer(_predict_remotely(call, model, sent))
    fields = _read(call, model, algorithm, lambda fields: _local_input(fields, algorithm, cluster.rules))
    access.require_prediction(call, model)
    _require_enabled(cluster, model)
    _require_ready(call, model)
    take_token(cluster, model)
    take_token_of_user(call, model)
    cluster.let_others_in()
    cluster.lifecycle.use(model)
    with cluster.monitor.prediction(model):
        _require_memory(cluster)
        return Answer(_predict_locally(cluster, model, fields, algorithm))


def batch_predict(call: Call) -> Answer:
    """POST models/{model_id}/_batch_predict: a job at the remote endpoint, followed by a task."""
    cluster, model = call.cluster, find(call.cluster, call.parameters["model_id"])
    if model.algorithm != "REMOTE":
        _read(
            call, model, model.algorithm, lambda fields: _local_input(fields, model.algorithm, cluster.rules)
        )
        raise illegal_argument(
            f"Batch predict needs a model that is hosted elsewhere: expected function_name remote, got "
            f"{model.algorithm}"
        )
    sent = _read(call, model, "REMOTE", lambda fields: remote_models.read_parameters(fields, "BATCH_PREDICT"))
    access.require_prediction(call, model)
    result = _predict_remotely(call, model, sent)["inference_results"][0]
    now = cluster.now_ms()
    task = Task(
        BATCH_PREDICTION,
        model.algorithm,
        TaskState.RUNNING,
        (cluster.local_node_id,),
        now,
        now,
        model_id=model.id,
        input_type="REMOTE",
        remote_job=result["output"][0].get("dataAsMap"),
        due=cluster.clock.now() + BATCH_SECONDS,
    )
    task_id = cluster.ids.document()
    cluster.store.tasks.put(task_id, task)
    return Answer({"task_id": task_id, "status": "CREATED"})


def form(call: Call) -> None:
    """Look at what a node looks at before it asks whether the caller may predict. Raises ApiError."""
    model_id = call.parameters["model_id"]
    model = call.cluster.lifecycle.remnants.serving(model_id) or find(call.cluster, model_id)
    _read(call, model, call.parameters.get("algorithm", model.algorithm).upper(), lambda fields: fields)


def _asked(cluster: Cluster, model_id: str) -> Model:
    """The model, or one that was deleted and still answers. Raises ApiError 404."""
    remnants = cluster.lifecycle.remnants
    if (kept := remnants.serving(model_id)) is not None:
        return kept
    if model_id in remnants.models:
        remnants.models[model_id].requests += 1
    return find(cluster, model_id)


def _read(call: Call, model: Model, algorithm: str, reader: Callable[[Fields], SentT]) -> SentT:
    """What was sent.

    A node that does not have the model in its cache reads the body only once it has found the model, and may
    answer whatever goes wrong from then on as not found.
    """
    try:
        require_function_allowed(model.algorithm, call.cluster)
        return _input(call, algorithm, reader)
    except ApiError as error:
        status = call.cluster.rules.uncached_predict_fault_status
        if status is None or _is_cached(call.cluster, model):
            raise
        raise ApiError(status, error.type, error.reason, error.extra, error.caused_by) from None


def _input(call: Call, algorithm: str, reader: Callable[[Fields], SentT]) -> SentT:
    """What the body says, in the form of an algorithm's input.

    An older node loses what goes wrong behind the body's first bracket, but for input that is data.
    """
    document = call.document
    if document.empty:
        raise parse_error("request body is required")
    fault = document.fault
    if fault is not None and not document.text.lstrip().startswith("{"):
        raise fault
    fields = Fields(document, (), {}) if fault is not None else call.fields()
    require_function(algorithm)
    if call.cluster.rules.listed_parameters_fail and _lists_parameters(fields, algorithm):
        raise null_pointer(_SET_ALGORITHM, "mlInput")
    try:
        if fault is not None:
            raise fault
        return reader(fields)
    except ApiError as error:
        rules = call.cluster.rules
        is_misread = fault is None and rules.misread_texts_fail and algorithm in _SPARSE_FUNCTIONS
        is_lost = is_misread or (rules.malformed_predict_fails and algorithm not in _DATA_FUNCTIONS)
        if error.type in _TOLD or not is_lost:
            raise
        raise null_pointer(_SET_ALGORITHM, "mlInput") from None


def _lists_parameters(fields: Fields, algorithm: str) -> bool:
    """Whether the parameters of a model hosted elsewhere are a list: a node expects members."""
    return algorithm == "REMOTE" and isinstance(fields.get("parameters"), list)


def _remote_input(fields: Fields, algorithm: str, rules: Rules) -> RemoteInput:
    if algorithm == "REMOTE":
        return remote_models.read_parameters(fields, "PREDICT")
    _local_input(fields, algorithm, rules)
    if algorithm not in _EMBEDDING_FUNCTIONS:
        raise illegal_argument("pre_process_function not defined in connector")
    return RemoteInput(docs=tuple(fields.texts("text_docs") or ()), body=fields.values)


def _local_input(fields: Fields, algorithm: str, rules: Rules) -> Fields:
    """Hold a body to the form that an algorithm's input has."""
    if "parameters" in fields and algorithm in _SPARSE_FUNCTIONS and not rules.texts_take_parameters:
        line, column = fields.document.place((*fields.path, "parameters"))
        reason = f"[{line}:{column}] unknown field [{algorithm}]"
        raise ApiError(400, "named_object_not_found_exception", reason)
    if algorithm in (*_EMBEDDING_FUNCTIONS, "TEXT_SIMILARITY"):
        fields.texts_or_nulls("text_docs")
    if algorithm in _DATA_FUNCTIONS and not {"input_data", "input_query"} & set(fields.values):
        raise validation_error(["input data can't be null"])
    takes_texts = algorithm in (*_EMBEDDING_FUNCTIONS, "TEXT_SIMILARITY")
    if takes_texts and rules.empty_texts_refused and not fields.get("text_docs"):
        raise illegal_argument("Empty text docs")
    return fields


def _predict_remotely(call: Call, model: Model, sent: RemoteInput) -> JsonObject:
    """Ask a model that is hosted elsewhere; one that is not in memory yet is not held to its interface."""
    cluster = call.cluster
    connector_access.require_use(call, model)
    rules, schemas = cluster.rules, model.interface or {}
    _require_enabled(cluster, model)
    if rules.interface_checked and _is_cached(cluster, model) and interface.is_schema(schemas.get("input")):
        given = remote_models.instance(sent, schemas["input"], rules)
        interface.check("input", schemas["input"], given, rules)
    _require_ready(call, model)
    cluster.lifecycle.use(model)
    with cluster.monitor.prediction(model, sent.action):
        take_token_of_user(call, model)
        answer = {"inference_results": remote_models.invoke(cluster, model, sent)}
        if rules.interface_checked and interface.is_schema(schemas.get("output")):
            interface.check("output", schemas["output"], answer, rules)
        return answer


def _predict_locally(cluster: Cluster, model: Model, fields: Fields, algorithm: str) -> Any:
    """What a model on the nodes answers, or a stub in its place: the whole answer, or a refusal."""
    reply = cluster.endpoint.stubbed(remote_models.asked(cluster, model, fields.values))
    if reply is None:
        local_models.require_own_input(model, fields, algorithm)
        return local_models.predict(model, fields, cluster.rules)
    if not 200 <= reply.status < 300:
        raise status_error(reply.status, reply.body)
    return reply.value


def _is_cached(cluster: Cluster, model: Model) -> bool:
    """Whether the node that clients talk to knows that the model is in memory."""
    return model.in_memory and not cluster.lifecycle.sync_up.is_forgotten(model)


def _require_enabled(cluster: Cluster, model: Model) -> None:
    """Raises ApiError 403 for a disabled model, as far as the node has noticed that it is."""
    rules, first_use = cluster.rules, not model.in_memory and not model.met_by_predict
    model.met_by_predict = True
    if first_use and not rules.disabled_is_noticed_at_first_use:
        return
    unnoticed, model.is_disabled_unnoticed = model.is_disabled_unnoticed, False
    if unnoticed:
        return
    if model.is_enabled is False and rules.disabled_refuses_predict:
        raise status_error(403, "Model is disabled.")


def _require_memory(cluster: Cluster) -> None:
    """Raises ApiError 429 where no task of a local model may run for want of memory."""
    if (short := cluster.lifecycle.limits.memory_refusal()) is not None:
        told = {"bytes_wanted": 0, "bytes_limit": 0, "durability": "TRANSIENT"}
        raise ApiError(429, "circuit_breaking_exception", short, told)


def _require_ready(call: Call, model: Model) -> None:
    """In memory; what is not deployed is deployed on the way where the setting allows it."""
    cluster, rules, lifecycle = call.cluster, call.cluster.rules, call.cluster.lifecycle
    asked = cluster.all_nodes[call.node - 1].id
    if call.node > 1 and not rules.every_node_serves:
        raise illegal_argument("Model not ready yet. Please deploy the model first.")
    if call.node > 1 and not rules.undeploy_reaches_other_nodes and model.was_deployed:
        return
    is_partly_there = model.file is not None and model.state is ModelState.PARTIALLY_DEPLOYED
    if is_partly_there and not rules.partly_deployed_serves:
        raise illegal_argument("Model not ready yet. Please deploy the model first.")
    if _is_cached(cluster, model):
        if asked not in model.memory_nodes:
            lifecycle.sync_up.ask(model, asked)
        return
    may_deploy = rules.auto_deploy and model.algorithm == "REMOTE"
    if may_deploy and (cluster.settings.on(AUTO_DEPLOY) or not rules.auto_deploy_can_be_disabled):
        if not model.may_deploy_itself:
            reason = "Auto deployment disabled for this model, please deploy model first"
            raise illegal_argument(f"{reason} Model ID: {model.id}")
        lifecycle.auto_deploy(model)
        cluster.monitor.count(model, "deploy")
        if lifecycle.lacks_connector(model):
            raise status_error(404, f"Failed to find connector:{model.connector_id}")
    if not lifecycle.serves(model):
        lifecycle.sync_up.ask(model, asked)
        raise illegal_argument("Model not ready yet. Please deploy the model first.")
