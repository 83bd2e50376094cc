"""Cluster settings: what may be set, what each accepts, and what applies now."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from mock_server.opensearch_ml.errors import ApiError, illegal_argument
from mock_server.opensearch_ml.fields import flag_of, text_of
from mock_server.opensearch_ml.rules import Rules

PREFIX = "plugins.ml_commons."
MONITORED_REQUESTS = f"{PREFIX}monitoring_request_count"
SYNC_INTERVAL = PREFIX + "sync_up_job_interval_in_seconds"
SAFE_DELETE = PREFIX + "safe_delete_model"
CUSTOM_PLAN = PREFIX + "allow_custom_deployment_plan"
AUTO_DEPLOY = PREFIX + "model_auto_deploy.enable"
AUTO_REDEPLOY = PREFIX + "model_auto_redeploy.enable"
TRUSTED_ENDPOINTS = PREFIX + "trusted_connector_endpoints_regex"
PRIVATE_IP = PREFIX + "connector.private_ip_enabled"
REMOTE_INFERENCE = PREFIX + "remote_inference.enabled"
AGENT_FRAMEWORK = PREFIX + "agent_framework_enabled"
VIA_URL = PREFIX + "allow_registering_model_via_url"
TRUSTED_URLS = PREFIX + "trusted_url_regex"
LOCAL_MODELS = PREFIX + "local_model.enabled"

Value = str | list[str]


@dataclass(frozen=True, slots=True)
class Setting:
    """One dynamic setting: its default, as text or as a list of texts, and the check of a new value."""

    key: str
    default: Value
    check: Callable[[str, Any], Value]


def _flag(_key: str, value: Any) -> Value:
    return "true" if flag_of(value) else "false"


def _text(_key: str, value: Any) -> Value:
    return text_of(value)


def _texts(_key: str, value: Any) -> Value:
    return [text_of(item) for item in value] if isinstance(value, list) else text_of(value).split(",")


def _patterns(key: str, value: Any) -> Value:
    patterns = _texts(key, value)
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise illegal_argument(f"Failed to parse value for setting [{key}]: {error}") from None
    return patterns


def _choice(*choices: str) -> Callable[[str, Any], Value]:
    def check(key: str, value: Any) -> Value:
        text = text_of(value)
        if text not in choices:
            raise illegal_argument(
                f"Unknown value [{text}] for setting [{key}], expected one of {list(choices)}"
            )
        return text

    return check


def _number(kind: type[int] | type[float], low: float, high: float) -> Callable[[str, Any], Value]:
    def check(key: str, value: Any) -> Value:
        text = text_of(value)
        try:
            number = kind(text)
        except ValueError:
            cause = {"type": "number_format_exception", "reason": f'For input string: "{text}"'}
            raise illegal_argument(
                f"Failed to parse value [{text}] for setting [{key}]", caused_by=cause
            ) from None
        if not low <= number:
            raise illegal_argument(f"Failed to parse value [{text}] for setting [{key}] must be >= {low}")
        if number > high:
            raise illegal_argument(f"Failed to parse value [{text}] for setting [{key}] must be <= {high}")
        return text

    return check


def _whole(low: int, high: int) -> Callable[[str, Any], Value]:
    return _number(int, low, high)


def known_settings(rules: Rules) -> dict[str, Setting]:
    """The settings of the cluster settings page of ML Commons, by key.

    Two defaults are this node's own configuration, not the product's, as they were on the recorded nodes: a
    connector may call any endpoint, private addresses included. The mock calls none.
    """
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
        ("trusted_url_regex", "^(https?|ftp|file)://.*", _patterns_as_one),
        ("ml_task_timeout_in_seconds", "600", _whole(1, 86_400)),
        ("native_memory_threshold", "90", _whole(0, 100)),
        ("jvm_heap_memory_threshold", "85", _whole(0, 100)),
        ("disk_free_space_threshold", "5G", _text),
        ("exclude_nodes._name", "", _text),
        ("allow_custom_deployment_plan", "false", _flag),
        ("model_auto_deploy.enable", "true", _flag),
        ("model_auto_redeploy.enable", "true", _flag),
        ("model_auto_redeploy.lifetime_retry_times", "3", _whole(0, 100)),
        ("model_auto_redeploy_success_ratio", "0.8", _number(float, 0, 1)),
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
        ("trusted_connector_endpoints_regex", [".*"], _patterns),
        ("connector.private_ip_enabled", "true", _flag),
    ]
    return {PREFIX + name: Setting(PREFIX + name, default, check) for name, default, check in lines}


def _patterns_as_one(key: str, value: Any) -> Value:
    return _patterns(key, [text_of(value)])[0]


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
        return value if isinstance(value, list) else [value]

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
        checked = {scope: list(self._checked(scope, values)) for scope, values in changes.items()}
        if not any(checked.values()) and not any(changes.values()):
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
        for key, value in flatten(values):
            if value is None and "*" in key:
                yield from ((known, None) for known in self._known if fnmatch.fnmatchcase(known, key))
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
