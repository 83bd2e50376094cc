"""The list of aligned models, and inference with one: the vendor's other pages."""

from __future__ import annotations

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, requirement
from mlconform.conformance.suites.nugen.api import COMPLETIONS, Nugen

pytestmark = exclusive

STATUSES = ("DEPLOYED", "UNDEPLOYED", "DEPLOYING", "UNDEPLOYING", "EVALUATED", "READY")


@requirement("nugen.aligned.answer")
def test_the_list_of_aligned_models(nugen: Nugen, expect: Expect) -> None:
    listed = nugen.aligned()
    expect.status("nugen.aligned.answer", listed, 200)
    expect.members("nugen.aligned.answer", listed.json, {"domain_aligned_models": list}, "the answer")
    for model in listed.json["domain_aligned_models"]:
        expect.members("nugen.aligned.answer", model, {"id": str, "name": str, "status": str}, "a model")


@requirement("nugen.aligned.status-values", "nugen.aligned.deployment-status-values")
def test_the_values_of_the_states(nugen: Nugen, expect: Expect) -> None:
    _have_known_states(nugen, expect)
    for reached in (nugen.deployed_model, nugen.undeployed_model):
        reached()
        _have_known_states(nugen, expect)


def _have_known_states(nugen: Nugen, expect: Expect) -> None:
    """Every model of the list, whatever it is in."""
    for entry in nugen.entries():
        expect.one_of("nugen.aligned.status-values", entry.get("status"), STATUSES, "status")
        expect.one_of(
            "nugen.aligned.deployment-status-values",
            entry.get("deployment_status"),
            ("DEPLOYED", "UNDEPLOYED"),
            "deployment_status",
        )


@requirement("nugen.aligned.endpoint-only-deployed")
def test_only_a_deployed_model_has_an_endpoint(nugen: Nugen, expect: Expect) -> None:
    shown = nugen.entry(nugen.undeployed_model()).get("endpoint")
    expect.equal("nugen.aligned.endpoint-only-deployed", shown, None, "endpoint of an undeployed model")


@requirement("nugen.inference.answer")
def test_a_deployed_model_completes_a_prompt(nugen: Nugen, expect: Expect) -> None:
    answered = nugen.complete(nugen.deployed_model())
    expect.status("nugen.inference.answer", answered, 200)
    expect.members("nugen.inference.answer", answered.json, {"choices": list}, "the answer")


@requirement("nugen.inference.validation", "nugen.undeploy.validation")
def test_a_request_that_is_not_valid(nugen: Nugen, expect: Expect) -> None:
    answered = nugen.session.request("POST", COMPLETIONS, {"max_tokens": "many"})
    expect.status("nugen.inference.validation", answered, 422)
    detail = answered.member("detail")
    expect.that(
        "nugen.undeploy.validation",
        isinstance(detail, list) and bool(detail),
        expected="detail, a list of validation errors",
        came=answered.summary,
        exchange=answered,
    )
    for error in detail:
        expect.members("nugen.undeploy.validation", error, {"loc": list, "msg": str, "type": str}, "an error")
