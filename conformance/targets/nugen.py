"""What the suite must know to be a good guest at Nugen Intelligence.

Its API makes no models, so a run uses those that it is given and brings them back to the state they
were in.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from mlconform.conformance.errors import PrerequisiteMissing
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets.credentials import Credentials, bearer
from mlconform.conformance.targets.session import Facts, Session
from mlconform.conformance.targets.tracker import Resource
from mlconform.conformance.targets.turns import Tell

# No word that a report says: secrets are hidden there.
_MOCK_TOKEN = "a-token-of-no-account"
MODELS = "/api/v3/models"
ALIGNED = f"{MODELS}/aligned"
_MOVES: Mapping[str, tuple[str, str]] = {
    "DEPLOYED": ("POST", "deploy-model"),
    "UNDEPLOYED": ("DELETE", "undeploy-model"),
}


def account(near: bool) -> Credentials | None:
    """The token of `MLCONFORM_TOKEN`; where there is none and the target is near, one that any mock takes."""
    # A token read from a file often ends in a newline, which no header can carry.
    token = os.environ.get("MLCONFORM_TOKEN", "").strip() or (_MOCK_TOKEN if near else "")
    return bearer(token) if token else None


def discover(session: Session) -> Facts:
    """Read the list of aligned models; raises `PrerequisiteMissing` with what is not there."""
    listed = session.request("GET", ALIGNED)
    if listed.status in (401, 403):
        raise PrerequisiteMissing(
            f"GET {ALIGNED} was refused with {listed.status}: give a token in MLCONFORM_TOKEN"
        )
    if listed.status != 200 or not listed.text.lstrip().startswith("{"):
        raise PrerequisiteMissing(
            f"expected the list of aligned models at GET {ALIGNED}, but {listed.summary}"
        )
    models = listed.member("domain_aligned_models")
    if not isinstance(models, list):
        raise PrerequisiteMissing(f"expected domain_aligned_models at GET {ALIGNED}, but {listed.summary}")
    return Facts("nugen", "Nugen Intelligence", "25.4.20", notes=(f"{len(models)} aligned models",))


def join(session: Session, run: str) -> None:
    """Choose the models that may be used, as the other processes of the run do."""
    del run
    prepare(session)


def prepare(session: Session, tell: Tell = lambda _: None) -> None:
    """Choose the models that may be used: those named, or all where the target's time can be moved,
    for a target whose clock anybody may move serves nobody else."""
    del tell
    if not session.options.model_ids and session.clock.movable:
        session.options = replace(
            session.options, model_ids=tuple(str(m.get("id")) for m in entries(session))
        )


def entry(session: Session, model_id: str) -> Mapping[str, Any]:
    """The model as the list of aligned models shows it; empty where it is not in it."""
    return next((model for model in entries(session) if model.get("id") == model_id), {})


def bring_to(session: Session, model_id: str, wanted: str) -> None:
    """Deploy or undeploy the model until it is in this state; raises `Untestable` where it can't be."""
    method, action = _MOVES[wanted]
    settling = {"DEPLOYING", "UNDEPLOYING"}

    def state() -> str:
        return str(entry(session, model_id).get("status"))

    budget = session.options.max_wait
    if session.settle(state, lambda read: read not in settling, budget=budget).value == wanted:
        return
    moved = session.request(method, f"{MODELS}/{action}/{quote(model_id, safe='')}")
    settled = session.settle(state, lambda read: read == wanted, budget=budget)
    if not settled:
        raise Untestable(
            f"{model_id} could not be brought to {wanted}: {moved.summary}; it is {settled.value}"
        )


def restore_later(session: Session, model_id: str) -> None:
    """Have the model brought back to the state it is in now, as far as the API can."""
    before = str(entry(session, model_id).get("status"))

    def restore() -> str | None:
        if before not in _MOVES:
            return None
        try:
            bring_to(session, model_id, before)
        except Untestable as error:
            return str(error)
        return None

    session.tracker.add(Resource("state of model", model_id, restore))


def entries(session: Session) -> list[Mapping[str, Any]]:
    models = session.request("GET", ALIGNED).member("domain_aligned_models")
    return [model for model in models if isinstance(model, dict)] if isinstance(models, list) else []
