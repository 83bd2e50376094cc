"""What the bodies of connectors may hold: read as the node's parser streams it, the first fault first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlconform.mock_server.opensearch_ml.bodies.fields import Fields, flag_reader, read_in_order, text_reader
from mlconform.mock_server.opensearch_ml.errors import illegal_argument
from mlconform.mock_server.opensearch_ml.prediction.gson import kept_text
from mlconform.mock_server.opensearch_ml.security import access_modes
from mlconform.mock_server.opensearch_ml.store import JsonObject

ACTION_TYPES = ("PREDICT", "EXECUTE", "BATCH_PREDICT", "CANCEL_BATCH_PREDICT", "BATCH_PREDICT_STATUS")
TEXTS = ("name", "version", "description", "protocol")

_NUMBERS = {
    "max_connection": 30,
    "connection_timeout": 1000,
    "read_timeout": 10,
    "retry_backoff_millis": 200,
    "retry_timeout_seconds": 30,
    "max_retry_times": 0,
}
_BACKOFFS = ("CONSTANT", "EXPONENTIAL_EQUAL_JITTER", "EXPONENTIAL_FULL_JITTER")


def read_body(fields: Fields) -> dict[str, Any]:
    """The members that were sent, by name. Raises ApiError 400 for the first that can't be read."""
    return read_in_order(fields, _READERS)


def _parameters(fields: Fields) -> JsonObject:
    value = fields.get("parameters")
    members = value if isinstance(value, dict) else {}
    return {name: kept_text(member) for name, member in members.items()}


def _actions(fields: Fields) -> list[JsonObject]:
    return [_action(item) for item in fields.objects("actions") or ()]


def _action(fields: Fields) -> JsonObject:
    read = read_in_order(fields, _ACTION_READERS)
    if "action_type" not in read:
        raise illegal_argument("action type can't be null")
    for name in ("url", "method"):
        if name not in read:
            raise illegal_argument(f"{name} can't be null")
    return {name: read[name] for name in _ACTION_READERS if name in read}


def _action_type(fields: Fields) -> str:
    kind = (fields.text("action_type") or "").upper()
    if kind not in ACTION_TYPES:
        enum = "org.opensearch.ml.common.connector.ConnectorAction.ActionType"
        raise illegal_argument(f"No enum constant {enum}.{kind}")
    return kind


def _client_config(fields: Fields) -> JsonObject | None:
    config = fields.object("client_config")
    if config is None:
        return None
    read = read_in_order(config, _CONFIG_READERS)
    return {**_NUMBERS, "retry_backoff_policy": "constant", "skip_ssl_verification": False, **read}


def _number_reader(name: str) -> Callable[[Fields], Any]:
    return lambda fields: fields.integer(name)


def _backoff(fields: Fields) -> str:
    policy = (fields.text("retry_backoff_policy") or "").upper()
    if policy not in _BACKOFFS:
        raise illegal_argument("Unsupported retry backoff policy")
    return policy.lower()


_ACTION_READERS = {
    "action_type": _action_type,
    "method": text_reader("method"),
    "url": text_reader("url"),
    "headers": lambda fields: fields.texts_by_name("headers"),
    "request_body": text_reader("request_body"),
    "pre_process_function": text_reader("pre_process_function"),
    "post_process_function": text_reader("post_process_function"),
}
_CONFIG_READERS = {
    **{name: _number_reader(name) for name in _NUMBERS},
    "retry_backoff_policy": _backoff,
    "skip_ssl_verification": flag_reader("skip_ssl_verification"),
}
_READERS = {
    **{name: text_reader(name) for name in TEXTS},
    "parameters": _parameters,
    "credential": lambda fields: fields.texts_by_name("credential"),
    "actions": _actions,
    "backend_roles": lambda fields: fields.texts("backend_roles"),
    "add_all_backend_roles": flag_reader("add_all_backend_roles"),
    "access_mode": access_modes.mode,
    "dry_run": flag_reader("dry_run"),
    "client_config": _client_config,
}
