"""The watch with the contract of 3.4, on a target with one node."""

from __future__ import annotations

import pytest

from mlconform.conformance.contract import store
from mlconform.conformance.contract.model import Contract
from mlconform.conformance.targets.session import Facts
from mlconform.conformance.watch.watch import Watch

from .exchanges import NOW


@pytest.fixture(scope="module")
def contract() -> Contract:
    return store.load("opensearch-ml", "3.4")


@pytest.fixture
def watch(contract: Contract) -> Watch:
    facts = Facts("opensearch-ml", "opensearch", "3.4.0", ("node",))
    return Watch(contract, facts, lambda _: True, lambda: NOW)
