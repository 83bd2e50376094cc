"""Any sequence of deploys and undeploys, held to the oracle."""

from __future__ import annotations

from hypothesis import strategies as st

from mlconform.conformance.oracle import nugen as oracle
from mlconform.conformance.oracle.nugen import Status
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.explore import Explore
from mlconform.conformance.suites.marks import exclusive, requirement
from mlconform.conformance.suites.nugen.api import Nugen

OPERATIONS = ("undeploy", "deploy")


@exclusive
@requirement(
    "nugen.undeploy.answer",
    "nugen.undeploy.not-deployed",
    "nugen.undeploy.reaches-undeployed",
    "nugen.deploy.answer",
    "nugen.deploy.reaches-deployed",
)
def test_any_sequence(nugen: Nugen, expect: Expect, explore: Explore) -> None:
    # A real deploy takes minutes, so where time is real one short sequence has to do.
    movable = nugen.session.clock.movable
    sequences = st.lists(st.sampled_from(OPERATIONS), min_size=1, max_size=6)
    fixed = st.just(["undeploy", "undeploy", "deploy"])

    @explore.every(sequences if movable else fixed, requests=40)
    def holds(names: list[str]) -> None:
        model = nugen.deployed_model()
        state = Status.DEPLOYED
        for name in names:
            step = oracle.undeploy(state) if name == "undeploy" else oracle.redeploy(state)
            if step is None:
                continue
            answered = nugen.undeploy(model) if name == "undeploy" else nugen.deploy(model)
            expect.status(step.requirement, answered, step.status)
            reached = nugen.settle_state(model, step.after)
            expect.equal(step.reaches, reached, step.after.value, f"status after {', '.join(names)}")
            state = step.after
