"""opensearch-py's ML namespace runs a model's whole life against the mock over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from opensearchpy import NotFoundError, OpenSearch

from mlconform.mock_server.fixture import running_mock

CONNECTOR = {
    "name": "conn",
    "description": "d",
    "version": 1,
    "protocol": "http",
    "parameters": {"model": "m"},
    "credential": {"k": "v"},
    "actions": [
        {
            "action_type": "predict",
            "method": "POST",
            "url": "http://127.0.0.1:9/v1/chat",
            "request_body": '{ "q": "${parameters.q}" }',
        }
    ],
}


def _until(read: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + 10
    while not wanted(value := read()):
        assert time.monotonic() < deadline, value
    return value


@pytest.mark.parametrize("behaviour", ["documented", "opensearch-2.19", "opensearch-3.4"])
def test_register_deploy_predict_undeploy_delete(behaviour: str) -> None:
    with running_mock(behaviour=behaviour, nodes=1) as mock, OpenSearch(mock.url) as client:
        connector = client.plugins.ml.create_connector(body=CONNECTOR)["connector_id"]
        registered = client.plugins.ml.register_model(
            body={"name": "m", "function_name": "remote", "connector_id": connector}
        )
        model_id = registered["model_id"]
        assert client.plugins.ml.get_task(task_id=registered["task_id"])["state"] == "COMPLETED"

        task_id = client.plugins.ml.deploy_model(model_id=model_id)["task_id"]
        _until(lambda: client.plugins.ml.get_task(task_id=task_id), lambda task: task["state"] == "COMPLETED")
        assert client.plugins.ml.get_model(model_id=model_id)["model_state"] == "DEPLOYED"

        predicted = client.plugins.ml.predict_model(model_id=model_id, body={"parameters": {"q": "hello"}})
        assert predicted["inference_results"][0]["status_code"] == 200

        (node,) = client.plugins.ml.undeploy_model(model_id=model_id).values()
        assert list(node["stats"]) == [model_id]
        found = client.plugins.ml.search_models(body={"query": {"term": {"model_state": "UNDEPLOYED"}}})
        assert [hit["_id"] for hit in found["hits"]["hits"]] == [model_id]

        assert client.plugins.ml.delete_model(model_id=model_id)["result"] == "deleted"
        with pytest.raises(NotFoundError):
            client.plugins.ml.get_model(model_id=model_id)
