"""What the suite must know to talk to Nugen Intelligence: discovery, and which models it may use."""

from __future__ import annotations

from conformance.outcomes import PrerequisiteMissing
from conformance.target.session import Facts, Session

ALIGNED = "/api/v3/models/aligned"


def discover(session: Session) -> Facts:
    """Read the list of aligned models; raises `PrerequisiteMissing` with what is not there."""
    listed = session.request("GET", ALIGNED)
    if listed.status in (401, 403):
        raise PrerequisiteMissing(
            f"GET {ALIGNED} was refused with {listed.status}: give a token in MLCONFORM_TOKEN"
        )
    if listed.status != 200 or not listed.text.lstrip().startswith("{"):
        raise PrerequisiteMissing(f"expected the list of aligned models at GET {ALIGNED}, but {listed.summary}")
    models = listed.member("domain_aligned_models")
    if not isinstance(models, list):
        raise PrerequisiteMissing(f"expected domain_aligned_models at GET {ALIGNED}, but {listed.summary}")
    return Facts("nugen", "Nugen Intelligence", "25.4.20", (), (f"{len(models)} aligned models",))
