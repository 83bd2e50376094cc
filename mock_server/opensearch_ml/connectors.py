"""Connectors: create, get, update, delete, search."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from mock_server.opensearch_ml import conflicts, search
from mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mock_server.opensearch_ml.errors import ApiError, illegal_argument, status_error
from mock_server.opensearch_ml.fields import Fields, read_in_order, text_of, text_reader
from mock_server.opensearch_ml.settings import PRIVATE_IP, REMOTE_INFERENCE, TRUSTED_ENDPOINTS
from mock_server.opensearch_ml.store import Connector, JsonObject, Model

PROTOCOLS = ("http", "aws_sigv4")
ACTION_TYPES = ("PREDICT", "EXECUTE", "BATCH_PREDICT", "CANCEL_BATCH_PREDICT", "BATCH_PREDICT_STATUS")
_TEXTS = ("name", "version", "description", "protocol")
_ACTION_TEXTS = ("method", "url", "request_body", "pre_process_function", "post_process_function")


def create(call: Call) -> Answer:
    """POST connectors/_create."""
    if call.document.empty:
        reason = "Create Connector request has empty body"
        raise ApiError(call.cluster.rules.empty_connector_status, "i_o_exception", reason)
    require_remote_inference(call.cluster)
    connector = read_connector(call.fields(), call.cluster)
    connector.created = connector.updated = call.cluster.now_ms()
    connector_id = call.cluster.ids.document()
    call.cluster.store.connectors.put(connector_id, connector)
    return Answer({"connector_id": connector_id})


def get(call: Call) -> Answer:
    """GET connectors/{connector_id}."""
    return Answer(view(_find(call)))


def update(call: Call) -> Answer:
    """PUT connectors/{connector_id}: refused while a deployed model uses the connector."""
    connector_id, connector = call.parameters["connector_id"], _find(call)
    deployed = [model.id for model in _users(call.cluster, connector_id) if model.in_memory]
    if deployed and call.cluster.rules.deployed_connector_is_kept:
        raise status_error(400, _in_use(deployed, "undeploy"))
    call.cluster.let_others_in()
    index, rules = call.cluster.store.connectors, call.cluster.rules
    conflicts.begin_update(call.cluster, index, connector_id)
    merge(connector, call.fields(), call.cluster)
    connector.updated = call.cluster.now_ms()
    return Answer(index.put(connector_id, connector, forced_refresh=rules.update_forces_refresh).answer())


def delete(call: Call) -> Answer:
    """DELETE connectors/{connector_id}: refused while any model names the connector."""
    connector_id = call.parameters["connector_id"]
    users = [model.id for model in _users(call.cluster, connector_id)]
    if users:
        raise status_error(409, _in_use(users, "delete or update"))
    call.cluster.let_others_in()
    return Answer(call.cluster.store.connectors.delete(connector_id).answer())


def find_all(call: Call) -> Answer:
    """GET or POST connectors/_search."""
    connectors = call.cluster.store.connectors
    return search.answer(call, connectors, lambda _id, connector: view(connector))


def view(connector: Connector) -> JsonObject:
    """A connector as the API shows it: without its credential; one inside a model has no times."""
    texts = {name: getattr(connector, name) for name in _TEXTS if getattr(connector, name) is not None}
    shown: JsonObject = {**texts, "parameters": connector.parameters, "actions": connector.actions}
    if connector.created:
        shown |= {"created_time": connector.created, "last_updated_time": connector.updated}
    return shown


def require_remote_inference(cluster: Cluster) -> None:
    """Raises ApiError where the setting turns externally hosted models off."""
    if not cluster.settings.on(REMOTE_INFERENCE):
        reason = (
            "Remote Inference is currently disabled. To enable it, update the setting "
            f'"{REMOTE_INFERENCE}" to true.'
        )
        raise ApiError(cluster.rules.remote_inference_off_status, "illegal_state_exception", reason)


def read_connector(fields: Fields, cluster: Cluster) -> Connector:
    """A whole connector from a body. Raises ApiError 400 for what is missing or not allowed."""
    read_in_order(fields, _READERS)
    texts = {name: fields.text(name) for name in _TEXTS}
    connector = Connector(
        texts["name"],
        texts["version"],
        texts["description"],
        texts["protocol"],
        _texts(fields, "parameters"),
        _texts(fields, "credential"),
        actions=[],
    )
    actions = _actions(fields)
    for name in ("name", "version", "protocol"):
        if texts[name] is None:
            raise illegal_argument(f"Connector {name} is null")
    if texts["protocol"] not in PROTOCOLS:
        raise illegal_argument(f"Can't find class for type {texts['protocol']}")
    if not connector.credential:
        raise illegal_argument("Connector credential is null or empty list")
    if actions is None:
        raise illegal_argument("No actions configured for this connector")
    connector.actions = actions
    _require_trusted(connector, cluster)
    return connector


def merge(connector: Connector, fields: Fields, cluster: Cluster) -> None:
    """Put the fields that were sent into a connector; parameters are merged, the rest is replaced."""
    read_in_order(fields, _READERS)
    texts = {name: fields.text(name) for name in _TEXTS}
    actions = _actions(fields)
    protocol = texts["protocol"]
    if protocol is not None and protocol not in PROTOCOLS:
        raise illegal_argument(f"Can't find class for type {protocol}")
    changed = dataclasses.replace(
        connector,
        parameters={**connector.parameters, **_texts(fields, "parameters")},
        credential={**connector.credential, **_texts(fields, "credential")},
        actions=connector.actions if actions is None else actions,
    )
    for name, text in texts.items():
        if text is not None:
            setattr(changed, name, text)
    _require_trusted(changed, cluster)
    for name in (*_TEXTS, "parameters", "credential", "actions"):
        setattr(connector, name, getattr(changed, name))


def _find(call: Call) -> Connector:
    connector_id = call.parameters["connector_id"]
    connector = call.cluster.store.connectors.get(connector_id)
    if connector is None:
        raise status_error(404, f"Failed to find connector with the provided connector id: {connector_id}")
    return connector


def _users(cluster: Cluster, connector_id: str) -> list[Model]:
    models = cluster.store.models
    return [model for key in models.where("connector_id", connector_id) if (model := models.get(key))]


def _in_use(model_ids: list[str], remedy: str) -> str:
    return (
        f"{len(model_ids)} models are still using this connector, "
        f"please {remedy} the models first: [{', '.join(model_ids)}]"
    )


def _texts(fields: Fields, name: str) -> JsonObject:
    value = fields.get(name)
    return dict(value) if isinstance(value, dict) else {}


def _actions(fields: Fields) -> list[JsonObject] | None:
    items = fields.items("actions")
    if items is None:
        return None
    return [
        _action(
            Fields(fields.document, (*fields.path, "actions", index), item if isinstance(item, dict) else {})
        )
        for index, item in enumerate(items)
    ]


def _action(fields: Fields) -> JsonObject:
    kind = (fields.text("action_type") or "").upper()
    if kind not in ACTION_TYPES:
        enum = "org.opensearch.ml.common.connector.ConnectorAction.ActionType"
        raise illegal_argument(f"No enum constant {enum}.{kind}" if kind else "action type can't be null")
    texts = {name: fields.text(name) for name in _ACTION_TEXTS}
    for name in ("url", "method"):
        if texts[name] is None:
            raise illegal_argument(f"{name} can't be null")
    headers = fields.get("headers")
    action: dict[str, Any] = {"action_type": kind, "method": texts.pop("method"), "url": texts.pop("url")}
    if isinstance(headers, dict):
        action["headers"] = {key: text_of(value) for key, value in headers.items()}
    return action | {name: text for name, text in texts.items() if text is not None}


_READERS = {**{name: text_reader(name) for name in _TEXTS}, "actions": _actions}


def _require_trusted(connector: Connector, cluster: Cluster) -> None:
    patterns = cluster.settings.texts(TRUSTED_ENDPOINTS)
    for action in connector.actions:
        url = fill(action["url"], connector.parameters)
        if not any(re.fullmatch(pattern, url) for pattern in patterns):
            reason = "Connector URL is not matching the trusted connector endpoint regex, URL is: "
            raise illegal_argument(reason + url)
        if not cluster.settings.on(PRIVATE_IP) and _is_private(url):
            raise illegal_argument(f"Remote inference host name has private ip address: {url}")


def _is_private(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_private
    except ValueError:
        return False


def fill(template: str, parameters: JsonObject) -> str:
    """Put parameters into the `${parameters.name}` places of a template; unknown places stay."""

    def value(match: re.Match[str]) -> str:
        return text_of(parameters[match[1]]) if match[1] in parameters else match[0]

    return re.sub(r"\$\{parameters\.([^}]+)\}", value, template)
