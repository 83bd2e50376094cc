"""Operations at the same time on one model: whatever wins, the model ends in one readable state."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from hypothesis import strategies as st

from conformance.suites.expect import Expect
from conformance.suites.explore import Explore
from conformance.suites.marks import requirement
from conformance.suites.opensearch_ml.api import MlCommons
from conformance.target.exchange import Exchange

SETTLED = ("DEPLOYED", "UNDEPLOYED", "REGISTERED", "DEPLOY_FAILED", "PARTIALLY_DEPLOYED", "absent")


@requirement("osml.race.one-outcome")
def test_concurrent_operations_leave_one_readable_state(
    ml: MlCommons, expect: Expect, explore: Explore
) -> None:
    operations: dict[str, Callable[[str], Exchange]] = {
        "deploy": ml.deploy,
        "undeploy": ml.undeploy,
        "update": lambda model: ml.update(model, {"description": "raced"}),
        "predict": ml.predict,
        "delete": ml.delete,
    }
    rounds = st.lists(st.sampled_from(sorted(operations)), min_size=2, max_size=4)

    @explore.every(rounds, requests=12, most=15)
    def holds(names: list[str]) -> None:
        model = ml.model()
        with ThreadPoolExecutor(len(names)) as pool:
            answers = list(pool.map(lambda name: operations[name](model), names))
        for name, answered in zip(names, answers, strict=True):
            expect.that(
                "osml.race.one-outcome",
                answered.status < 500,
                expected=f"no 5xx to {name} beside {', '.join(names)}",
                came=answered.summary,
            )
        settled = ml.settle_state(model, *SETTLED)
        expect.one_of(
            "osml.race.one-outcome", settled.value, SETTLED, f"model_state after {', '.join(names)}"
        )
