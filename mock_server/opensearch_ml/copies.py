"""What the copies of the index of tasks tell: for a moment after a write some have what was there before."""

from __future__ import annotations

import math

from msgspec import Struct
from msgspec.structs import replace

from mlconform.mock_server.opensearch_ml.environment import Environment
from mlconform.mock_server.opensearch_ml.store import Task

# For so long after somebody read that a task had changed another copy may be late, as measured on three
# nodes; where nobody had asked for much longer than that, all copies have the change.
_LAG_SECONDS, _SETTLED_SECONDS = 0.05, 1.0


class _Former(Struct):
    """What a task was until it changed; `told_at` is when somebody first read that it had changed."""

    task: Task
    changed_at: float
    told_at: float = math.inf


class Copies:
    """Tasks as they were before they changed; a cluster of one node has no copies."""

    def __init__(self, environment: Environment) -> None:
        self._chance = environment.rules.late_copies if len(environment.nodes) > 1 else 0.0
        self._clock = environment.clock
        self._ids = environment.ids
        self._former: dict[str, _Former] = {}

    def before_change(self, task_id: str, task: Task, at: float) -> None:
        """The task changes at this instant, in epoch seconds: a late copy goes on to tell what it is now."""
        if self._chance:
            fresh = {
                key: kept for key, kept in self._former.items() if at < kept.changed_at + _SETTLED_SECONDS
            }
            self._former = fresh | {task_id: _Former(replace(task), at)}

    def read(self, task_id: str, task: Task) -> Task:
        """The task as the copy knows it that is asked."""
        former, now = self._former.get(task_id), self._clock.now()
        if former is None or now > former.changed_at + _SETTLED_SECONDS:
            return task
        if now < former.told_at:
            former.told_at = now
            return task
        # Requests ask the copies in turn, so that only the next one asks another copy while that may be late.
        del self._former[task_id]
        is_late = now < former.told_at + _LAG_SECONDS and self._ids.happens(self._chance)
        return former.task if is_late else task
