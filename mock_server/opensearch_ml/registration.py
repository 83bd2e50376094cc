"""The registration of models: reading and checking what is sent, and the version that it becomes."""

from __future__ import annotations

from collections.abc import Callable

from mlconform.mock_server.opensearch_ml import connectors, model_groups
from mlconform.mock_server.opensearch_ml.bodies.checked_texts import check_texts
from mlconform.mock_server.opensearch_ml.bodies.fields import (
    BodyParser,
    Fields,
    flag_of,
    flag_reader,
    read_in_order,
    text_reader,
)
from mlconform.mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mlconform.mock_server.opensearch_ml.eligibility import no_node
from mlconform.mock_server.opensearch_ml.errors import (
    ApiError,
    illegal_argument,
    node_error,
    null_pointer,
    parse_error,
    status_error,
)
from mlconform.mock_server.opensearch_ml.functions import LOCAL_FUNCTIONS, require_function
from mlconform.mock_server.opensearch_ml.model_config import form_of, read_model_config
from mlconform.mock_server.opensearch_ml.opensearch_core.settings import (
    LOCAL_MODELS,
    TRUSTED_URLS,
    VIA_URL,
    pattern_of,
)
from mlconform.mock_server.opensearch_ml.prediction.guardrails import read_guardrails
from mlconform.mock_server.opensearch_ml.prediction.interface import read_interface
from mlconform.mock_server.opensearch_ml.prediction.local_models import (
    default_config,
    is_pretrained,
    local_file,
    pretrained_function,
)
from mlconform.mock_server.opensearch_ml.prediction.rate_limit import read_rate_limiter
from mlconform.mock_server.opensearch_ml.rules import Rules
from mlconform.mock_server.opensearch_ml.security import access, access_modes
from mlconform.mock_server.opensearch_ml.store import (
    JsonObject,
    Model,
    ModelGroup,
    ModelState,
    Task,
    TaskState,
)

NEED_NO_CONFIG = ("SPARSE_ENCODING", "SPARSE_TOKENIZE")
MODEL_FORMATS = ("TORCH_SCRIPT", "ONNX")
_NOT_PRETRAINED = "This model is not in the pre-trained model list, please check your parameters."


def register(call: Call) -> Answer:
    """POST models/_register; with `deploy=true` the model is deployed as soon as it is registered."""
    told = "true" if call.cluster.rules.registrations_deploy else "false"
    deploy = flag_of(call.query.get("deploy", told) or "true")
    if call.document.empty:
        raise parse_error("request body is required")
    cluster, fields = call.cluster, call.fields()
    model = _read(fields, cluster)
    if model.file is not None:
        _require_node(cluster, model)
        if not _knows_group(fields, cluster):
            return _begun(call, fields, model, deploy=False, failure="Model group not found")
    model.group_id = group_of(call, fields, model)
    cluster.monitor.count(model, "register")
    if model.file is not None:
        has_file = "url" in fields or is_pretrained(model.name)
        failure = None if has_file and model.algorithm in LOCAL_FUNCTIONS else _NOT_PRETRAINED
        try:
            model.version = model_groups.next_version(cluster, model.group_id, cluster.now_ms())
        except ApiError as error:
            failure = error.root_reason
        return _begun(call, fields, model, deploy=deploy, failure=failure)
    # One write after the other, a millisecond each: group, task, version of the group, model, task.
    now = cluster.now_ms()
    task = Task(
        "REGISTER_MODEL", model.algorithm, TaskState.CREATED, (cluster.local_node_id,), now + 1, now + 1
    )
    task_id = cluster.ids.document()
    cluster.store.tasks.put(task_id, task)
    try:
        model.version = model_groups.next_version(cluster, model.group_id, now + 2)
    except ApiError as error:
        task.state, task.updated, task.error = TaskState.FAILED, now + 2, error.root_reason
        cluster.store.tasks.touch(task_id)
        raise
    model.created = model.updated = now + 3
    cluster.store.models.put(model.id, model)
    cluster.lifecycle.copies.before_change(task_id, task, cluster.clock.now())
    task.state, task.updated, task.model_id = TaskState.COMPLETED, now + 4, model.id
    cluster.store.tasks.touch(task_id)
    if deploy:
        cluster.monitor.count(model, "deploy", cluster.node_ids)
        cluster.lifecycle.deploy(model, None)
    return Answer({"task_id": task_id, "status": "CREATED", "model_id": model.id})


def _require_node(cluster: Cluster, model: Model) -> None:
    if not cluster.eligible(model):
        raise no_node(cluster.rules)


def _knows_group(fields: Fields, cluster: Cluster) -> bool:
    named = fields.text("model_group_id")
    return not named or named in cluster.store.groups


def _begun(call: Call, fields: Fields, model: Model, *, deploy: bool, failure: str | None) -> Answer:
    """The registration of a local model goes on after it was answered."""
    task_id = call.cluster.lifecycle.registrations.begin(
        model,
        url=fields.text("url"),
        content_hash=fields.text("model_content_hash_value"),
        deploy=deploy,
        failure=failure,
    )
    return Answer({"task_id": task_id, "status": "CREATED"})


def form(call: Call) -> None:
    """Read a body as a node does before it asks whether the caller may. Raises ApiError 400."""
    read_members(call.fields(), call.cluster)


def model_readers(rules: Rules, parser: BodyParser) -> dict[str, Callable[[Fields], object]]:
    """How each member of a model's body is read, for a register and for an update."""

    def nested(name: str, read: Callable[[Fields], object]) -> Callable[[Fields], object]:
        return lambda fields: None if (value := fields.object(name)) is None else read(value)

    return {
        **{name: text_reader(name) for name in ("name", "description", "connector_id", "model_group_id")},
        "is_enabled": flag_reader("is_enabled"),
        "rate_limiter": nested("rate_limiter", lambda limiter: read_rate_limiter(limiter, rules)),
        "guardrails": nested("guardrails", lambda guardrails: read_guardrails(guardrails, None)),
        "interface": lambda fields: read_interface(fields, None, rules, parser),
        "deploy_setting": read_deploy_setting,
    }


def _read_function(fields: Fields) -> str:
    return require_function(fields.text("function_name") or "TEXT_EMBEDDING")


def _read_format(fields: Fields) -> str | None:
    model_format = fields.text("model_format")
    if model_format is not None and model_format.upper() not in MODEL_FORMATS:
        raise illegal_argument("Wrong model format")
    return model_format


def _read_config(fields: Fields, rules: Rules) -> JsonObject | None:
    names = list(fields.values)
    told = "function_name" in names and names.index("function_name") < names.index("model_config")
    return read_model_config(fields, form_of(_read_function(fields) if told else None, rules), rules)


_REGISTER_READERS: dict[str, Callable[[Fields], object]] = {
    **{name: text_reader(name) for name in ("version", "url", "model_content_hash_value")},
    **{name: flag_reader(name) for name in ("is_hidden", "does_version_create_model_group")},
    "model_node_ids": lambda fields: fields.texts("model_node_ids"),
    "function_name": _read_function,
    "model_format": _read_format,
}


def read_members(fields: Fields, cluster: Cluster) -> Model:
    """The model that a body describes, without its connector or file; the first bad member is refused."""
    rules = cluster.rules
    readers = {
        **model_readers(rules, BodyParser.REGISTER),
        **_REGISTER_READERS,
        **access_modes.readers(lowered=False),
        "connector": lambda fields: fields.mapping("connector"),
        "model_config": lambda fields: _read_config(fields, rules),
    }
    read_in_order(fields, readers)
    name = fields.text("name")
    limiter, guardrails = fields.object("rate_limiter"), fields.object("guardrails")
    if name is None:
        raise illegal_argument("model name is null")
    if guardrails is not None and guardrails.text("type") == "model" and not rules.models_can_be_guardrails:
        raise illegal_argument("The type of guardrails is unknown.")
    return Model(
        id=cluster.ids.document(),
        name=name,
        algorithm=_read_function(fields),
        version="",
        state=ModelState.REGISTERED,
        description=fields.text("description"),
        is_enabled=fields.flag("is_enabled") if rules.register_keeps_is_enabled else None,
        rate_limiter=None if limiter is None else read_rate_limiter(limiter, rules),
        interface=read_interface(fields, None, rules, BodyParser.REGISTER),
        guardrails=None if guardrails is None else read_guardrails(guardrails, None),
        deploy_setting=read_deploy_setting(fields),
        model_config=_read_config(fields, rules) if "model_config" in fields else None,
    )


def _read(fields: Fields, cluster: Cluster) -> Model:
    model = read_members(fields, cluster)
    function = model.algorithm
    if function != "REMOTE":
        _require_file(model, fields, cluster.rules)
    require_function_allowed(function, cluster)
    texts = (("Model description", model.description), ("Model name", model.name))
    check_texts(cluster.rules, texts, required="Model name")
    _require_url_allowed(function, fields.text("url"), cluster)
    if function == "REMOTE":
        _read_connector(model, fields, cluster)
    else:
        _read_file(model, fields)
    return model


def _read_connector(model: Model, fields: Fields, cluster: Cluster) -> None:
    """A connector that is named is looked up only for the sake of an interface that was not sent."""
    connector_id = fields.text("connector_id") or ""
    if connector_id.strip():
        if "interface" not in fields and connector_id not in cluster.store.connectors:
            raise status_error(404, f"Failed to find connector:{connector_id}")
        model.connector_id = connector_id
        return
    connector = fields.mapping("connector")
    if connector is None:
        raise illegal_argument(connectors.NO_CONTENT)
    model.connector = connectors.read_connector(connector, cluster)
    if connector.get("credential") is None:
        raise null_pointer("java.util.Map.keySet()", "this.credential")


def _require_file(model: Model, fields: Fields, rules: Rules) -> None:
    if "model_format" not in fields:
        raise illegal_argument("model format is null")
    if "url" not in fields:
        return
    if rules.local_version_is_needed and "version" not in fields:
        raise illegal_argument("model version is null")
    if rules.config_is_needed and model.model_config is None and model.algorithm not in NEED_NO_CONFIG:
        raise illegal_argument("model config is null")


def _read_file(model: Model, fields: Fields) -> None:
    model_format, version = fields.text("model_format") or "", fields.text("version") or ""
    if "url" not in fields and is_pretrained(model.name):
        model.algorithm = pretrained_function(model.name, model.algorithm)
    model.file = local_file(model.name, version, model_format, fields.text("model_content_hash_value"))
    if model.model_config is None and model.algorithm == "TEXT_EMBEDDING":
        model.model_config = default_config(model.name)


def require_function_allowed(function: str, cluster: Cluster) -> None:
    """Raises ApiError where the settings turn models of this function off."""
    if function == "REMOTE":
        connectors.require_remote_inference(cluster)
    elif cluster.rules.local_models_can_be_disabled and _is_disabled(function, cluster):
        raise node_error(
            "illegal_state_exception",
            f'Local Model is currently disabled. To enable it, update the setting "{LOCAL_MODELS}" to true.',
        )


def _is_disabled(function: str, cluster: Cluster) -> bool:
    return function in LOCAL_FUNCTIONS and not cluster.settings.on(LOCAL_MODELS)


def _require_url_allowed(function: str, url: str | None, cluster: Cluster) -> None:
    if url is None:
        return
    needs_setting = function != "METRICS_CORRELATION" and cluster.rules.via_url_needs_setting
    if needs_setting and not cluster.settings.on(VIA_URL):
        raise illegal_argument(
            "To upload custom model user needs to enable allow_registering_model_via_url settings. "
            "Otherwise please use OpenSearch pre-trained models."
        )
    is_trusted = pattern_of(str(cluster.settings.value(TRUSTED_URLS))).search(url)
    if cluster.rules.urls_are_trusted_by_setting and not is_trusted:
        raise illegal_argument("URL can't match trusted url regex")


def group_of(call: Call, fields: Fields, model: Model) -> str:
    """The group that is named, or that has the model's name, or is made now. Raises ApiError."""
    cluster, group_id = call.cluster, fields.text("model_group_id")
    if not group_id:
        named = model_groups.named(cluster, model.name)
        if named is None:
            return _new_group(call, fields, model)
        if cluster.rules.group_found_by_name_is_controlled:
            access.require_new_version(call, named)
        return named
    access.require_new_version(call, group_id)
    group = cluster.store.groups.get(group_id)
    if group is not None and call.caller is not None and not cluster.rules.owner_stays:
        group.owner = access.owner_of(call.caller)
    if group is None:
        reason = f"Model Group Response is empty for {group_id}"
        raise ApiError(
            cluster.rules.unknown_group_register_status, "m_l_resource_not_found_exception", reason
        )
    return group_id


def _new_group(call: Call, fields: Fields, model: Model) -> str:
    sent = access_modes.read(fields, lowered=False)
    if call.cluster.rules.registered_group_is_controlled:
        return model_groups.create(call, model.name, model.description, sent)
    access_modes.refuse(sent)
    now = call.cluster.now_ms()
    return model_groups.put(call.cluster, ModelGroup(model.name, model.description, now, now))


def read_deploy_setting(fields: Fields) -> JsonObject | None:
    """`deploy_setting`: its TTL is in minutes, and -1 where none is sent."""
    setting = fields.object("deploy_setting")
    if setting is None:
        return None
    read_in_order(setting, _SETTING_READERS)
    automatic, ttl = setting.flag("is_auto_deploy_enabled"), setting.whole("model_ttl_minutes")
    shown = {} if automatic is None else {"is_auto_deploy_enabled": automatic}
    return {**shown, "model_ttl_minutes": -1 if ttl is None else ttl}


_SETTING_READERS: dict[str, Callable[[Fields], object]] = {
    "is_auto_deploy_enabled": flag_reader("is_auto_deploy_enabled"),
    "model_ttl_minutes": lambda setting: setting.whole("model_ttl_minutes"),
}
