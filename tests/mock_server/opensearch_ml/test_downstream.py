from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("path", "member"),
    [("/_ingest/pipeline/p", "processors"), ("/_search/pipeline/p", "request_processors")],
)
def test_an_inference_processor_names_its_model(ml: Any, path: str, member: str) -> None:
    refused = ml.put(path, {member: [{"ml_inference": {"input_map": []}}]})
    assert (refused.status, ml.reason(refused)) == (400, "[model_id] required property is missing")
    assert ml.put(path, {member: [{"ml_inference": {"model_id": "m"}}]}).status == 200
