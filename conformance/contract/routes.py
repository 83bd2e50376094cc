"""The operations of a contract by method and path: which one a request that was sent belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mlconform.conformance.contract.operations import Route, operation_of

# A run asks for the same paths again and again.
_MOST_REMEMBERED: Final = 4096


@dataclass(frozen=True, slots=True)
class Routes:
    """The routes of a contract by operation id."""

    by_operation: Mapping[str, Route]
    _found: dict[tuple[str, str], str | None] = field(default_factory=dict, compare=False, repr=False)
    _alike: dict[tuple[str, int], dict[str, Route]] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name, route in self.by_operation.items():
            self._alike.setdefault(_shape(route), {})[name] = route

    @classmethod
    def of(cls, openapi: Mapping[str, Any]) -> Routes:
        """The routes of an OpenAPI document."""
        return cls(
            {
                definition["operationId"]: Route.parse(f"{method} {path}")
                for path, methods in openapi.get("paths", {}).items()
                for method, definition in methods.items()
                if isinstance(definition, Mapping) and "operationId" in definition
            }
        )

    def operation(self, method: str, path: str) -> str | None:
        """The id of the operation that a request asks for, or None; `path` may have a query."""
        asked = (method, path.partition("?")[0])
        if asked not in self._found:
            if len(self._found) >= _MOST_REMEMBERED:
                self._found.clear()
            route = Route(*asked)
            self._found[asked] = operation_of(route, self._alike.get(_shape(route), {}))
        return self._found[asked]

    def template(self, method: str, path: str) -> str | None:
        """The route of that operation, such as `GET /models/{model_id}`, or None."""
        found = self.operation(method, path)
        return None if found is None else str(self.by_operation[found])


def _shape(route: Route) -> tuple[str, int]:
    """What a template and a route that it matches have in common: a value of a parameter has no slash."""
    return route.method, route.path.count("/")
