"""What may be true of a model after each operation."""

from __future__ import annotations

import pytest

from mlconform.conformance.oracle import lifecycle
from mlconform.conformance.oracle.lifecycle import ABSENT, IN_MEMORY, NOT_IN_MEMORY, Model
from mlconform.conformance.oracle.windows import TOLERANCE_SECONDS, Window

AT = Window(10.0, 11.0)
NEW = Model()
DEPLOYED = lifecycle.deploy(NEW, AT).after
GONE = Model(exists=False)


def test_a_new_model_is_not_in_memory() -> None:
    assert NEW.readings(0, 10) == NOT_IN_MEMORY


def test_a_deployed_model_is_in_memory_for_good() -> None:
    assert DEPLOYED.readings(1e9, 10) == IN_MEMORY


def test_a_deleted_model_is_absent() -> None:
    assert GONE.readings(0, 10) == ABSENT


@pytest.mark.parametrize("ttl", [None, -1, -7])
def test_without_a_ttl_there_is_no_end(ttl: int | None) -> None:
    assert lifecycle.deploy(Model(ttl_minutes=ttl), AT).after.readings(1e9, 10) == IN_MEMORY


@pytest.mark.parametrize(
    ("now", "readings"),
    [
        (69.9, IN_MEMORY),
        (70.0, IN_MEMORY | NOT_IN_MEMORY),
        (81.0 + TOLERANCE_SECONDS, IN_MEMORY | NOT_IN_MEMORY),
        (81.1 + TOLERANCE_SECONDS, NOT_IN_MEMORY),
    ],
)
def test_a_ttl_ends_in_its_window(now: float, readings: frozenset[str]) -> None:
    model = lifecycle.deploy(Model(ttl_minutes=1), AT).after
    assert model.readings(now, 10) == readings


def test_an_undeploy_ends_the_ttl_too() -> None:
    model = lifecycle.undeploy(lifecycle.deploy(Model(ttl_minutes=1), AT).after).after
    assert model.readings(20, 10) == NOT_IN_MEMORY


def test_a_second_deploy_may_count_as_a_use_or_not() -> None:
    again = lifecycle.deploy(DEPLOYED, Window(50, 51))
    assert again.statuses == {200}
    assert again.after.used_at == Window(10, 51)


def test_a_prediction_is_a_use() -> None:
    assert lifecycle.predict(DEPLOYED, Window(50, 51), auto_deploy=False).after.used_at == Window(50, 51)


def test_a_prediction_deploys_where_that_is_on() -> None:
    step = lifecycle.predict(NEW, AT, auto_deploy=True)
    assert (step.statuses, step.after.deployed) == ({200}, True)


def test_a_prediction_is_refused_where_it_is_off() -> None:
    step = lifecycle.predict(NEW, AT, auto_deploy=False)
    assert (step.requirement, step.statuses, step.after) == ("osml.predict.not-ready", {400}, NEW)


def test_a_disabled_model_refuses_predictions_with_any_4xx() -> None:
    disabled = lifecycle.update(DEPLOYED, AT, enabled=False).after
    step = lifecycle.predict(disabled, AT, auto_deploy=True)
    assert step.requirement == "osml.update.disabled"
    assert step.statuses == set(range(400, 500))
    assert step.after == disabled


def test_an_update_changes_what_it_names_and_nothing_else() -> None:
    after = lifecycle.update(DEPLOYED, AT, description="new").after
    assert (after.description, after.enabled, after.deployed) == ("new", True, True)


def test_an_update_may_count_as_a_use_or_not() -> None:
    after = lifecycle.update(DEPLOYED, Window(50, 51), description="new").after
    assert after.used_at == Window(10, 51)


def test_a_model_in_memory_is_not_deleted() -> None:
    step = lifecycle.delete(DEPLOYED, 20, 10, safe=False)
    assert (step.requirement, step.statuses, step.after) == ("osml.delete.deployed", {400}, DEPLOYED)


def test_a_model_out_of_memory_is_deleted() -> None:
    step = lifecycle.delete(NEW, 20, 10, safe=False)
    assert (step.statuses, step.after.exists) == ({200}, False)


def test_inside_the_window_both_answers_to_a_delete_are_right() -> None:
    model = lifecycle.deploy(Model(ttl_minutes=1), AT).after
    assert lifecycle.delete(model, 75, 10, safe=False).statuses == {200, 400}


class TestSafeDelete:
    used = lifecycle.used_by(NEW, "pipeline")

    def test_a_used_model_is_kept(self) -> None:
        step = lifecycle.delete(self.used, 20, 10, safe=True)
        assert (step.requirement, step.statuses) == ("osml.delete.safe.conflict", {409})
        assert step.after == self.used

    def test_without_protection_use_does_not_matter(self) -> None:
        assert lifecycle.delete(self.used, 20, 10, safe=False).statuses == {200}

    def test_a_model_that_is_no_longer_used_is_deleted(self) -> None:
        free = lifecycle.no_longer_used_by(self.used, "pipeline")
        assert lifecycle.delete(free, 20, 10, safe=True).statuses == {200}

    def test_a_used_model_in_memory_may_be_refused_for_either_reason(self) -> None:
        model = lifecycle.deploy(self.used, AT).after
        assert lifecycle.delete(model, 20, 10, safe=True).statuses == {400, 409}


@pytest.mark.parametrize(
    ("step", "requirement"),
    [
        (lifecycle.deploy(GONE, AT), "osml.deploy.unknown-model"),
        (lifecycle.undeploy(GONE), "osml.undeploy.unknown-model"),
        (lifecycle.predict(GONE, AT, auto_deploy=True), "osml.predict.unknown-model"),
        (lifecycle.update(GONE, AT, description="x"), "osml.update.unknown-model"),
        (lifecycle.delete(GONE, 0, 10, safe=True), "osml.delete.unknown"),
    ],
)
def test_nothing_can_be_done_to_what_is_gone(step: lifecycle.Step, requirement: str) -> None:
    assert (step.requirement, step.statuses, step.after) == (requirement, {404}, GONE)


class TestLocal:
    def test_a_predict_does_not_deploy_it(self) -> None:
        step = lifecycle.predict(Model(local=True), Window(0, 1), auto_deploy=True)
        assert (step.requirement, step.statuses) == ("osml.predict.local.not-ready", frozenset({400}))
        assert not step.after.deployed

    def test_it_is_not_updated(self) -> None:
        model = Model(local=True, description="first")
        step = lifecycle.update(model, Window(0, 1), description="second")
        assert (step.statuses, step.after) == (frozenset({403}), model)
