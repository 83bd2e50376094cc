"""Cluster settings: what may be set, what each accepts, and what applies now."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from mlconform.mock_server.opensearch_ml.bodies.fields import flag_of, text_of
from mlconform.mock_server.opensearch_ml.errors import ApiError, illegal_argument
from mlconform.mock_server.opensearch_ml.patterns import PatternError, compiled
from mlconform.mock_server.opensearch_ml.rules import Rules

PREFIX = "plugins.ml_commons."
MONITORED_REQUESTS = f"{PREFIX}monitoring_request_count"
SYNC_INTERVAL = PREFIX + "sync_up_job_interval_in_seconds"
SAFE_DELETE = PREFIX + "safe_delete_model"
CUSTOM_PLAN = PREFIX + "allow_custom_deployment_plan"
AUTO_DEPLOY = PREFIX + "model_auto_deploy.enable"
AUTO_REDEPLOY = PREFIX + "model_auto_redeploy.enable"
REDEPLOY_RETRIES = PREFIX + "model_auto_redeploy.lifetime_retry_times"
TRUSTED_ENDPOINTS = PREFIX + "trusted_connector_endpoints_regex"
PRIVATE_IP = PREFIX + "connector.private_ip_enabled"
REMOTE_INFERENCE = PREFIX + "remote_inference.enabled"
AGENT_FRAMEWORK = PREFIX + "agent_framework_enabled"
VIA_URL = PREFIX + "allow_registering_model_via_url"
VIA_FILE = PREFIX + "allow_registering_model_via_local_file"
TRUSTED_URLS = PREFIX + "trusted_url_regex"
MODEL_ACCESS_CONTROL = PREFIX + "model_access_control_enabled"
CONNECTOR_ACCESS_CONTROL = PREFIX + "connector_access_control_enabled"
LOCAL_MODELS = PREFIX + "local_model.enabled"
MOST_MODELS = PREFIX + "max_model_on_node"
NATIVE_MEMORY = PREFIX + "native_memory_threshold"
HEAP_MEMORY = PREFIX + "jvm_heap_memory_threshold"
MOST_DEPLOYS = PREFIX + "max_deploy_model_tasks_per_node"
MOST_REGISTRATIONS = PREFIX + "max_register_model_tasks_per_node"

ONLY_ML_NODES = PREFIX + "only_run_on_ml_node"
LOCAL_ROLES = PREFIX + "task_dispatcher.eligible_node_role.local_model"

Value = str | list[str]

_SIZE = re.compile(r"-1|0|\d+(\.\d+)?([kmgtp]b?|b)", re.IGNORECASE)
_INTEGER = re.compile(r"[+-]?[0-9]+")
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_LARGEST = 2**31
_URL = "^(https?|ftp|file)://[-a-zA-Z0-9+&@#/%?=~_|!:,.;]*[-a-zA-Z0-9+&@#/%=~_|]"
_NO_URL = "^$"
_STATIC = frozenset({PREFIX + "multi_tenancy_enabled"})


class Setting(Struct, frozen=True):
    """One dynamic setting: its default, as text or as a list of texts, and the check of a new value."""

    key: str
    default: Value
    check: Callable[[str, Any], Value]


def _shown(value: Any) -> str:
    """A value as a setting of one value reads it: a list as Java writes one."""
    return f"[{', '.join(_shown(item) for item in value)}]" if isinstance(value, list) else text_of(value)


def _flag(_key: str, value: Any) -> Value:
    return "true" if flag_of(_shown(value)) else "false"


def _text(_key: str, value: Any) -> Value:
    return _shown(value)


def _texts(_key: str, value: Any) -> Value:
    return [_shown(item) for item in value] if isinstance(value, list) else text_of(value)


def _size(key: str, value: Any) -> Value:
    text = _shown(value)
    if not _SIZE.fullmatch(text):
        told = f"failed to parse setting [{key}] with value [{text}] as a size in bytes"
        raise illegal_argument(f"{told}: unit is missing or unrecognized")
    return text


def _choice(*choices: str) -> Callable[[str, Any], Value]:
    def check(key: str, value: Any) -> Value:
        text = _shown(value)
        if text not in choices:
            raise illegal_argument(
                f"Unknown value [{text}] for setting [{key}], expected one of {list(choices)}"
            )
        return text

    return check


def _number(kind: type[int] | type[float], low: float, high: float) -> Callable[[str, Any], Value]:
    form = _FLOAT if kind is float else _INTEGER

    def check(key: str, value: Any) -> Value:
        text = _shown(value)
        told = f"Failed to parse value [{text}] for setting [{key}]"
        if not form.fullmatch(text) or abs(float(text)) >= _LARGEST:
            cause = {"type": "number_format_exception", "reason": f'For input string: "{text}"'}
            raise illegal_argument(told, caused_by=cause)
        if kind(text) < low:
            raise illegal_argument(f"{told} must be >= {low}")
        if kind(text) > high:
            raise illegal_argument(f"{told} must be <= {high}")
        return text

    return check


def _whole(low: int, high: int) -> Callable[[str, Any], Value]:
    return _number(int, low, high)


def known_settings(rules: Rules) -> dict[str, Setting]:
    """The settings of ML Commons that can be changed, by key.

    Two defaults are this node's own configuration, not the product's, as they were on the recorded nodes: a
    connector may call any endpoint, private addresses included. The mock calls none.
    """
    retries = _whole(0, 100) if rules.redeploy_retries_are_bounded else _whole(-(2**31), 2**31 - 1)
    lines: list[tuple[str, Value, Callable[[str, Any], Value]]] = [
        ("only_run_on_ml_node", "true", _flag),
        ("task_dispatch_policy", "round_robin", _choice("round_robin", "least_load")),
        ("max_ml_task_per_node", "10", _whole(0, 10_000)),
        ("max_model_on_node", "10", _whole(0, 10_000)),
        ("sync_up_job_interval_in_seconds", str(rules.sync_interval_default), _whole(0, 86_400)),
        ("monitoring_request_count", "100", _whole(0, 10_000_000)),
        ("max_register_model_tasks_per_node", "10", _whole(0, 10)),
        ("max_deploy_model_tasks_per_node", "10", _whole(0, 10)),
        ("allow_registering_model_via_url", "false", _flag),
        ("allow_registering_model_via_local_file", "false", _flag),
        ("trusted_url_regex", _URL if rules.urls_are_trusted_by_default else _NO_URL, _text),
        ("ml_task_timeout_in_seconds", "600", _whole(1, 86_400)),
        ("native_memory_threshold", "90", _whole(0, 100)),
        ("jvm_heap_memory_threshold", "85", _whole(0, 100)),
        ("disk_free_space_threshold", "5gb", _size),
        ("exclude_nodes._name", "", _text),
        ("allow_custom_deployment_plan", "false", _flag),
        ("model_auto_deploy.enable", "true", _flag),
        ("model_auto_redeploy.enable", "true", _flag),
        ("model_auto_redeploy.lifetime_retry_times", "3", retries),
        ("model_auto_redeploy_success_ratio", "0.8", _number(float, 0.0, 1.0)),
        ("enable_inhouse_python_model", "false", _flag),
        ("safe_delete_model", "true" if rules.safe_delete_by_default else "false", _flag),
        ("connector_access_control_enabled", "false", _flag),
        ("model_access_control_enabled", "false", _flag),
        ("local_model.enabled", "true", _flag),
        ("task_dispatcher.eligible_node_role.remote_model", ["data", "ml"], _texts),
        ("task_dispatcher.eligible_node_role.local_model", ["data", "ml"], _texts),
        ("remote_inference.enabled", "true", _flag),
        ("agent_framework_enabled", "true", _flag),
        ("memory_feature_enabled", "true", _flag),
        ("rag_pipeline_feature_enabled", "true", _flag),
        ("controller_enabled", "true", _flag),
        ("trusted_connector_endpoints_regex", [".*"], _texts),
        ("connector.private_ip_enabled", "true", _flag),
        # These are on no page of 2.19; the source has them.
        ("max_batch_inference_tasks", "10", _whole(0, 500)),
        ("max_batch_ingestion_tasks", "10", _whole(0, 500)),
        ("batch_ingestion_bulk_size", "500", _whole(100, 100_000)),
        ("offline_batch_ingestion_enabled", "true", _flag),
        ("offline_batch_inference_enabled", "true", _flag),
        ("remote_job.status_field", ["status", "Status", "TransformJobStatus"], _texts),
        ("remote_job.status_regex.completed", "(complete|completed|partiallyCompleted)", _text),
        ("remote_job.status_regex.cancelled", "(stopped|cancelled)", _text),
        ("remote_job.status_regex.cancelling", "(stopping|cancelling)", _text),
        ("remote_job.status_regex.expired", "(expired|timeout)", _text),
        ("remote_job.status_regex.failed", "(failed)", _text),
        *((name, default, _flag) for name, default in rules.later_flags),
    ]
    return {PREFIX + name: Setting(PREFIX + name, default, check) for name, default, check in lines}


def pattern_of(text: str) -> re.Pattern[str]:
    """The pattern that a setting holds. Raises ApiError 400 for what is none, which shows only on use."""
    try:
        return compiled(text)
    except PatternError as error:
        raise illegal_argument(str(error)) from None


class Settings:
    """The cluster's settings: transient wins over persistent, persistent over the default."""

    SCOPES = ("persistent", "transient")

    def __init__(self, rules: Rules) -> None:
        self._known = known_settings(rules)
        self._unknown_error = rules.unknown_setting_error
        self._set: dict[str, dict[str, Value]] = {scope: {} for scope in self.SCOPES}

    def value(self, key: str) -> Value:
        """What applies now."""
        for scope in ("transient", "persistent"):
            if key in self._set[scope]:
                return self._set[scope][key]
        return self._known[key].default

    def on(self, key: str) -> bool:
        """What applies now of a boolean setting."""
        return self.value(key) == "true"

    def number(self, key: str) -> int:
        """What applies now of a whole number setting."""
        return int(str(self.value(key)))

    def texts(self, key: str) -> list[str]:
        """What applies now of a list setting."""
        value = self.value(key)
        return value if isinstance(value, list) else [text.strip() for text in value.split(",")]

    def explicit(self, scope: str) -> dict[str, Value]:
        """What was set in a scope, by key."""
        return dict(self._set[scope])

    def defaults(self) -> dict[str, Value]:
        """The defaults of everything that is set nowhere, by key."""
        return {
            key: setting.default
            for key, setting in self._known.items()
            if not any(key in values for values in self._set.values())
        }

    def load(self, values: dict[str, dict[str, Any]]) -> None:
        """Take these values, by scope and key. Raises ApiError for one that may not be set."""
        for scope in self.SCOPES:
            self._set[scope] = {
                key: value for key, value in self._checked(scope, values.get(scope, {})) if value is not None
            }

    def forget_transient(self) -> None:
        """What a restart of the cluster does."""
        self._set["transient"].clear()

    def change(self, changes: dict[str, dict[str, Any]]) -> dict[str, dict[str, Value]]:
        """Apply changes by scope, all or none; null resets a key or a pattern of keys. Gives what was set.

        Raises ApiError 400 for a setting that is not known or a value that it does not accept.
        """
        flat = {scope: dict(flatten(values)) for scope, values in changes.items()}
        checked = {scope: list(self._checked(scope, values)) for scope, values in flat.items()}
        if not any(flat.values()):
            raise ApiError(
                400, "action_request_validation_exception", "Validation Failed: 1: no settings to update;"
            )
        applied: dict[str, dict[str, Value]] = {scope: {} for scope in self.SCOPES}
        for scope, pairs in checked.items():
            for key, value in pairs:
                if value is None:
                    self._set[scope].pop(key, None)
                else:
                    self._set[scope][key] = applied[scope][key] = value
        return applied

    def _checked(self, scope: str, values: dict[str, Any]) -> Iterator[tuple[str, Value | None]]:
        for key, value in sorted(flatten(values)):
            if value is None and "*" in key:
                yield from ((known, None) for known in self._known if fnmatch.fnmatchcase(known, key))
            elif key in _STATIC:
                raise illegal_argument(f"{scope} setting [{key}], not dynamically updateable")
            elif key not in self._known:
                raise ApiError(400, self._unknown_error, f"{scope} setting [{key}], not recognized")
            else:
                yield key, None if value is None else self._known[key].check(key, value)


def flatten(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys with their values from objects nested in any way."""
    for name, value in values.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict):
            yield from flatten(value, key + ".")
        else:
            yield key, value


def nest(values: dict[str, Value]) -> dict[str, Any]:
    """Nested objects from dotted keys."""
    tree: dict[str, Any] = {}
    for key, value in values.items():
        *path, last = key.split(".")
        branch = tree
        for name in path:
            branch = branch.setdefault(name, {})
        branch[last] = value
    return tree
