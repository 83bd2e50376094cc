"""Find by its name what runs made on a cluster with ML Commons, and remove it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from mlconform.conformance.targets.opensearch_memory import deleted_in_memory, memory_of_deleted
from mlconform.conformance.targets.opensearch_ml import PATHS, removable
from mlconform.conformance.targets.opensearch_settings import kept_settings
from mlconform.conformance.targets.opensearch_users import left_users
from mlconform.conformance.targets.session import Session
from mlconform.conformance.targets.tracker import Resource


def sweep(session: Session, prefix: str, spare: Collection[str] = ()) -> tuple[list[str], list[str]]:
    """Remove everything whose name starts with `prefix`, and put back the settings that runs changed.

    What starts with a prefix of `spare` is left alone, and so is the mark of the session's own run.
    Returns what was removed, and what could not be.
    """
    removed: list[str] = []
    complaints: list[str] = []
    left_alone = (*spare, f"{session.options.prefix}mark")
    for kind in ("ingest pipeline", "search pipeline", "agent", "model", "connector", "model group"):
        look = pipelines if kind.endswith("pipeline") else _found_by_name
        found, problem = look(session, kind, prefix, left_alone)
        if problem is not None:
            complaints.append(f"{kind}s could not be searched: {problem}")
        left = session.remove(found)
        complaints += [str(remaining) for remaining in left]
        stayed = {remaining.resource.id for remaining in left}
        removed += [str(resource) for resource in found if resource.id not in stayed]
    if not spare and (gone := deleted_in_memory(session)):
        left = session.remove([memory_of_deleted(session)])
        complaints += [str(remaining) for remaining in left]
        removed += [] if left else [f"memory of {len(gone)} deleted models"]
    users = left_users(session, prefix, left_alone)
    left = session.remove(users)
    stayed = {remaining.resource.id for remaining in left}
    removed += [str(user) for user in users if user.id not in stayed]
    return removed, [*complaints, *(str(remaining) for remaining in left)]


def pipelines(
    session: Session, kind: str, prefix: str, spare: Collection[str] = ()
) -> tuple[list[Resource], str | None]:
    """The pipelines named so, and why there may be more. Where there is none at all, a node answers 404."""
    answered = session.request("GET", PATHS[kind].rstrip("/"))
    if answered.status == 404:
        return [], None
    if answered.status != 200 or not isinstance(answered.json, dict):
        return [], answered.summary
    # The mark goes first: a run that meets what else is missing then sees that it was swept.
    named = sorted(
        (name for name in answered.json if name.startswith(prefix) and not name.startswith(tuple(spare))),
        key=lambda name: (not name.endswith("-mark"), name),
    )
    if kind == "search pipeline":
        return [removable(session, kind, name) for name in named], None
    return [kept_settings(session, name) for name in named], None


def _found_by_name(
    session: Session, kind: str, prefix: str, spare: Collection[str] = ()
) -> tuple[list[Resource], str | None]:
    """What is named so, and why there may be more. Without an index (404) there is nothing."""
    search = PATHS[kind] + "_search"
    body = {"query": {"prefix": {"name.keyword": {"value": prefix}}}, "size": 1000}
    answered = session.request("POST", search, body)
    if answered.status != 200:
        return [], None if answered.status == 404 else answered.summary
    hits = answered.member("hits", "hits")
    if not isinstance(hits, list):
        return [], answered.summary
    total = answered.member("hits", "total", "value")
    more = isinstance(total, int) and total > len(hits)
    problem = f"{len(hits)} of {total} were found at once; sweep again" if more else None
    ids = [str(hit.get("_id")) for hit in hits if isinstance(hit, dict) and not _is_of(hit, spare)]
    return [removable(session, kind, resource_id) for resource_id in ids], problem


def _is_of(hit: Mapping[str, Any], prefixes: Collection[str]) -> bool:
    source = hit.get("_source")
    return isinstance(source, dict) and str(source.get("name")).startswith(tuple(prefixes))
