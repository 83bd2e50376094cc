"""Every operation of the contract as a request that changes nothing of anybody's, to ask who may send it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mlconform.conformance.contract.model import Contract
from mlconform.conformance.suites.opensearch_ml.api import PREDICT_INPUT, UNKNOWN_ID, MlCommons
from mlconform.conformance.targets import opensearch_ml, opensearch_settings
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.opensearch_ml import ML
from mlconform.conformance.targets.session import ABSENT

# What the page model-access-control lets who only reads have: tasks, models and statistics.
READS: Final = frozenset(
    {
        "get_model",
        "search_models",
        "search_models_get",
        "get_task",
        "search_tasks",
        "stats",
        "stat",
        "node_stats",
        "node_stat",
    }
)
_SEARCH: Final = {"query": {"match_all": {}}, "size": 0}
_CONTROLLER: Final = {"user_rate_limiter": {"mlconform": {"limit": "100", "unit": "MINUTES"}}}
_CHANGE: Final = {"description": "changed by a conformance run"}
_BODIES: Final[Mapping[str, Any]] = {
    "update_connector": _CHANGE,
    "update_model": _CHANGE,
    "update_model_group": _CHANGE,
    "create_controller": _CONTROLLER,
    "update_controller": _CONTROLLER,
    "put_ingest_pipeline": {"processors": []},
    "put_search_pipeline": {},
    "predict_model": PREDICT_INPUT,
    "predict_algorithm": PREDICT_INPUT,
    "batch_predict": PREDICT_INPUT,
    "undeploy_models": {"model_ids": [UNKNOWN_ID]},
}
# What makes something is sent so that it is removed where somebody is let in.
_MAKING: Final[Mapping[str, Callable[[MlCommons], Exchange]]] = {
    "register_model_group": lambda ml: ml.register_group(
        {"name": ml.session.new_name("group"), "description": "made by a conformance run"}
    ),
    "create_connector": lambda ml: ml.create_connector(ml.connector_body()),
    "register_model": lambda ml: ml.register(ml.remote_body()),
    "register_model_meta": lambda ml: ml.session.request("POST", f"{ML}/models/_register_meta", {}),
    "register_agent": lambda ml: ml.register_agent(
        {
            "name": ml.session.new_name("agent"),
            "type": "flow",
            "tools": [{"type": "MLModelTool", "name": "t"}],
        }
    ),
}
# An unknown model is answered before anybody asks who calls (access_models#49): these take one that is there.
_PIPELINES: Final = {"put_ingest_pipeline": "ingest pipeline", "put_search_pipeline": "search pipeline"}
_CLOSED_TO_ALL: Final = ("no handler found", "needs to enable allow_registering_model_via_local_file")
_ON_A_MODEL: Final = frozenset({"predict_model", "predict_algorithm", "batch_predict"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: how it is named, and where."""

    id: str
    method: str
    path: str

    @property
    def is_of_ml(self) -> bool:
        """Whether it is one of ML Commons' own, which its roles speak of."""
        return self.path.startswith(f"{ML}/")

    @property
    def changes(self) -> bool:
        """Whether it makes, changes, starts or removes something."""
        return self.method != "GET" and not self.path.endswith("/_search")


def operations(contract: Contract) -> Iterator[Operation]:
    """All that the contract has."""
    for path, methods in contract.openapi["paths"].items():
        for method, described in methods.items():
            if isinstance(described, Mapping) and "operationId" in described:
                yield Operation(described["operationId"], method.upper(), path)


def send(ml: MlCommons, operation: Operation, model: str) -> Exchange:
    """Send it, as `ml` does; `model` is one that is there, and that nothing of this changes."""
    if operation.id in _MAKING:
        return _MAKING[operation.id](ml)
    if operation.id == "put_cluster_settings":
        return _settings_as_they_are(ml, operation)
    known = {"algorithm_name": "remote", "stat": "ml_request_count", "nodeId": "_local", "chunk": "0"}
    if operation.id in _ON_A_MODEL:
        known["model_id"] = model
    if operation.path.startswith(("/_ingest", "/_search")):
        known["pipeline_id"] = ml.session.new_name("pipeline")
    path = re.sub(r"\{(\w+)\}", lambda found: known.get(found[1], UNKNOWN_ID), operation.path)
    if operation.path.endswith("/_search"):
        return ml.session.request(operation.method, path, _SEARCH)
    answered = ml.session.request(operation.method, path, _BODIES.get(operation.id, ABSENT))
    if operation.id in _PIPELINES and answered.status == 200:
        kind = _PIPELINES[operation.id]
        opensearch_ml.track(ml.session.keeper or ml.session, kind, known["pipeline_id"])
    return answered


def is_open(answered: Exchange) -> bool:
    """Whether the server has the operation and it is not switched off: where not, nobody is let in to it."""
    return not (answered.status == 400 and any(text in answered.text for text in _CLOSED_TO_ALL))


def _settings_as_they_are(ml: MlCommons, operation: Operation) -> Exchange:
    """A change of none at all is refused before it is asked who asks, so one is set to what it is."""
    keeper = ml.session.keeper or ml.session
    now = opensearch_settings.persistent_setting(keeper, opensearch_settings.PRIVATE_ADDRESSES)
    body = {"persistent": {opensearch_settings.PRIVATE_ADDRESSES: now}}
    return ml.session.request(operation.method, operation.path, body)
