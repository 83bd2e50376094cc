"""A node that leaves the cluster and comes back: by two commands of the user's, or as the mock lets it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from mlconform.conformance.contract.model import Remedy
from mlconform.conformance.errors import TargetUnreachable
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets.restart import RESTART_BUDGET_SECONDS, carry_out, serves
from mlconform.conformance.targets.session import CONTROLLED_NODES, Session
from mlconform.conformance.targets.settle import settle
from mlconform.conformance.targets.tracker import Resource

# A node that ends tells the others; one that dies is missed after three looks of ten seconds.
LEAVING_BUDGET_SECONDS = 90.0


@dataclass(frozen=True)
class StoppedNode:
    """A node that left: `gone` is its id, `before` are the ids of all nodes before."""

    session: Session
    before: frozenset[str]
    gone: str

    def start(self) -> None:
        """Start it again and wait until as many nodes serve as before. Raises `Untestable`."""
        problem = _started_again(self.session, self.before)
        if problem is not None:
            raise Untestable(problem, Remedy.NODE_COMMANDS)


def stop_node(session: Session) -> StoppedNode:
    """Stop one of the nodes and wait until the cluster goes on without it.

    It is started again after the check at the latest. Raises `Untestable` where it can't be stopped, and
    where the node that stopped is the one that answered the run.
    """
    before = _members(session)
    session.tracker.add(Resource("stopped node", "", lambda: _started_again(session, before)))
    session.let_go()
    began = time.monotonic()
    _bring_about(session, "stop", session.options.stop_node_command)
    left = settle(
        lambda: _members(session),
        lambda there: 0 < len(there) < len(before),
        budget=LEAVING_BUDGET_SECONDS,
    )
    gone = sorted(before - left.value)
    if not left or len(gone) != 1:
        raise Untestable(
            f"of {len(before)} nodes the cluster had {len(left.value)} after the stop command: give one that "
            "stops one node of it, another than the first --target",
            Remedy.NODE_COMMANDS,
        )
    session.deeds.append(f"stopped the node {gone[0]}; it was gone after {_since(began)}")
    return StoppedNode(session, before, gone[0])


def _started_again(session: Session, before: frozenset[str]) -> str | None:
    """Start what was stopped; why not all nodes are there again, or None where they are."""
    if len(_members(session)) >= len(before):
        return None
    began = time.monotonic()
    _bring_about(session, "start", session.options.start_node_command)
    back = settle(
        lambda: serves(session.aside) and len(_members(session)) >= len(before),
        lambda there: there,
        budget=RESTART_BUDGET_SECONDS,
    )
    if not back:
        return f"fewer than {len(before)} nodes serve {back.seconds:.0f} s after the start command"
    session.deeds.append(f"started it again; the cluster served with it after {_since(began)}")
    return None


def _since(began: float) -> str:
    return f"{time.monotonic() - began:.0f} s"


def _members(session: Session) -> frozenset[str]:
    """The ids of the nodes that the cluster has now; none where it does not answer."""
    try:
        read = session.aside("GET", "/_nodes/http")
    except (TargetUnreachable, Untestable):
        return frozenset()
    nodes = read.member("nodes") if read.answer is not None and read.status == 200 else None
    return frozenset(nodes) if isinstance(nodes, dict) else frozenset()


def _bring_about(session: Session, deed: str, command: str | None) -> None:
    """Stop or start a node by the command; without one, the last node of a mock. Raises `Untestable`."""
    if command is not None:
        carry_out(f"{deed} command", command, Remedy.NODE_COMMANDS)
        return
    told = session.request("POST", CONTROLLED_NODES, {deed: len(session.facts.nodes)}, authorize=False)
    if told.status != 200:
        raise Untestable(f"the node could not be made to {deed}: {told.summary}", Remedy.NODE_COMMANDS)
