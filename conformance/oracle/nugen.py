"""What may be true of an aligned model of Nugen after each operation, told from its page alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """The settled states of a model that a run may use."""

    DEPLOYED = "DEPLOYED"
    UNDEPLOYED = "UNDEPLOYED"


@dataclass(frozen=True, slots=True)
class Step:
    """What an operation on a settled model must be answered with, and the state it settles in.

    `requirement` is what another status violates, `reaches` what another state violates.
    """

    requirement: str
    status: int
    reaches: str
    after: Status


def undeploy(before: Status) -> Step:
    """A deployed model is undeployed; an undeployed one refuses (responses 200 and 400 of the page)."""
    if before is Status.DEPLOYED:
        return Step("nugen.undeploy.answer", 200, "nugen.undeploy.reaches-undeployed", Status.UNDEPLOYED)
    return Step("nugen.undeploy.not-deployed", 400, "nugen.undeploy.reaches-undeployed", Status.UNDEPLOYED)


def redeploy(before: Status) -> Step | None:
    """An undeployed model can be deployed later; of a deployed one the pages say nothing."""
    if before is Status.DEPLOYED:
        return None
    return Step("nugen.deploy.answer", 200, "nugen.deploy.reaches-deployed", Status.DEPLOYED)
