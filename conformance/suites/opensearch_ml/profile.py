"""OpenSearch ML Commons as a profile."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mlconform.conformance.contract.store import schemas_root
from mlconform.conformance.targets import (
    opensearch_discovery,
    opensearch_nodes,
    opensearch_preparation,
    opensearch_sweep,
)
from mlconform.conformance.targets.profiles import Profile

PROFILE: Final = Profile(
    "opensearch-ml",
    "osml",
    checks=Path(__file__).parent,
    contracts=schemas_root(),
    discover=opensearch_discovery.discover,
    prepare=opensearch_preparation.prepare,
    join=opensearch_preparation.join,
    sweep=opensearch_sweep.sweep,
    rank=0,
    reach=opensearch_nodes.reach,
)
