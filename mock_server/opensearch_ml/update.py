"""Update of a model: every field is read before any is changed, so a refused update changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec.structs import replace

from mlconform.mock_server.opensearch_ml import conflicts, connectors, model_groups
from mlconform.mock_server.opensearch_ml.bodies.checked_texts import check_texts
from mlconform.mock_server.opensearch_ml.bodies.fields import BodyParser, Fields, read_in_order, text_reader
from mlconform.mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mlconform.mock_server.opensearch_ml.connector_bodies import read_body
from mlconform.mock_server.opensearch_ml.errors import (
    ApiError,
    NodeError,
    null_pointer,
    parse_error,
    status_error,
)
from mlconform.mock_server.opensearch_ml.model_config import (
    check_local_text_embedding,
    check_remote_text_embedding,
    form_of,
    merged,
    read_model_config,
)
from mlconform.mock_server.opensearch_ml.models import find
from mlconform.mock_server.opensearch_ml.prediction.guardrails import read_guardrails
from mlconform.mock_server.opensearch_ml.prediction.interface import read_interface
from mlconform.mock_server.opensearch_ml.prediction.rate_limit import merged as merged_limiter
from mlconform.mock_server.opensearch_ml.registration import model_readers
from mlconform.mock_server.opensearch_ml.rules import Rules
from mlconform.mock_server.opensearch_ml.security import access
from mlconform.mock_server.opensearch_ml.store import JsonObject, Model, ModelState

UPDATABLE_FUNCTIONS = ("REMOTE", "TEXT_EMBEDDING")
Change = Callable[[], None]


def update(call: Call) -> Answer:
    """PUT models/{model_id}: fields that are not sent keep their value; unknown ones are not looked at."""
    if call.document.empty:
        raise parse_error("Update model request has empty body")
    cluster, fields, model_id = call.cluster, call.fields(), call.parameters["model_id"]
    sent = _read(fields, cluster.rules)
    check_texts(
        cluster.rules, (("Model Description", sent.get("description")), ("Model Name", sent.get("name")))
    )
    reason = f"Failed to find model to update with the provided model id: {model_id}"
    model = find(cluster, model_id, reason)
    access.require_update(call, model)
    if model.state is ModelState.DEPLOYING:
        raise status_error(
            409, f"Model is deploying. Please wait for the model to complete deployment. model ID {model_id}"
        )
    if cluster.rules.model_config_of_remote_models and "model_config" in sent:
        _check_config(model, sent["model_config"])
    if model.algorithm not in UPDATABLE_FUNCTIONS:
        raise status_error(403, f"The function category {model.algorithm} is not supported at this time.")
    changes = _changes(call, model, fields, sent)
    changes += _group_changes(cluster, model, sent)
    cluster.let_others_in()
    conflicts.begin_update(cluster, cluster.store.models, model_id)
    was_disabled = model.is_enabled is False
    for change in changes:
        change()
    if model.is_enabled is False and not was_disabled and model.in_memory:
        model.is_disabled_unnoticed = cluster.ids.happens(cluster.rules.disabled_is_noticed_late)
    model.change_at(cluster.now_ms())
    model.id_in_document = True
    cluster.lifecycle.sync_up.watch(model)
    write = cluster.store.models.put(model_id, model, forced_refresh=cluster.rules.update_forces_refresh)
    answer = write.answer()
    if not cluster.rules.update_answers_seq_no:
        del answer["_seq_no"]
    return Answer(answer)


def form(call: Call) -> None:
    """Read a body as a node does before it asks whether the caller may. Raises ApiError 400."""
    _read(call.fields(), call.cluster.rules)


def _read(fields: Fields, rules: Rules) -> dict[str, Any]:
    """What was sent, by name. Raises ApiError 400; here the node foresees that a text is none."""
    readers = {
        **model_readers(rules, BodyParser.UPDATE),
        "model_id": text_reader("model_id"),
        "model_config": lambda fields: read_model_config(fields, form_of(None, rules), rules),
        "connector": _read_connector,
    }
    try:
        sent = read_in_order(fields, readers)
    except NodeError as fault:
        raise (parse_error(fault.reason) if fault.type == "illegal_state_exception" else fault) from None
    if "connector_id" in sent and "connector" in sent:
        raise status_error(
            400,
            "Model cannot have both stand-alone connector and internal connector. "
            "Please check your update input body.",
        )
    return sent


def _read_connector(fields: Fields) -> Fields | None:
    connector = fields.object("connector")
    if connector is not None:
        read_body(connector)
    return connector


def _check_config(model: Model, config: JsonObject) -> None:
    """Where a text embedding's configuration is not whole after the update, the refusal has its own type."""
    kind, after = config["model_type"].lower(), merged(model.model_config, config)
    try:
        if model.algorithm == "TEXT_EMBEDDING":
            check_local_text_embedding(after)
        elif model.algorithm == "REMOTE" and kind == "text_embedding":
            check_remote_text_embedding(after)
    except ApiError as error:
        raise status_error(400, error.reason) from None


def _changes(call: Call, model: Model, fields: Fields, sent: dict[str, Any]) -> list[Change]:
    """What is to be done, all of it checked."""
    cluster = call.cluster
    rules, values = cluster.rules, _values(cluster.rules, model, fields, sent)
    changes: list[Change] = [partial(setattr, model, name, value) for name, value in values.items()]
    if not rules.rejected_update_changes_nothing:
        for change in changes:
            change()
    changes.extend(_connector_changes(cluster, model, sent))
    _require_group(call, _other_group(model, sent))
    if "deploy_setting" not in fields and not rules.update_keeps_ttl:
        changes.append(partial(setattr, model, "deploy_setting", None))
    if "description" not in fields and not rules.update_keeps_description:
        changes.append(partial(setattr, model, "description", None))
    return changes


def _values(rules: Rules, model: Model, fields: Fields, sent: dict[str, Any]) -> dict[str, Any]:
    """The members that need nothing but the model, as they are after the update."""
    values: dict[str, Any] = {
        name: sent[name] for name in ("name", "description", "is_enabled") if name in sent
    }
    if "model_config" in sent:
        values["model_config"] = merged(model.model_config, sent["model_config"])
    if "deploy_setting" in sent and rules.update_stores_ttl:
        values["deploy_setting"] = {**(model.deploy_setting or {}), **sent["deploy_setting"]}
    if "rate_limiter" in sent:
        values["rate_limiter"] = merged_limiter(model.rate_limiter, sent["rate_limiter"])
    guardrails = fields.object("guardrails")
    if guardrails is not None:
        values["guardrails"] = read_guardrails(guardrails, model.guardrails)
    if "interface" in sent:
        values["interface"] = read_interface(fields, model.interface, rules, BodyParser.UPDATE)
    return values


def _connector_changes(cluster: Cluster, model: Model, sent: dict[str, Any]) -> list[Change]:
    """An id that is empty names no connector, though the document then says so."""
    connector_id, connector = sent.get("connector_id"), sent.get("connector")
    if model.algorithm != "REMOTE":
        if connector_id or connector is not None:
            raise status_error(400, "Trying to update the connector or connector_id field on a local model.")
        return []
    if connector_id and not model.connector_id:
        raise status_error(
            400, "This remote does not have a connector_id field, maybe it uses an internal connector."
        )
    if connector_id is not None:
        return [partial(setattr, model, "connector_id", connector_id)]
    if connector is None:
        return []
    if model.connector is None:
        raise _no_connector_inside(cluster.rules)
    changed = replace(model.connector)
    connectors.merge(changed, connector, cluster)
    return [partial(setattr, model, "connector", changed)]


def _no_connector_inside(rules: Rules) -> ApiError:
    if rules.foreign_connector_update_fails:
        return null_pointer(
            "org.opensearch.ml.common.connector.Connector.update("
            "org.opensearch.ml.common.transport.connector.MLCreateConnectorInput, "
            "java.util.function.BiFunction)",
            "connector",
        )
    return status_error(
        400,
        "Cannot update connector settings for this model. The model was created with a connector_id and does "
        "not have an inline connector.",
    )


def _other_group(model: Model, sent: dict[str, Any]) -> str | None:
    group_id = sent.get("model_group_id")
    return None if group_id == model.group_id else group_id


def _require_group(call: Call, group_id: str | None) -> None:
    if not group_id:
        return
    access.require_other_group(call, group_id)
    if group_id not in call.cluster.store.groups:
        raise status_error(
            404,
            "Failed to find the model group with the provided model group id in the update model input, "
            f"MODEL_GROUP_ID: {group_id}",
        )


def _group_changes(cluster: Cluster, model: Model, sent: dict[str, Any]) -> list[Change]:
    """The move to another group, which has counted one more version already.

    An id that is empty names no group, though the document then says so.
    """
    group_id = _other_group(model, sent)
    if group_id is None:
        return []
    move = partial(setattr, model, "group_id", group_id)
    if not group_id:
        return [move]
    version = model_groups.next_version(cluster, group_id, cluster.now_ms())
    return [partial(setattr, model, "version", version), move]
