"""How the faults of Nugen Intelligence show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlconform.mock_server import Request

Probe = Callable[[Any], Any]
NUGEN = "/api/v3/models"
DEPLOYED, UNDEPLOYED = "alignment-xyz789", "alignment-abc123"


def _second_undeploy(ml: Any) -> Any:
    return ml.delete(f"{NUGEN}/undeploy-model/{UNDEPLOYED}").status


def _with_token(header: str) -> Probe:
    def probe(ml: Any) -> Any:
        ml.headers = {"authorization": header}
        return ml.get(f"{NUGEN}/aligned").status

    return probe


def _nugen_undeploy_answer(ml: Any) -> Any:
    return ml.delete(f"{NUGEN}/undeploy-model/{DEPLOYED}").body


def _nugen_after_undeploy(ml: Any) -> Any:
    ml.delete(f"{NUGEN}/undeploy-model/{DEPLOYED}")
    ml.time.now += 1
    return ml.get(f"{NUGEN}/aligned").body["domain_aligned_models"][0]["status"]


def _nugen_message(ml: Any) -> Any:
    ml.delete(f"{NUGEN}/undeploy-model/{DEPLOYED}")
    ml.time.now += 1
    return ml.get(f"{NUGEN}/undeploy-model/{DEPLOYED}/status").body["result"]


def _nugen_unknown(ml: Any) -> Any:
    return ml.delete(f"{NUGEN}/undeploy-model/x").status


def _nugen_infer_undeployed(ml: Any) -> Any:
    return ml.post("/api/v3/inference/completions", {"model": UNDEPLOYED, "prompt": "p"}).status


def _nugen_endpoints(ml: Any) -> Any:
    return [model["endpoint"] is None for model in ml.get(f"{NUGEN}/aligned").body["domain_aligned_models"]]


def _nugen_redeploy(ml: Any) -> Any:
    return ml.post(f"{NUGEN}/deploy-model/{UNDEPLOYED}").status


def _nugen_states(ml: Any) -> Any:
    listed = ml.get(f"{NUGEN}/aligned").body["domain_aligned_models"]
    return [(model["status"], model["deployment_status"]) for model in listed]


def _nugen_pending(ml: Any) -> Any:
    ml.delete(f"{NUGEN}/undeploy-model/{DEPLOYED}")
    return ml.get(f"{NUGEN}/undeploy-model/{DEPLOYED}/status").body["status"]


def _nugen_bad_json(ml: Any) -> Any:
    return ml.post("/api/v3/inference/completions", b"{").status


def _nugen_raw(ml: Any) -> Any:
    headers = {"authorization": "Bearer token"}
    return ml.server.handle(Request("GET", f"{NUGEN}/aligned", headers=headers)).body[-1:]


PROBES: dict[str, Probe] = {
    "nugen-second-undeploy-ok": _second_undeploy,
    "nugen-no-auth": _with_token(""),
    "nugen-any-token": _with_token("Bearer invalid"),
    "nugen-undeploy-answers-object": _nugen_undeploy_answer,
    "nugen-undeploy-changes-nothing": _nugen_after_undeploy,
    "nugen-undeploy-never-finishes": _nugen_after_undeploy,
    "nugen-unknown-is-400": _nugen_unknown,
    "nugen-undeployed-infers": _nugen_infer_undeployed,
    "nugen-endpoint-always": _nugen_endpoints,
    "nugen-no-redeploy": _nugen_redeploy,
    "nugen-wrong-message": _nugen_message,
    "nugen-strange-state": _nugen_states,
    "nugen-strange-deployment": _nugen_states,
    "nugen-undeploy-runs": _nugen_pending,
    "nugen-bad-json-is-500": _nugen_bad_json,
    "nugen-truncated-bodies": _nugen_raw,
}
