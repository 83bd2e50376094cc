"""The ways to the other nodes of a cluster: at the addresses that the user gave, or that it publishes."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from mlconform.conformance.errors import PrerequisiteMissing, TargetUnreachable
from mlconform.conformance.outcomes import BrokenAnswer, Untestable
from mlconform.conformance.targets.addresses import is_loopback
from mlconform.conformance.targets.session import Session
from mlconform.conformance.targets.transport import Transport

_PUBLISHED: Final = "/_nodes/http"
_LOCAL: Final = "/_nodes/_local/http"
_LOOK_SECONDS: Final = 2.0


def reach(session: Session, given: Sequence[str]) -> tuple[Transport, ...]:
    """A way to each other node: at the addresses given, else at those that the cluster publishes.

    Of the published ones those are used that answer as a node of this cluster, and a note tells of the
    others. Raises `PrerequisiteMissing` for a given one that is of another cluster, and `TargetUnreachable`
    for one that does not answer.
    """
    if given:
        return tuple(_given(session, address) for address in given)
    published = list(_published(session))
    ways = [way for address in published if (way := _way(session, address)) is not None]
    missed = len(published) - len(ways)
    if missed:
        note = f"{missed} of the other nodes' published addresses were not used: give them with --target"
        session.facts = replace(session.facts, notes=(*session.facts.notes, note))
    return tuple(ways)


def _given(session: Session, address: str) -> Transport:
    way = session.transport.at(address)
    told, wanted = _cluster(session, way), _cluster(session, session.transport)
    if told is None or told != wanted:
        way.close()
        raise PrerequisiteMissing(
            f"expected {address} to be a node of the cluster at {session.transport.base_url}, whose "
            f"cluster_uuid is {wanted}, but its own is {told}; correct the further --target"
        )
    return way


def _way(session: Session, address: str) -> Transport | None:
    """The way to a node at a published address, where one of the same cluster answers there."""
    if not _may_be_told(session, address) or (session.transport.has_connections and not _accepts(address)):
        return None
    way = None
    try:
        way = session.transport.at(address)
        told = _cluster(session, way)
        if told is not None and told == _cluster(session, session.transport):
            return way
    except (TargetUnreachable, BrokenAnswer, Untestable):
        pass
    if way is not None:
        way.close()
    return None


def _may_be_told(session: Session, address: str) -> bool:
    """Whether credentials may go there: nobody vouches for an address that is published, such as one of a
    private network that another machine has here, but the user's own host name or a certificate."""
    if session.options.credentials is None:
        return True
    own, other = urlsplit(session.transport.base_url), urlsplit(address)
    return own.hostname == other.hostname or other.scheme == "https" or is_loopback(other.hostname)


def _accepts(address: str) -> bool:
    """Whether anything listens there; an address of a network that is not ours would be waited for long."""
    parts = urlsplit(address)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 80), _LOOK_SECONDS):
            return True
    except OSError:
        return False


def _published(session: Session) -> Iterator[str]:
    """The addresses of the nodes but the one that answers, as URLs."""
    nodes = _nodes(session, _PUBLISHED)
    own = _nodes(session, _LOCAL).keys()
    scheme = urlsplit(session.transport.base_url).scheme
    for node_id, node in sorted(nodes.items()):
        http = node.get("http") if isinstance(node, dict) else None
        address = http.get("publish_address") if isinstance(http, dict) else None
        if node_id not in own and isinstance(address, str):
            # With a host name it is told as `name/address:port`.
            yield f"{scheme}://{address.rpartition('/')[2]}"


def _nodes(session: Session, path: str) -> dict[str, Any]:
    answered = session.aside("GET", path)
    found = answered.member("nodes") if answered.answer is not None and answered.status == 200 else None
    return found if isinstance(found, dict) else {}


def _cluster(session: Session, way: Transport) -> Any:
    """The id of the cluster behind this way; None where it does not tell."""
    answered = session.through(way).aside("GET", "/")
    return answered.member("cluster_uuid") if answered.answer is not None and answered.status == 200 else None
