"""Inference (page inference_rest, section Inference)."""

from __future__ import annotations

from typing import Any

import pytest

from mlconform.conformance.contract.model import Contract
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, requirement
from mlconform.conformance.targets.exchange import Exchange
from open_inference.api import UNKNOWN, OpenInference, size
from open_inference.forms import fits, no_server_error, refused

pytestmark = exclusive

BAD_BODIES = ({}, {"inputs": "x"}, {"inputs": [{}]})


def _inferred(v2: OpenInference, **more: Any) -> Exchange:
    model = v2.model()
    return v2.infer(model, {"inputs": v2.inputs(model), **more})


def _names(answered: Exchange) -> set[Any]:
    outputs = answered.member("outputs")
    listed = outputs if isinstance(outputs, list) else []
    return {each.get("name") for each in listed if isinstance(each, dict)}


@requirement("v2.infer.answer")
def test_the_answer_of_an_inference(v2: OpenInference, contract: Contract, expect: Expect) -> None:
    answered = _inferred(v2)
    fits(expect, contract, "v2.infer.answer", "infer", answered)
    model = v2.session.options.model_ids[0]
    expect.equal("v2.infer.answer", answered.member("model_name"), model, "model_name")


@requirement("v2.infer.id")
def test_the_id_comes_back(v2: OpenInference, expect: Expect) -> None:
    answered = _inferred(v2, id="conformance-42")
    expect.equal("v2.infer.id", answered.member("id"), "conformance-42", "id")


@requirement("v2.infer.outputs")
def test_all_outputs_come_back(v2: OpenInference, expect: Expect) -> None:
    answered = _inferred(v2)
    wanted = set(v2.outputs(v2.session.options.model_ids[0]))
    expect.equal("v2.infer.outputs", _names(answered), wanted, "the names of the outputs")


@requirement("v2.infer.requested-output")
def test_one_output_of_several(v2: OpenInference, expect: Expect) -> None:
    wanted = v2.outputs(v2.model())[:1]
    answered = _inferred(v2, outputs=[{"name": name} for name in wanted])
    expect.equal("v2.infer.requested-output", _names(answered), set(wanted), "the names of the outputs")


@requirement("v2.infer.shape")
def test_as_many_data_as_the_shape_says(v2: OpenInference, expect: Expect) -> None:
    outputs = _inferred(v2).member("outputs")
    if not isinstance(outputs, list) or not all(isinstance(output, dict) for output in outputs):
        raise Untestable("the inference gave no outputs")
    for output in outputs:
        data, shape = output.get("data"), output.get("shape")
        came = len(data) if isinstance(data, list) else data
        expect.equal("v2.infer.shape", came, size(shape), f"data of an output of the shape {shape}")


@pytest.mark.parametrize("body", BAD_BODIES, ids=repr)
@requirement("v2.infer.error", "v2.wire.no-server-error")
def test_a_bad_request_is_refused(v2: OpenInference, expect: Expect, body: Any) -> None:
    answered = v2.infer(v2.model(), body)
    no_server_error(expect, answered)
    refused(expect, "v2.infer.error", answered)


@requirement("v2.infer.error", "v2.wire.no-server-error")
def test_an_inference_of_an_unknown_model(v2: OpenInference, expect: Expect) -> None:
    answered = v2.infer(UNKNOWN, {"inputs": []})
    no_server_error(expect, answered)
    refused(expect, "v2.infer.error", answered)


@requirement("v2.infer.unloaded")
def test_an_unloaded_model_does_not_infer(v2: OpenInference, expect: Expect) -> None:
    body = {"inputs": v2.inputs(v2.model())}
    answered = v2.infer(v2.unloaded(), body)
    refused(expect, "v2.infer.unloaded", answered)
