"""Models that are in the memory of nodes although they were deleted.

A node that is still deploying a model when it is deleted, or that failed to, keeps it, and an undeploy of it
alone is refused. Some count against `max_model_on_node`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlconform.conformance.contract.model import Remedy
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets.opensearch_ml import ML, UNKNOWN_ID, path_of
from mlconform.conformance.targets.opensearch_settings import CUSTOM_PLAN, change_settings
from mlconform.conformance.targets.session import Session
from mlconform.conformance.targets.tracker import Resource


def in_memory(session: Session) -> Mapping[str, Sequence[str]]:
    """The models that nodes have in memory by their ids, and on which nodes; none where nobody tells."""
    answered = session.request("GET", f"{ML}/profile/models")
    found: dict[str, list[str]] = {}
    for node, model in _profiled(answered.member("nodes") if answered.status == 200 else None):
        found.setdefault(model, []).append(node)
    return found


def deleted_in_memory(session: Session) -> Mapping[str, Sequence[str]]:
    """Those of them that are gone, but for what was there when the session's run began."""
    return {
        model: nodes
        for model, nodes in in_memory(session).items()
        if model not in session.facts.held and session.request("GET", path_of("model", model)).status == 404
    }


def memory_of_deleted(session: Session) -> Resource:
    """The memory of what `deleted_in_memory` finds; freed when it is removed."""
    return Resource("memory", "of deleted models", lambda: _free(session))


def _free(session: Session) -> str | None:
    found = deleted_in_memory(session)
    if not found:
        return None
    mark = session.tracker.mark()
    refused: Untestable | None = None
    try:
        change_settings(session, {CUSTOM_PLAN: True})
        for model, nodes in found.items():
            _undeploy(session, model, nodes)
    except Untestable as error:
        refused = error
    finally:
        session.remove(session.tracker.take(mark))
    left = deleted_in_memory(session)
    if not left:
        return None
    told = f"{len(left)} models that were deleted are still there; a restart of their nodes frees them"
    raise Untestable(f"{told}: {refused}" if refused else told, Remedy.PERMISSION)


def _undeploy(session: Session, model: str, nodes: Sequence[str]) -> None:
    """Undeploy one from its nodes: of several, one that a node can no longer take away keeps them all there,
    and one alone must be a model that is there. So it goes with one that never was."""
    body = {"model_ids": [model, UNKNOWN_ID], "node_ids": nodes}
    session.request("POST", f"{ML}/models/_undeploy", body)


def _profiled(nodes: Any) -> Iterator[tuple[str, str]]:
    """Each node with each of its models; not with those that it was only asked to predict with."""
    for node, profile in nodes.items() if isinstance(nodes, dict) else ():
        models = profile.get("models") if isinstance(profile, dict) else None
        for model, shown in models.items() if isinstance(models, dict) else ():
            if not isinstance(shown, dict) or shown.keys() != {"predict_request_stats"}:
                yield str(node), str(model)
