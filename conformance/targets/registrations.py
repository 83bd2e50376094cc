"""Registrations that go on after their answer, so that what comes of them is removed too."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.opensearch_ml import ML, remove_model
from mlconform.conformance.targets.session import Session
from mlconform.conformance.targets.tracker import Resource

ENDED = frozenset({"COMPLETED", "COMPLETED_WITH_ERROR", "FAILED", "CANCELLED"})


def track_registration(session: Session, task_id: str, name: str) -> None:
    """Have the model of this name, which the task registers, removed once the task has ended."""

    def remove() -> str | None:
        task = session.request("GET", f"{ML}/tasks/{quote(task_id, safe='')}")
        if task.status == 200 and task.member("state") not in ENDED:
            return f"its registration still goes on: {task.summary}"
        told = task.member("model_id") if task.status == 200 else None
        # Where its task was deleted, only a search tells which model it made.
        found = [told] if isinstance(told, str) else models_named(session, name)
        problems = [remove_model(session, model_id, set()) for model_id in found]
        return "; ".join(problem for problem in problems if problem is not None) or None

    session.tracker.add(Resource("registration", task_id, remove))


def models_named(session: Session, name: str) -> list[str]:
    """The ids of the models that a search finds under this name; their chunks have the name too."""
    body = {"query": {"term": {"name.keyword": name}}, "size": 100}
    hits = _hits(session.request("POST", f"{ML}/models/_search", body))
    return [str(hit.get("_id")) for hit in hits if "chunk_number" not in (hit.get("_source") or {})]


def _hits(found: Exchange) -> list[dict[str, Any]]:
    hits = found.member("hits", "hits") if found.status == 200 else None
    return [hit for hit in hits if isinstance(hit, dict)] if isinstance(hits, list) else []
