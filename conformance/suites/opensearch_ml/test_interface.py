"""Interfaces of models: page register-model, the section on them."""

from __future__ import annotations

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import requirement
from mlconform.conformance.suites.opensearch_ml.api import MlCommons

WITH_A_NUMBER = {
    "type": "object",
    "properties": {"parameters": {"type": "object", "required": ["n"]}},
    "required": ["parameters"],
}
WITHOUT_RESULTS = {"type": "object", "properties": {"inference_results": {"type": "string"}}}


@requirement("osml.interface.checked")
def test_an_input_that_does_not_fit(ml: MlCommons, expect: Expect) -> None:
    model = ml.deployed_model(interface={"input": WITH_A_NUMBER})
    expect.client_error("osml.interface.checked", ml.predict(model))
    fitting = ml.predict(model, {"parameters": {"q": "hello", "n": "1"}})
    expect.accepted("osml.interface.checked", fitting)


@requirement("osml.interface.output")
def test_an_output_that_does_not_fit(ml: MlCommons, expect: Expect) -> None:
    model = ml.deployed_model(interface={"output": WITHOUT_RESULTS})
    answered = ml.predict(model)
    expect.refused("osml.interface.output", answered, "a predict that does not succeed")
