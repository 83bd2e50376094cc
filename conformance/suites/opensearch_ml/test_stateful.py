"""Any sequence of operations, held to the oracle: one hypothesis state machine."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    precondition,
    rule,
)

from mlconform.conformance.oracle import lifecycle
from mlconform.conformance.oracle.lifecycle import Model, Step
from mlconform.conformance.oracle.windows import Window
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.explore import Explore
from mlconform.conformance.suites.marks import exclusive, requirement
from mlconform.conformance.suites.opensearch_ml.api import MlCommons, state_of
from mlconform.conformance.suites.opensearch_ml.local_models import LocalModels
from mlconform.conformance.suites.opensearch_ml.test_safe_delete import KINDS
from mlconform.conformance.targets.exchange import Exchange

INTERVAL_SECONDS = 10
STATE_REQUIREMENTS = {True: "osml.deploy.in-memory", False: "osml.undeploy.from-memory"}


class Lifecycle(RuleBasedStateMachine):
    """Models of both kinds, registered, deployed, used, updated, undeployed and deleted in any order."""

    ml: MlCommons
    expect: Expect
    models = Bundle("models")
    users = Bundle("users")

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, Model] = {}
        self.safe = False
        self.ml.session.begin_sequence()
        self.mark = self.ml.session.tracker.mark()

    def teardown(self) -> None:
        # After a difference the check's own cleaning removes the rest: its requests are no evidence.
        if sys.exception() is None:
            self.ml.session.clean(self.mark)

    # the rules

    @initialize(safe=st.booleans())
    def settings(self, safe: bool) -> None:
        self.safe = safe
        self.ml.set(SAFE_DELETE=safe, SYNC_INTERVAL=INTERVAL_SECONDS, AUTO_DEPLOY=True)

    @rule(target=models, ttl=st.sampled_from([None, 1, 2, -1]), local=st.booleans())
    def register(self, ttl: int | None, local: bool) -> str:
        # Nodes forget what was told beside the file with its last chunk, and no page has it otherwise.
        kept = None if local else ttl
        setting: dict[str, Any] = {} if kept is None else {"deploy_setting": {"model_ttl_minutes": kept}}
        make = LocalModels(self.ml).uploaded if local else self.ml.model
        model = make(description="first", **setting)
        self.known[model] = Model(ttl_minutes=kept, description="first", local=local)
        return model

    @rule(model=models)
    def deploy(self, model: str) -> None:
        opens = self.now()
        answered = self.ml.when_ready(lambda: self.ml.deploy(model))
        step = lifecycle.deploy(self.known[model], Window(opens, opens))
        if self.answered(model, step, answered):
            if self.known[model].exists:
                self.ml.await_task(answered)
                self.ml.settle_state(model, "DEPLOYED")
                self.known[model] = lifecycle.deploy(self.known[model], Window(opens, self.now())).after
            self.reads_right(model)

    @rule(model=models)
    def undeploy(self, model: str) -> None:
        step = lifecycle.undeploy(self.known[model])
        if self.answered(model, step, self.ml.undeploy(model)):
            self.known[model] = step.after
            self.reads_right(model)

    @rule(model=models)
    def predict(self, model: str) -> None:
        opens = self.now()
        is_local = self.known[model].local
        answered = LocalModels(self.ml).predict(model) if is_local else self.ml.predict(model)
        step = lifecycle.predict(self.known[model], Window(opens, self.now()), auto_deploy=True)
        if self.answered(model, step, answered):
            self.known[model] = step.after
            self.reads_right(model)

    @rule(model=models, description=st.text("abc", min_size=1, max_size=5), enabled=st.booleans())
    def update(self, model: str, description: str, enabled: bool) -> None:
        body = {"description": description, "is_enabled": enabled}
        answered = self.ml.when_ready(lambda: self.ml.update(model, body))
        now = Window(self.now(), self.now())
        step = lifecycle.update(self.known[model], now, description=description, enabled=enabled)
        if not self.answered(model, step, answered):
            return
        self.known[model] = step.after
        if step.after.exists and not step.after.local:
            read = self.read(model)
            came = (read.member("description"), read.member("is_enabled"))
            difference = self.expect.search(
                "osml.update.endpoint",
                came == (description, enabled),
                expected=f"description, is_enabled = {(description, enabled)!r}",
                came=repr(came),
            )
            if difference is not None:
                self.takes_as_it_is(model)

    @rule(target=users, model=models, kind=st.sampled_from(KINDS))
    def use(self, model: str, kind: str) -> tuple[str, str, str | None]:
        if not self.known[model].exists:
            # Not `multiple()`: what can be drawn next must not depend on what the target answered, or
            # hypothesis ends the search where it answers otherwise by chance.
            return model, kind, None
        user = self.ml.user_of(kind, model)
        self.known[model] = lifecycle.used_by(self.known[model], user)
        return model, kind, user

    @rule(user=consumes(users))
    def stop_using(self, user: tuple[str, str, str | None]) -> None:
        model, kind, name = user
        if name is None:
            return
        self.ml.remove_user(kind, name)
        self.known[model] = lifecycle.no_longer_used_by(self.known[model], name)

    @rule(model=models)
    def delete(self, model: str) -> None:
        step = lifecycle.delete(self.known[model], self.now(), INTERVAL_SECONDS, safe=self.safe)
        answered = self.ml.delete(model)
        if self.answered(model, step, answered):
            if answered.status == 200:
                self.known[model] = step.after
            self.reads_right(model)

    @precondition(lambda self: self.ml.session.clock.movable)
    @rule(seconds=st.sampled_from([9, 30, 61, 130]))
    def wait(self, seconds: int) -> None:
        self.ml.session.let_pass(seconds, "a step of the state machine")
        for model in self.known:
            self.reads_right(model)

    # what the oracle says of it

    def now(self) -> float:
        return self.ml.session.clock.now()

    def answered(self, model: str, step: Step, answered: Exchange) -> bool:
        """Whether the answer is as it must be. Past a known difference the world is as it reads."""
        difference = self.expect.search_status(step.requirement, answered, *sorted(step.statuses))
        if difference is not None:
            self.takes_as_it_is(model)
        return difference is None

    def read(self, model: str) -> Exchange:
        """A read of a model, once more where another answer was written over it: that is told of by the
        watch, and says nothing of the model."""
        return self.ml.session.settle(
            lambda: self.ml.get(model), lambda read: read.json_problem is None, budget=5.0
        ).value

    def state(self, model: str) -> str:
        return state_of(self.read(model))

    def reads_right(self, model: str) -> None:
        known, begin = self.known[model], self.now()

        def allowed() -> frozenset[str]:
            """What may have been so at some moment since the look began: its request has its own time."""
            return known.readings(begin, INTERVAL_SECONDS) | known.readings(self.now(), INTERVAL_SECONDS)

        settled = self.ml.session.settle(
            lambda: self.state(model), lambda state: state in allowed(), budget=5.0
        )
        right = allowed()
        requirement = STATE_REQUIREMENTS[known.deployed] if known.exists else "osml.delete.gone"
        difference = self.expect.search(
            requirement,
            settled.value in right,
            expected=f"model_state = {' or '.join(repr(state) for state in sorted(right))}",
            came=repr(settled.value),
        )
        if difference is not None:
            self.takes_as_it_is(model)

    def takes_as_it_is(self, model: str) -> None:
        """The oracle believes what the target shows of a model, after an answer that it did not allow."""
        resting = (*lifecycle.ABSENT, *lifecycle.IN_MEMORY, *lifecycle.NOT_IN_MEMORY)
        settled = self.ml.session.settle(lambda: self.state(model), lambda state: state in resting)
        known, enabled = self.known[model], self.read(model).member("is_enabled")
        used = Window(known.used_at.opens, self.now())
        self.known[model] = replace(
            known,
            exists=settled.value != "absent",
            deployed=settled.value in lifecycle.IN_MEMORY,
            enabled=enabled if isinstance(enabled, bool) else known.enabled,
            used_at=used,
        )


@exclusive
@requirement(
    "osml.deploy.in-memory",
    "osml.deploy.unknown-model",
    "osml.undeploy.from-memory",
    "osml.undeploy.unknown-model",
    "osml.update.endpoint",
    "osml.update.unknown-model",
    "osml.update.disabled",
    "osml.update.local",
    "osml.predict.local.not-ready",
    "osml.predict.answer",
    "osml.predict.unknown-model",
    "osml.delete.gone",
    "osml.delete.deployed",
    "osml.delete.unknown",
    "osml.delete.safe.conflict",
)
def test_any_sequence(ml: MlCommons, expect: Expect, explore: Explore) -> None:
    class OnThisTarget(Lifecycle):
        pass

    OnThisTarget.ml, OnThisTarget.expect = ml, expect
    explore.search(expect, lambda: explore.machine(OnThisTarget, steps=15, most=100))
