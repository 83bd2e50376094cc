"""The operations of a contract by method and path: which one a request that was sent belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.contract.operations import Route, operation_of


@dataclass(frozen=True, slots=True)
class Routes:
    """The routes of a contract by operation id."""

    by_operation: Mapping[str, Route]

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
        return operation_of(Route(method, path.partition("?")[0]), self.by_operation)

    def template(self, method: str, path: str) -> str | None:
        """The route of that operation, such as `GET /models/{model_id}`, or None."""
        found = self.operation(method, path)
        return None if found is None else str(self.by_operation[found])
