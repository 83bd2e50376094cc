"""How many local models a node holds, and how much work on them it does at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlconform.mock_server.parity.served import zipped

FILES = Path(__file__).parents[2] / "scenarios/files"
MODEL = zipped({name: (FILES / name).read_bytes() for name in ("tokenizer.json", "idf.json")})
PREFIX = "plugins.ml_commons."
META = {"name": "mine", "function_name": "SPARSE_TOKENIZE", "model_format": "TORCH_SCRIPT"}


@pytest.fixture
def ml(make_client: Callable[..., Any]) -> Any:
    client = make_client(behaviour="opensearch-3.4")
    put(client, allow_registering_model_via_local_file=True, allow_registering_model_via_url=True)
    return client


def put(ml: Any, **values: Any) -> None:
    settings = {PREFIX + name: value for name, value in values.items()}
    assert ml.put("/_cluster/settings", {"persistent": settings}).status == 200


def uploaded(ml: Any) -> str:
    body = META | {"model_content_hash_value": hashlib.sha256(MODEL).hexdigest(), "total_chunks": 1}
    model = str(ml.post("~/models/_register_meta", body).body["model_id"])
    assert ml.send("POST", f"~/models/{model}/upload_chunk/0", MODEL).status == 200
    return model


def deployed(ml: Any, model: str) -> Any:
    return ended(ml, ml.post(f"~/models/{model}/_deploy"))


def ended(ml: Any, answer: Any) -> Any:
    ml.time.now += 5
    return ml.get(f"~/tasks/{answer.body['task_id']}").body


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("max_model_on_node", "Exceed max local model per node limit"),
        ("max_deploy_model_tasks_per_node", "exceed max running task limit"),
    ],
)
def test_a_node_that_has_enough_does_not_deploy(ml: Any, setting: str, told: str) -> None:
    model = uploaded(ml)
    put(ml, **{setting: 0})
    task = deployed(ml, model)
    assert task["state"] == "FAILED"
    assert told in task["error"]
    assert ml.get(f"~/models/{model}").body["model_state"] == "DEPLOY_FAILED"


def test_the_place_of_a_model_is_free_once_it_is_undeployed(ml: Any) -> None:
    first, second = uploaded(ml), uploaded(ml)
    put(ml, max_model_on_node=1)
    assert [deployed(ml, first)["state"], deployed(ml, second)["state"]] == ["COMPLETED", "FAILED"]
    ml.post(f"~/models/{first}/_undeploy")
    assert deployed(ml, second)["state"] == "COMPLETED"


def test_a_model_takes_one_place_however_often_it_is_deployed(ml: Any) -> None:
    model = uploaded(ml)
    put(ml, max_model_on_node=1)
    assert [deployed(ml, model)["state"] for _ in range(2)] == ["COMPLETED"] * 2


def test_a_registration_too_many_fails(ml: Any) -> None:
    put(ml, max_register_model_tasks_per_node=1)
    body = META | {"model_content_hash_value": "0", "url": "http://127.0.0.1:9/model.zip"}
    first, second = (ml.post("~/models/_register", body | {"name": name}) for name in "ab")
    assert ended(ml, second)["error"] == "exceed max running task limit"
    assert ended(ml, first).get("error") != "exceed max running task limit"
