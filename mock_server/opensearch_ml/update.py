"""Update of a model: every field is read before any is changed, so a refused update changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mock_server.opensearch_ml import conflicts, connectors, model_groups
from mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mock_server.opensearch_ml.errors import ApiError, null_pointer, parse_error, status_error
from mock_server.opensearch_ml.fields import Fields, read_in_order
from mock_server.opensearch_ml.guardrails import read_guardrails
from mock_server.opensearch_ml.interface import read_interface
from mock_server.opensearch_ml.models import find, model_readers, read_deploy_setting, read_model_config
from mock_server.opensearch_ml.rate_limit import read_rate_limiter
from mock_server.opensearch_ml.rules import Rules
from mock_server.opensearch_ml.store import Model, ModelState, RateLimiter

UPDATABLE_FUNCTIONS = ("REMOTE", "TEXT_EMBEDDING")
Change = Callable[[], None]


def update(call: Call) -> Answer:
    """PUT models/{model_id}: fields that are not sent keep their value; unknown ones are not looked at."""
    if call.document.empty:
        raise parse_error("Update model request has empty body")
    cluster, fields, model_id = call.cluster, call.fields(), call.parameters["model_id"]
    read_in_order(fields, model_readers(cluster.rules))
    reason = f"Failed to find model to update with the provided model id: {model_id}"
    model = find(cluster, model_id, reason)
    if model.state is ModelState.DEPLOYING:
        raise status_error(
            409, f"Model is deploying. Please wait for the model to complete deployment. model ID {model_id}"
        )
    if model.algorithm not in UPDATABLE_FUNCTIONS:
        raise status_error(403, f"The function category {model.algorithm} is not supported at this time.")
    changes = _changes(cluster, model, fields)
    changes += _group_changes(cluster, model, fields)
    cluster.let_others_in()
    conflicts.begin_update(cluster, cluster.store.models, model_id)
    for change in changes:
        change()
    model.change_at(cluster.now_ms())
    model.id_in_document = True
    cluster.lifecycle.sync_up.watch(model)
    write = cluster.store.models.put(model_id, model, forced_refresh=cluster.rules.update_forces_refresh)
    answer = write.answer()
    if not cluster.rules.update_answers_seq_no:
        del answer["_seq_no"]
    return Answer(answer)


def _changes(cluster: Cluster, model: Model, fields: Fields) -> list[Change]:
    """What is to be done, all of it checked."""
    changes: list[Change] = []

    def change(name: str, value: object) -> None:
        if value is not None:
            changes.append(partial(setattr, model, name, value))
            if not cluster.rules.rejected_update_changes_nothing:
                changes[-1]()

    change("name", fields.text("name"))
    change("description", fields.text("description"))
    change("is_enabled", fields.flag("is_enabled"))
    change("model_config", _model_config(model, fields))
    setting = read_deploy_setting(fields)
    change("deploy_setting", setting if cluster.rules.update_stores_ttl else None)
    change("rate_limiter", _rate_limiter(cluster, model, fields))
    guardrails = fields.object("guardrails")
    change("guardrails", None if guardrails is None else read_guardrails(guardrails, model.guardrails))
    change("interface", read_interface(fields, model.interface, cluster.rules))
    changes.extend(_connector_changes(cluster, model, fields))
    _require_group(cluster, _other_group(model, fields))
    if "deploy_setting" not in fields and not cluster.rules.update_keeps_ttl:
        changes.append(partial(setattr, model, "deploy_setting", None))
    if "description" not in fields and not cluster.rules.update_keeps_description:
        changes.append(partial(setattr, model, "description", None))
    return changes


def _model_config(model: Model, fields: Fields) -> object:
    config = read_model_config(fields)
    return None if config is None else {**(model.model_config or {}), **config}


def _rate_limiter(cluster: Cluster, model: Model, fields: Fields) -> RateLimiter | None:
    sent = fields.object("rate_limiter")
    if sent is None:
        return None
    new, old = read_rate_limiter(sent, cluster.rules), model.rate_limiter or RateLimiter()
    return RateLimiter(
        old.limit if new.limit is None else new.limit, old.unit if new.unit is None else new.unit
    )


def _connector_changes(cluster: Cluster, model: Model, fields: Fields) -> list[Change]:
    connector_id, connector = fields.text("connector_id"), fields.object("connector")
    if connector_id is not None:
        if model.connector_id is None:
            raise status_error(
                400, "This remote does not have a connector_id field, maybe it uses an internal connector."
            )
        return [partial(setattr, model, "connector_id", connector_id)]
    if connector is None:
        return []
    if model.connector is None:
        raise _no_connector_inside(cluster.rules)
    return [partial(connectors.merge, model.connector, connector, cluster)]


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


def _other_group(model: Model, fields: Fields) -> str | None:
    group_id = fields.text("model_group_id")
    return None if group_id == model.group_id else group_id


def _require_group(cluster: Cluster, group_id: str | None) -> None:
    if group_id is not None and group_id not in cluster.store.groups:
        raise status_error(
            404,
            "Failed to find the model group with the provided model group id in the update model input, "
            f"MODEL_GROUP_ID: {group_id}",
        )


def _group_changes(cluster: Cluster, model: Model, fields: Fields) -> list[Change]:
    """The move to another group, which has counted one more version already."""
    group_id = _other_group(model, fields)
    if group_id is None:
        return []
    version = model_groups.next_version(cluster, group_id, cluster.now_ms())
    return [partial(setattr, model, "version", version), partial(setattr, model, "group_id", group_id)]
