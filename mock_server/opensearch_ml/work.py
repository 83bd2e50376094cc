"""Work that takes a while: deployments and registrations, how they progress and how they may end."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Protocol

from msgspec import Struct, field

from mlconform.mock_server.opensearch_ml.store import LocalFile, Model

LOCAL_MODEL_SECONDS = 0.2
"""What the registration and the deployment of a local model take."""


class Outcome(StrEnum):
    """How a deployment ends."""

    DEPLOYED = "deployed"
    FAILED = "deploy-failed"
    PARTIAL = "partially-deployed"
    NEVER = "never-ends"


class Outcomes(Protocol):
    """Decides how each deployment ends."""

    def deploy_outcome(self, model_id: str) -> Outcome:
        """How the deployment of this model that begins now is going to end."""


class AlwaysDeployed:
    """Nothing is disturbed."""

    def deploy_outcome(self, model_id: str) -> Outcome:
        """Every deployment succeeds; `model_id` does not matter."""
        return Outcome.DEPLOYED


class Progress(Struct, frozen=True):
    """When work ends: as time passes, at once, or when its task or model has been read so many times."""

    at_once: bool = False
    reads: int | None = None

    @classmethod
    def named(cls, text: str) -> Progress:
        """`time`, `immediate`, or a number of reads. Raises ValueError for anything else."""
        if text.isascii() and text.isdigit() and int(text) > 0:
            return cls(reads=int(text))
        if text not in ("time", "immediate"):
            raise ValueError(
                f"expected the progress time, immediate or a number of reads above zero, got {text!r}"
            )
        return cls(at_once=text == "immediate")

    def latency(self, usual: float) -> float:
        """Seconds that work takes whose usual latency this is."""
        return math.inf if self.reads is not None else 0.0 if self.at_once else usual


class Deployment(Struct, frozen=True):
    """A deployment under way. Times are epoch seconds.

    An automatic one serves before its documents say so: the predict call that began it is answered first.
    `refusals` are the nodes that refuse it, with their reasons.
    """

    model_id: str
    task_id: str
    nodes: tuple[str, ...]
    on_all_nodes: bool
    begins_at: float
    running_at: float
    due: float
    automatic: bool = False
    outcome: Outcome = Outcome.DEPLOYED
    refusals: dict[str, str] = field(default_factory=dict)


class Registration(Struct, frozen=True):
    """The registration of a local model, whose document has its file only at the end.

    Times are epoch seconds. `content_hash` is what was told of the file.
    """

    model: Model
    task_id: str
    running_at: float
    due: float
    file: LocalFile | None = None
    content_hash: str | None = None
    from_url: bool = False
    deploy: bool = False
    failure: str | None = None
    begun: float = 0.0

    @property
    def model_id(self) -> str:
        """The id that the model is going to have."""
        return self.model.id
