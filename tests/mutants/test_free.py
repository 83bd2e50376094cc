"""Members that may be otherwise, and those that may not."""

from __future__ import annotations

import pytest

from mlconform.conformance.contract import store
from mlconform.conformance.contract.model import Contract
from mlconform.conformance.mutants.alterations import Kind, Mutant, Place
from mlconform.conformance.mutants.free import why_free

WEIGHED = ("inference_results", "[]", "output", "[]", "dataAsMap", "response")


@pytest.fixture(scope="module")
def contract() -> Contract:
    return store.load("opensearch-ml", "3.4")


def defaults(*names: str) -> Place:
    return Place("get_cluster_settings", 200, ("defaults", "plugins", "ml_commons", *names))


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        (Place("search_models", 200, ("took",)), Kind.VALUE),
        (Place("search_models", 200, ("hits", "hits", "[]", "_score")), Kind.TYPE),
        (defaults("a_setting_of_which_no_page_tells"), Kind.LEFT_OUT),
        (Place("predict_algorithm", 200, (*WEIGHED, "[]", "hello")), Kind.LEFT_OUT),
    ],
)
def test_what_nobody_can_call_wrong_has_a_reason(contract: Contract, place: Place, kind: Kind) -> None:
    assert why_free(Mutant(place, kind), contract)


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        (Place("search_models", 200, ("took",)), Kind.LEFT_OUT),
        (Place("search_models", 200, ("took",)), Kind.TYPE),
        (Place("get_model", 200, ("name",)), Kind.VALUE),
        (defaults("sync_up_job_interval_in_seconds"), Kind.VALUE),
        (defaults("a_setting_of_which_no_page_tells"), Kind.TYPE),
        (Place("predict_algorithm", 200, (*WEIGHED, "[]", "hello")), Kind.TYPE),
        (Place("predict_algorithm", 200, WEIGHED), Kind.LEFT_OUT),
    ],
)
def test_what_somebody_can_call_wrong_has_none(contract: Contract, place: Place, kind: Kind) -> None:
    assert why_free(Mutant(place, kind), contract) is None
