from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

MODELS = "/api/v3/models"
DEPLOYED, UNDEPLOYED, READY = "alignment-xyz789", "alignment-abc123", "alignment-def456"


@pytest.fixture
def nugen(make_client: Callable[..., Any]) -> Any:
    client = make_client()
    client.headers = {"authorization": "Bearer token"}
    return client


def _shown(nugen: Any, model_id: str) -> dict[str, Any]:
    models = nugen.get(f"{MODELS}/aligned").body["domain_aligned_models"]
    return next(model for model in models if model["id"] == model_id)


def test_undeploy_answers_the_id_as_a_string(nugen: Any) -> None:
    answer = nugen.delete(f"{MODELS}/undeploy-model/{DEPLOYED}")
    assert (answer.status, answer.body) == (200, DEPLOYED)


def test_an_undeploy_takes_a_while(nugen: Any) -> None:
    nugen.delete(f"{MODELS}/undeploy-model/{DEPLOYED}")
    assert _shown(nugen, DEPLOYED)["status"] == "UNDEPLOYING"
    again = nugen.delete(f"{MODELS}/undeploy-model/{DEPLOYED}")
    assert (again.status, again.body) == (
        400,
        {"detail": "Model cannot be UNDEPLOYED. Current status: UNDEPLOYING."},
    )
    nugen.time.now += 0.06
    model = _shown(nugen, DEPLOYED)
    assert (model["status"], model["deployment_status"], model["endpoint"]) == (
        "UNDEPLOYED",
        "UNDEPLOYED",
        None,
    )


def test_the_status_of_an_undeploy_goes_from_pending_to_completed(nugen: Any) -> None:
    path = f"{MODELS}/undeploy-model/{DEPLOYED}"
    assert nugen.get(f"{path}/status").status == 404
    nugen.delete(path)
    pending = nugen.get(f"{path}/status").body
    nugen.time.now += 0.06
    completed = nugen.get(f"{path}/status").body
    assert (pending["status"], pending["result"], pending["end_time"]) == ("PENDING", None, None)
    assert set(completed) == {"model_id", "status", "result", "start_time", "end_time"}
    assert (completed["status"], completed["result"]) == (
        "COMPLETED",
        {"message": "Model successfully undeployed"},
    )


def test_a_model_that_is_not_deployed_is_refused(nugen: Any) -> None:
    answer = nugen.delete(f"{MODELS}/undeploy-model/{UNDEPLOYED}")
    assert (answer.status, answer.body) == (
        400,
        {"detail": "Model cannot be UNDEPLOYED. Current status: UNDEPLOYED."},
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "undeploy-model/x"),
        ("GET", "undeploy-model/x/status"),
        ("POST", "deploy-model/x"),
        ("GET", "deploy-model/x/status"),
    ],
)
def test_an_unknown_model_is_404(nugen: Any, method: str, path: str) -> None:
    answer = nugen.send(method, f"{MODELS}/{path}")
    assert (answer.status, answer.body) == (404, {"detail": "Model not found"})


@pytest.mark.parametrize("model_id", [UNDEPLOYED, READY])
def test_a_model_can_be_deployed(nugen: Any, model_id: str) -> None:
    assert nugen.post(f"{MODELS}/deploy-model/{model_id}").body == model_id
    assert _shown(nugen, model_id)["status"] == "DEPLOYING"
    nugen.time.now += 0.06
    model = _shown(nugen, model_id)
    assert (model["status"], model["deployment_status"]) == ("DEPLOYED", "DEPLOYED")
    assert model["endpoint"]
    assert (
        nugen.get(f"{MODELS}/deploy-model/{model_id}/status").body["result"]["deployment_status"]
        == "DEPLOYED"
    )


def test_a_deploy_during_an_undeploy_is_refused(nugen: Any) -> None:
    nugen.delete(f"{MODELS}/undeploy-model/{DEPLOYED}")
    answer = nugen.post(f"{MODELS}/deploy-model/{DEPLOYED}")
    assert (answer.status, answer.body) == (
        400,
        {"detail": "Model cannot be redeployed. Current status: UNDEPLOYING"},
    )


def test_a_completion_takes_sixteen_tokens_by_default(nugen: Any) -> None:
    body = {"model": DEPLOYED, "prompt": "one two three"}
    answer = nugen.post("/api/v3/inference/completions", body).body
    assert (answer["model"], answer["object"], answer["usage"]["completion_tokens"]) == (
        DEPLOYED,
        "text_completion",
        16,
    )
    short = nugen.post("/api/v3/inference/completions", {**body, "max_tokens": 2}).body
    assert short["choices"][0]["text"] == "one two"
    assert _shown(nugen, DEPLOYED)["usage_count"] == 2


@pytest.mark.parametrize(("model_id", "status"), [(UNDEPLOYED, 400), ("x", 404)])
def test_no_completion_from_a_model_that_is_not_there(nugen: Any, model_id: str, status: int) -> None:
    assert nugen.post("/api/v3/inference/completions", {"model": model_id, "prompt": "p"}).status == status


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({"prompt": "p"}, ["body", "model"]),
        ({"model": "m"}, ["body", "prompt"]),
        ({"model": 1, "prompt": "p"}, ["body", "model"]),
        ({"model": "m", "prompt": "p", "max_tokens": 0}, ["body", "max_tokens"]),
        ({"model": "m", "prompt": "p", "max_tokens": "x"}, ["body", "max_tokens"]),
        ([], ["body"]),
        (None, ["body"]),
        (b"{", ["body", 1]),
    ],
)
def test_a_bad_body_is_422_with_the_place_of_the_fault(nugen: Any, body: Any, location: list[Any]) -> None:
    answer = nugen.post("/api/v3/inference/completions", body)
    assert answer.status == 422
    assert answer.body["detail"][0]["loc"] == location
    assert set(answer.body["detail"][0]) == {"loc", "msg", "type"}


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer  ", "Basic dXNlcg==", "Bearer invalid"])
def test_no_call_without_a_good_token(nugen: Any, header: str) -> None:
    nugen.headers = {"authorization": header}
    answer = nugen.delete(f"{MODELS}/undeploy-model/{DEPLOYED}")
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert isinstance(answer.body["detail"], str)


def test_tokens_can_be_named(make_client: Callable[..., Any]) -> None:
    nugen = make_client(nugen_tokens={"good"})
    statuses = []
    for token in ("good", "token"):
        nugen.headers = {"authorization": f"Bearer {token}"}
        statuses.append(nugen.get(f"{MODELS}/aligned").status)
    assert statuses == [200, 401]


def test_an_unknown_route_needs_no_token(nugen: Any) -> None:
    nugen.headers = {}
    answer = nugen.get("/api/v3/nope")
    assert (answer.status, answer.body) == (404, {"detail": "Not Found"})


def test_a_wrong_method_is_405(nugen: Any) -> None:
    answer = nugen.post(f"{MODELS}/undeploy-model/{DEPLOYED}")
    assert (answer.status, answer.body, answer.headers["allow"]) == (
        405,
        {"detail": "Method Not Allowed"},
        "DELETE",
    )


def test_reset_brings_the_shipped_models_back(nugen: Any) -> None:
    nugen.delete(f"{MODELS}/undeploy-model/{DEPLOYED}")
    nugen.post("/_mock/reset")
    assert _shown(nugen, DEPLOYED)["status"] == "DEPLOYED"
