"""Nugen Intelligence as a profile: its API makes nothing, so there is nothing to sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mlconform.conformance.contract.store import schemas_root
from mlconform.conformance.targets import nugen
from mlconform.conformance.targets.profiles import Profile

PROFILE: Final = Profile(
    "nugen",
    "nugen",
    checks=Path(__file__).parent,
    contracts=schemas_root(),
    discover=nugen.discover,
    prepare=nugen.prepare,
    join=nugen.join,
    rank=1,
    account=nugen.account,
)
