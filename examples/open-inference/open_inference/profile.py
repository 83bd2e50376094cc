"""What the suite must know to be a good guest at a server that speaks the protocol.

The protocol makes no models, so a run uses those that it is given and brings them back to the state they
were in.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import quote

from mlconform.conformance.errors import PrerequisiteMissing
from mlconform.conformance.targets.profiles import Profile
from mlconform.conformance.targets.session import Facts, Session
from mlconform.conformance.targets.tracker import Resource
from mlconform.conformance.targets.turns import Tell

V2 = "/v2"
REPOSITORY = f"{V2}/repository"
_HERE = Path(__file__).parent


def discover(session: Session) -> Facts:
    """Read what the server is; raises `PrerequisiteMissing` where nothing speaks the protocol."""
    answered = session.request("GET", V2)
    name = answered.member("name") if answered.status == 200 and answered.text.startswith("{") else None
    if not isinstance(name, str):
        raise PrerequisiteMissing(f"expected the metadata of a server at GET {V2}, but {answered.summary}")
    # The protocol has one version; the server's own says nothing of it.
    return Facts("open-inference", f"{name} {answered.member('version')}", "2")


def prepare(session: Session, tell: Tell = lambda _: None) -> None:
    """Choose the models that may be used: those named, or all where the target's time can be moved,
    for a target whose clock anybody may move serves nobody else."""
    del tell
    if not session.options.model_ids and session.clock.movable:
        listed = session.request("POST", f"{REPOSITORY}/index", {}).json
        names = tuple(str(entry["name"]) for entry in listed if isinstance(entry, dict))
        session.options = replace(session.options, model_ids=names)


def join(session: Session, run: str) -> None:
    """Choose the models that may be used, as the other processes of the run do."""
    del run
    prepare(session)


def load_later(session: Session, model: str) -> None:
    """Have the model loaded again, whatever a check does to it."""

    def load() -> str | None:
        answered = session.request("POST", f"{REPOSITORY}/models/{quote(model, safe='')}/load")
        return None if answered.status == 200 else answered.summary

    session.tracker.add(Resource("loaded model", model, load))


PROFILE: Final = Profile(
    "open-inference",
    "v2",
    checks=_HERE / "checks",
    contracts=_HERE / "contracts",
    discover=discover,
    prepare=prepare,
    join=join,
)
