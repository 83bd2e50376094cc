"""What a run created, so that it can be taken away again in reverse order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resource:
    """One created thing. `remove` takes it away, is harmless when it is gone, and returns what is wrong."""

    kind: str
    id: str
    remove: Callable[[], str | None]


class Tracker:
    """Remembers resources; `clean` removes them, newest first, and reports what it could not remove."""

    def __init__(self) -> None:
        self._resources: list[Resource] = []
        self._lock = threading.Lock()

    def add(self, resource: Resource) -> None:
        with self._lock:
            self._resources.append(resource)

    def mark(self) -> int:
        """A place to clean back to."""
        with self._lock:
            return len(self._resources)

    def clean(self, back_to: int = 0) -> list[str]:
        """Remove everything added since `back_to`; one message a thing that stayed."""
        complaints = []
        while True:
            with self._lock:
                if len(self._resources) <= back_to:
                    return complaints
                resource = self._resources.pop()
            complaint = resource.remove()
            if complaint is not None:
                complaints.append(f"{resource.kind} {resource.id} could not be removed: {complaint}")
