"""The things of a cluster with ML Commons: where they are, and how those that a run made are removed."""

from __future__ import annotations

from collections.abc import Mapping, Set
from urllib.parse import quote

from mlconform.conformance.contract.model import Remedy
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.session import Session
from mlconform.conformance.targets.tracker import Resource

ML = "/_plugins/_ml"
UNKNOWN_ID = "mlconform-no-such-id"
PATHS: Mapping[str, str] = {
    "model": f"{ML}/models/",
    "model group": f"{ML}/model_groups/",
    "connector": f"{ML}/connectors/",
    "agent": f"{ML}/agents/",
    "ingest pipeline": "/_ingest/pipeline/",
    "search pipeline": "/_search/pipeline/",
}


def path_of(kind: str, resource_id: str) -> str:
    """The path of one thing; `kind` is one of the keys of `PATHS`."""
    return PATHS[kind] + quote(resource_id, safe="")


def stand_on(session: Session, kind: str, resource_id: str) -> None:
    """Have the run say so where this thing, which its checks use, was taken away.

    What cannot be read as soon as it was made was taken away by nobody: that is the target's own answer.
    """
    path = path_of(kind, resource_id)
    if not is_gone(session, path):
        session.grounds.append(lambda: f"its {kind} {resource_id}" if is_gone(session, path) else None)


def is_gone(session: Session, path: str) -> bool:
    """Whether it is answered that there is nothing (RFC 9110, section 15.5.5)."""
    read = session.aside("GET", path)
    return read.answer is not None and read.status == 404


def track(session: Session, kind: str, resource_id: str) -> None:
    """Remember a created resource; `kind` is one of the keys of `PATHS`.

    The group that registering a model made may outlive the model (recording model_group_versions#16),
    and only the model tells which it is: so a model is read while it is there.
    """
    groups: set[str] = set()
    session.tracker.add(removable(session, kind, resource_id, groups))
    if kind == "model":
        groups |= _group_of(session.request("GET", path_of(kind, resource_id)))


def removable(session: Session, kind: str, resource_id: str, groups: Set[str] = frozenset()) -> Resource:
    """A thing that a run made, as it is removed; of a model with those of `groups` that the run made."""

    def remove() -> str | None:
        if kind == "model":
            return remove_model(session, resource_id, groups)
        return remove_plain(session, kind, resource_id)

    return Resource(kind, resource_id, remove)


def remove_plain(session: Session, kind: str, resource_id: str) -> str | None:
    """Delete one resource; what is in the way, or None when it is gone."""
    deleted = session.request("DELETE", path_of(kind, resource_id))
    return None if deleted.status in (200, 404) else in_the_way(deleted)


def remove_model(session: Session, model_id: str, groups: Set[str]) -> str | None:
    """Undeploy and delete a model, its group, and those of `groups` that the run made."""
    path = path_of("model", model_id)
    known = session.request("GET", path)
    # What can't be read is read again before the model is gone, and nobody tells its group any more.
    own = _group_of(known)
    if known.status != 404:
        deleted = session.request("DELETE", path)
        if deleted.status == 400 and known.member("model_state") == "DEPLOY_FAILED":
            # It stays until it was deployed and undeployed once (recording deploy_fails#12): the
            # next try undeploys it.
            session.request("POST", f"{path}/_deploy")
        elif deleted.status == 400:
            session.request("POST", f"{path}/_undeploy")
            deleted = session.request("DELETE", path)
        if deleted.status not in (200, 404):
            return in_the_way(deleted)
    left = [_remove_group(session, group) for group in sorted(groups | own)]
    return "; ".join(problem for problem in left if problem is not None) or None


def _remove_group(session: Session, group_id: str) -> str | None:
    """Delete a model group if a run made it; one that was made by itself has its own turn."""
    if session.tracker.added("model group", group_id):
        return None
    known = session.request("GET", path_of("model group", group_id))
    made_by_run = known.status == 200 and str(known.member("name")).startswith(session.options.prefix)
    return remove_plain(session, "model group", group_id) if made_by_run else None


def _group_of(read: Exchange) -> Set[str]:
    group = read.member("model_group_id") if read.status == 200 else None
    return {group} if isinstance(group, str) else set()


def in_the_way(answered: Exchange) -> str:
    """Why something could not be removed; raises `Untestable` where the account may not, now or later."""
    if is_refused(answered):
        raise Untestable(answered.summary, Remedy.PERMISSION)
    return answered.summary


def is_refused(answered: Exchange) -> bool:
    """Whether the account may not do this (RFC 9110, sections 15.5.2 and 15.5.4)."""
    return answered.answer is not None and answered.status in (401, 403)
