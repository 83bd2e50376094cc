"""Operations at the same time on one model: whatever wins, what was answered is what became true."""

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
def test_concurrent_operations_leave_one_outcome(ml: MlCommons, expect: Expect, explore: Explore) -> None:
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
        settled = ml.settle_state(model, *SETTLED)
        together = ", ".join(f"{n} {a.status}" for n, a in zip(names, answers, strict=True))
        expect.one_of("osml.race.one-outcome", settled.value, SETTLED, f"model_state after {together}")
        deletes = [a.status for n, a in zip(names, answers, strict=True) if n == "delete"]
        expect.equal(
            "osml.race.one-outcome",
            settled.value == "absent",
            200 in deletes,
            f"after {together}: the model is gone",
        )
        expect.that(
            "osml.race.one-outcome",
            deletes.count(200) <= 1,
            expected="at most one delete that succeeds",
            came=together,
        )
