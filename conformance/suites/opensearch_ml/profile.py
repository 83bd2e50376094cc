"""OpenSearch ML Commons as a profile."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mlconform.conformance.contract.store import schemas_root
from mlconform.conformance.targets import opensearch_ml, opensearch_nodes
from mlconform.conformance.targets.profiles import Profile

PROFILE: Final = Profile(
    "opensearch-ml",
    "osml",
    checks=Path(__file__).parent,
    contracts=schemas_root(),
    discover=opensearch_ml.discover,
    prepare=opensearch_ml.prepare,
    join=opensearch_ml.join,
    sweep=opensearch_ml.sweep,
    rank=0,
    reach=opensearch_nodes.reach,
)
