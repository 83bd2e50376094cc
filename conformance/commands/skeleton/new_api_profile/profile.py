"""What the suite must know to be a good guest at a server that speaks this API."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mlconform.conformance.errors import PrerequisiteMissing
from mlconform.conformance.targets.profiles import Profile
from mlconform.conformance.targets.session import Facts, Session
from mlconform.conformance.targets.turns import Tell

ROOT: Final = "/new-api"
_HERE = Path(__file__).parent


def discover(session: Session) -> Facts:
    """Read what the server is; raises `PrerequisiteMissing` where nothing speaks the API."""
    answered = session.request("GET", ROOT)
    if answered.status != 200:
        raise PrerequisiteMissing(f"expected 200 at GET {ROOT}, but {answered.summary}")
    return Facts("new-api", product="a server of new-api", version="1")


def prepare(session: Session, tell: Tell = lambda _: None) -> None:
    """Make ready what the checks need; here nothing."""
    del session, tell


def join(session: Session, run: str) -> None:
    """Stand on what another process of the run has prepared."""
    del run
    prepare(session)


PROFILE: Final = Profile(
    "new-api",
    "new-api",
    checks=_HERE / "checks",
    contracts=_HERE / "contracts",
    discover=discover,
    prepare=prepare,
    join=join,
)
