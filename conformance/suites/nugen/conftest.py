"""The fixture that every check of Nugen begins with."""

from __future__ import annotations

import pytest

from mlconform.conformance.suites.nugen.api import Nugen
from mlconform.conformance.targets.session import Session


@pytest.fixture
def nugen(session: Session) -> Nugen:
    return Nugen(session)
