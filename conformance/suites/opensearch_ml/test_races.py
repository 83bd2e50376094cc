"""Operations at the same time on one thing: whatever wins, what was answered is what became true."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hypothesis import strategies as st

from conformance.suites.expect import Expect
from conformance.suites.explore import Explore
from conformance.suites.marks import requirement
from conformance.suites.opensearch_ml.api import MlCommons
from conformance.targets.exchange import Exchange

SETTLED = ("DEPLOYED", "UNDEPLOYED", "REGISTERED", "DEPLOY_FAILED", "PARTIALLY_DEPLOYED", "absent")
# How the requests interleave, where the target lets that be chosen: so a race that was lost is lost again.
SEEDS = st.integers(0, 2**32 - 1)


def _deleted(answer: Exchange) -> bool:
    """A delete that finds nothing to delete is a success of HTTP, but not of the delete."""
    return answer.status == 200 and answer.member("result") != "not_found"


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

    @explore.every(st.tuples(rounds, SEEDS), requests=12, most=15)
    def holds(race: tuple[list[str], int]) -> None:
        names, seed = race
        model = ml.model()
        answers = ml.session.at_once([partial(operations[name], model) for name in names], seed=seed)
        settled = ml.settle_state(model, *SETTLED)
        together = ", ".join(f"{n} {a.status}" for n, a in zip(names, answers, strict=True))
        expect.one_of("osml.race.one-outcome", settled.value, SETTLED, f"model_state after {together}")
        deletes = [a for n, a in zip(names, answers, strict=True) if n == "delete"]
        expect.equal(
            "osml.race.one-outcome",
            settled.value == "absent",
            any(map(_deleted, deletes)),
            f"after {together}: the model is gone",
        )


@requirement("osml.race.one-outcome")
def test_a_model_is_deleted_once(ml: MlCommons, expect: Expect, explore: Explore) -> None:
    @explore.every(SEEDS, requests=5, most=12)
    def holds(seed: int) -> None:
        delete = partial(ml.delete, ml.model())
        answers = ml.session.at_once([delete, delete], seed=seed)
        expect.equal(
            "osml.race.one-outcome",
            sum(map(_deleted, answers)),
            1,
            "of two deletes at the same moment, those that deleted",
        )


@requirement("osml.register.next-version")
def test_versions_at_the_same_moment_differ(ml: MlCommons, expect: Expect, explore: Explore) -> None:
    @explore.every(SEEDS, requests=8, most=12)
    def holds(seed: int) -> None:
        group = ml.group()
        bodies = [ml.remote_body(model_group_id=group) for _ in range(2)]
        answers = ml.session.at_once([partial(ml.register, body) for body in bodies], seed=seed)
        models = [str(answer.member("model_id")) for answer in answers if answer.status == 200]
        versions = [ml.get(model).member("model_version") for model in models]
        expect.that(
            "osml.register.next-version",
            len(set(versions)) == len(versions) > 0,
            expected="of two registrations at the same moment at least one adds a version, and none the same",
            came=f"{[answer.status for answer in answers]}, model_version {versions}",
        )
