"""The nodes of the cluster, and ids as OpenSearch makes them."""

from __future__ import annotations

import base64
import random

from msgspec import Struct


class Ids:
    """Ids from a seeded source, so that two mocks with one seed make the same ids in the same order.

    So is what happens by chance on a recorded node, from a source beside it.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._chance = random.Random(seed)

    def happens(self, probability: float) -> bool:
        """Whether what comes with this probability, 0 to 1, comes now."""
        return self._chance.random() < probability

    def lasting(self, mean: float, longest: float) -> float:
        """How long what may end at any moment goes on this time, in seconds, but not longer than that."""
        return min(self._chance.expovariate(1 / mean), longest)

    def begin_anew(self, source: str) -> None:
        """Go on with ids that depend on this text alone."""
        self._random.seed(source.encode("utf-8", "surrogatepass"))

    def document(self) -> str:
        """A document id: 15 bytes, 20 characters of URL-safe base64."""
        return self._encode(15)

    def node(self) -> str:
        """A node id: 16 bytes, 22 characters of URL-safe base64."""
        return self._encode(16)

    def _encode(self, size: int) -> str:
        return base64.urlsafe_b64encode(self._random.randbytes(size)).decode().rstrip("=")


def uuid_of(name: str) -> str:
    """What OpenSearch knows a thing of this name by: 16 bytes, 22 characters of URL-safe base64."""
    import hashlib  # noqa: PLC0415 - a fast start

    digest = hashlib.md5(name.encode("utf-8", "replace"), usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


class Node(Struct, frozen=True):
    """One node; `is_ml` says whether it has the role for machine learning."""

    id: str
    name: str
    number: int
    is_ml: bool = True

    @property
    def roles(self) -> tuple[str, ...]:
        """What the node is for."""
        return tuple(role for role in ROLES if self.is_ml or role != ML_ROLE)

    @property
    def address(self) -> str:
        """The transport address that the node claims."""
        return f"127.0.0.1:{9299 + self.number}"


ML_ROLE = "ml"
USED_PERCENT = 30
"""How much of its memory of every kind the mock seems to use; a node tells what it measures."""
ROLES = ("cluster_manager", "data", "ingest", "ml", "remote_cluster_client")


def make_nodes(count: int, ids: Ids, ml_nodes: int | None = None) -> tuple[Node, ...]:
    """So many nodes, the first one being the cluster manager, the last `ml_nodes` for machine learning too.

    All are unless told otherwise. Raises ValueError when the count is below one, or there are not so many.
    """
    if count < 1:
        raise ValueError(f"a cluster has at least one node, not {count}")
    of_ml = count if ml_nodes is None else ml_nodes
    if not 0 <= of_ml <= count:
        raise ValueError(f"of {count} nodes 0 to {count} are for machine learning, not {of_ml}")
    numbers = range(1, count + 1)
    return tuple(Node(ids.node(), f"node-{number}", number, number > count - of_ml) for number in numbers)
