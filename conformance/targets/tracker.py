"""What a run created, so that it can be taken away again in reverse order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mlconform.conformance.contract.model import Remedy
from mlconform.conformance.errors import PrerequisiteMissing, TargetUnreachable
from mlconform.conformance.outcomes import BrokenAnswer, Untestable


@dataclass(frozen=True, slots=True)
class Resource:
    """One created thing.

    `remove` tries once to take it away, is harmless when it is gone, and returns what is in the way.
    """

    kind: str
    id: str
    remove: Callable[[], str | None]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


@dataclass(frozen=True, slots=True)
class Remaining:
    """A resource that could not be removed, and why; `hopeless` where trying again is of no use."""

    resource: Resource
    problem: str
    hopeless: bool = False

    def __str__(self) -> str:
        return _stayed([self.resource], self.problem)


def complaints(left: Iterable[Remaining]) -> list[str]:
    """What stayed and why, in one sentence for all that stayed for one reason."""
    by_problem: dict[str, list[Resource]] = {}
    for remaining in left:
        by_problem.setdefault(remaining.problem, []).append(remaining.resource)
    return [_stayed(resources, problem) for problem, resources in by_problem.items()]


def _stayed(resources: Iterable[Resource], problem: str) -> str:
    return f"{', '.join(map(str, resources))} could not be removed: {problem}"


class Tracker:
    """Remembers what was created."""

    def __init__(self) -> None:
        self._resources: list[Resource] = []
        self._ever: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def add(self, resource: Resource) -> None:
        with self._lock:
            self._resources.append(resource)
            self._ever.add((resource.kind, resource.id))

    def mark(self) -> int:
        """A place to take back to."""
        with self._lock:
            return len(self._resources)

    def added(self, kind: str, resource_id: str) -> bool:
        """Whether this thing was added, and is or was removed by itself."""
        with self._lock:
            return (kind, resource_id) in self._ever

    def put_back(self, resources: list[Resource]) -> None:
        """Remember again what was taken, newest first, and not removed."""
        with self._lock:
            self._resources += resources[::-1]

    def take(self, back_to: int = 0) -> list[Resource]:
        """Everything added since `back_to`, newest first; it is no longer remembered."""
        with self._lock:
            taken = self._resources[back_to:]
            del self._resources[back_to:]
        return taken[::-1]


def remove_all(resources: list[Resource]) -> list[Remaining]:
    """Try once to remove each, in this order; what is left. A target that fails is in the way too."""
    return [remaining for resource in resources if (remaining := _try(resource)) is not None]


def _try(resource: Resource) -> Remaining | None:
    try:
        problem = resource.remove()
    except TargetUnreachable as error:
        return Remaining(resource, str(error), hopeless=True)
    except Untestable as error:
        # What the account or the run may not do it may not do a second later either.
        return Remaining(resource, str(error), hopeless=error.remedy in (Remedy.PERMISSION, Remedy.SETTINGS))
    except (BrokenAnswer, PrerequisiteMissing) as error:
        return Remaining(resource, str(error))
    return None if problem is None else Remaining(resource, problem)
