"""How the faults of several nodes show, and of nodes that leave and come."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from mlconform.mock_server import Request

Probe = Callable[[Any], Any]


def _at(ml: Any, node: int, method: str, path: str, body: Any = None) -> Any:
    """What one of several nodes answers."""
    content = b"" if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    path = path.replace("~", "/_plugins/_ml")
    answer = ml.server.handle(Request(method, path, headers=headers, body=content, node=node))
    return answer.status, json.loads(answer.body)


def _predict_at_the_second(ml: Any, model: str) -> Any:
    return _at(ml, 2, "POST", f"~/models/{model}/_predict", {"parameters": {"q": "hello"}})[0]


def _read_at_the_second(ml: Any) -> Any:
    return _at(ml, 2, "GET", f"~/models/{ml.model()}")[0]


def _predict_at_the_second_undeployed(ml: Any) -> Any:
    ml.setting("model_auto_deploy.enable", False)
    model = ml.deployed()
    ml.post(f"~/models/{model}/_undeploy")
    return _predict_at_the_second(ml, model)


def _moved(ml: Any, deed: str) -> None:
    ml.post("/_mock/nodes", {deed: 2})
    ml.time.now += 60


def _after_leaving(*deeds: str, **settings: Any) -> Probe:
    """State and nodes of a model on all nodes after the second left, or came back as well."""

    def probe(ml: Any) -> Any:
        for name, value in settings.items():
            ml.setting(name, value)
        model = ml.deployed()
        for deed in deeds:
            _moved(ml, deed)
        read = ml.get(f"~/models/{model}").body
        return read["model_state"], read["current_worker_node_count"]

    return probe


def _undeployed_after_return(ml: Any) -> Any:
    model = ml.deployed()
    _moved(ml, "stop")
    _moved(ml, "start")
    ml.post(f"~/models/{model}/_undeploy")
    ml.time.now += 60
    return ml.state(model)


def _nodes_after_a_refused_delete(ml: Any) -> Any:
    ml.setting("safe_delete_model", True)
    model = ml.model()
    ml.put("/_search/pipeline/p", {"request_processors": [{"ml_inference": {"model_id": model}}]})
    tools = [{"type": "MLModelTool", "name": "t", "parameters": {"model_id": model}}]
    ml.post("~/agents/_register", {"name": "a", "type": "flow", "tools": tools})
    ml.delete(f"~/models/{model}")
    ml.time.now += 1
    return ml.get("/_cluster/health").body["number_of_nodes"]


PROBES: dict[str, Probe] = {
    "other-nodes-lag": _read_at_the_second,
    "other-nodes-serve-nothing": lambda ml: _predict_at_the_second(ml, ml.deployed()),
    "undeploy-forgets-other-nodes": _predict_at_the_second_undeployed,
    "refused-delete-parts-nodes": _nodes_after_a_refused_delete,
    "departed-node-stays": _after_leaving("stop"),
    "returned-node-ignored": _after_leaving("stop", "start"),
    "returned-node-unsettles": _undeployed_after_return,
    "redeploys-unlimited": _after_leaving("stop", "start", **{"model_auto_redeploy.lifetime_retry_times": 1}),
}
