"""What may be true of a model after each operation, told from the pages and the recordings alone.

The oracle knows a model as little as a reader of the documentation does: whether it exists, is in
memory, may be used, when its time to live ends, and who uses it. What the pages leave open stays
open here: a state then allows more than one reading.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mlconform.conformance.oracle.windows import NEVER, Window, ttl_window

# Readings of model_state (pages deploy-model and undeploy-model; recordings of 2.19.0 and 3.4.0).
IN_MEMORY = frozenset({"DEPLOYED", "PARTIALLY_DEPLOYED"})
NOT_IN_MEMORY = frozenset({"REGISTERED", "UNDEPLOYED"})
ABSENT = frozenset({"absent"})


@dataclass(frozen=True, slots=True)
class Model:
    """The oracle's view of one model. Times are seconds on the target's clock.

    `used_at` is the window in which it was last deployed or used for a prediction; the request
    began at its start and was answered by its end. `ttl_minutes` is None or below 0 for no limit. One that is
    `local` lives in the memory of the nodes themselves.
    """

    exists: bool = True
    deployed: bool = False
    enabled: bool = True
    ttl_minutes: int | None = None
    used_at: Window = NEVER
    description: str = ""
    users: frozenset[str] = frozenset()
    local: bool = False

    def readings(self, now: float, interval: float) -> frozenset[str]:
        """The states that a read at `now` may show, with this sync-up interval in seconds."""
        if not self.exists:
            return ABSENT
        if not self.deployed:
            return NOT_IN_MEMORY
        if self.ttl_minutes is None or self.ttl_minutes < 0:
            return IN_MEMORY
        window = ttl_window(self.used_at, self.ttl_minutes, interval)
        if now < window.opens:
            return IN_MEMORY
        if now > window.closes:
            return NOT_IN_MEMORY
        return IN_MEMORY | NOT_IN_MEMORY


@dataclass(frozen=True, slots=True)
class Step:
    """What an operation must be answered with, and the model after it.

    `requirement` is what a different status violates; `statuses` are those allowed.
    """

    requirement: str
    statuses: frozenset[int]
    after: Model


def deploy(model: Model, at: Window) -> Step:
    """A deploy is accepted and ends with the model in memory (page deploy-model)."""
    if not model.exists:
        return Step("osml.deploy.unknown-model", frozenset({404}), model)
    # Whether a second deploy counts as a use is written nowhere, so both are allowed.
    used = Window(model.used_at.opens, at.closes) if model.deployed else at
    return Step("osml.deploy.in-memory", frozenset({200}), replace(model, deployed=True, used_at=used))


def undeploy(model: Model) -> Step:
    """An undeploy takes the model out of memory, or finds nothing to take (page undeploy-model)."""
    if not model.exists:
        return Step("osml.undeploy.unknown-model", frozenset({404}), model)
    return Step("osml.undeploy.from-memory", frozenset({200}), replace(model, deployed=False))


def predict(model: Model, at: Window, *, auto_deploy: bool) -> Step:
    """A prediction uses the model, deploying it first where that is on (page deploy-model, since 2.13).

    The page speaks of models that are hosted elsewhere; a local one is not deployed by itself (recording
    local_limits#15).
    """
    if not model.exists:
        return Step("osml.predict.unknown-model", frozenset({404}), model)
    if not model.enabled:
        return Step("osml.update.disabled", frozenset(range(400, 500)), model)
    if not model.deployed and model.local:
        return Step("osml.predict.local.not-ready", frozenset({400}), model)
    if not model.deployed and not auto_deploy:
        return Step("osml.predict.not-ready", frozenset({400}), model)
    return Step("osml.predict.answer", frozenset({200}), replace(model, deployed=True, used_at=at))


def update(model: Model, at: Window, *, description: str | None = None, enabled: bool | None = None) -> Step:
    """An update changes the fields that it names and no others (page update-model).

    Whether it counts as a use of the model is written nowhere, so both are allowed. A sparse tokenizer is not
    updated at all (recording local_chunks#31).
    """
    if not model.exists:
        return Step("osml.update.unknown-model", frozenset({404}), model)
    if model.local:
        return Step("osml.update.local", frozenset({403}), model)
    after = replace(
        model,
        description=model.description if description is None else description,
        enabled=model.enabled if enabled is None else enabled,
        used_at=Window(model.used_at.opens, max(model.used_at.closes, at.closes)),
    )
    return Step("osml.update.endpoint", frozenset({200}), after)


def delete(model: Model, now: float, interval: float, *, safe: bool) -> Step:
    """A delete takes the model away unless it is deployed, or protected and in use.

    The pages name safe delete (page delete-model); that a deployed model stays is recorded only.
    Where the time to live may or may not have ended, both answers are right.
    """
    gone = replace(model, exists=False, deployed=False)
    if not model.exists:
        return Step("osml.delete.unknown", frozenset({404}), model)
    readings = model.readings(now, interval)
    blocked = safe and bool(model.users)
    refusals = {400, 409} if blocked else {400}
    if readings <= IN_MEMORY:
        return Step("osml.delete.deployed", frozenset(refusals), model)
    if blocked:
        return Step(
            "osml.delete.safe.conflict", frozenset({409} if not readings & IN_MEMORY else refusals), model
        )
    if readings & IN_MEMORY:
        return Step("osml.delete.gone", frozenset({200, 400}), gone)
    return Step("osml.delete.gone", frozenset({200}), gone)


def used_by(model: Model, user: str) -> Model:
    """A pipeline or an agent was made that names the model."""
    return replace(model, users=model.users | {user})


def no_longer_used_by(model: Model, user: str) -> Model:
    """That pipeline or agent was removed."""
    return replace(model, users=model.users - {user})
