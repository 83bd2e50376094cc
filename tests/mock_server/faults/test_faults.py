"""Every mutant behaves otherwise than the mock without a fault, in just the way its name says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mlconform.mock_server import MUTANTS

from . import local_models, nugen, remote_models, several_nodes

PROBES = {
    **remote_models.PROBES,
    **local_models.PROBES,
    **several_nodes.PROBES,
    **nugen.PROBES,
}

SEVERAL_NODES = (
    "deploy-ignores-node-ids",
    "deploy-leaves-a-node-out",
    "departed-node-stays",
    "only-ml-nodes-ignored",
    "other-nodes-lag",
    "other-nodes-serve-nothing",
    "redeploys-unlimited",
    "refused-delete-parts-nodes",
    "returned-node-ignored",
    "returned-node-unsettles",
    "undeploy-forgets-other-nodes",
)


def test_every_mutant_has_a_probe() -> None:
    """Those of a mock with users are probed where its users are tested."""
    assert PROBES.keys() == {name for name, mutant in MUTANTS.items() if not mutant.secured}


@pytest.mark.parametrize("name", sorted(PROBES))
def test_a_mutant_behaves_otherwise(make_client: Callable[..., Any], name: str) -> None:
    def seen(mutant: str | None) -> Any:
        nodes = 2 if name in SEVERAL_NODES else 1
        client = make_client(mutant=mutant, nodes=nodes, ml_nodes=MUTANTS[name].ml_nodes)
        client.headers = {"authorization": "Bearer token"}
        return PROBES[name](client)

    assert seen(name) != seen(None)


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=list(MUTANTS))
def test_a_mutant_says_what_is_wrong_in_one_line(mutant: Any) -> None:
    assert mutant.profile in ("opensearch-ml", "nugen")
    assert mutant.description.endswith(".")
    assert "\n" not in mutant.description
