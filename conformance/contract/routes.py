"""Methods and paths, and the operations of a contract by them: to which one a request belongs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

# A run asks for the same paths again and again.
_MOST_REMEMBERED: Final = 4096


def template(text: str) -> str:
    """A path with its parameters as OpenAPI writes them: `<model_id>` becomes `{model_id}`."""
    return re.sub(r"<(\w+)>", r"{\1}", text)


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path template, parameters in braces."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @classmethod
    def parse(cls, text: str) -> Route:
        """From `POST /models/{model_id}?deploy=true`: the query is left out, angle brackets become braces,
        and slashes at the ends are made right."""
        method, _, path = text.strip().partition(" ")
        return cls(method.upper(), "/" + template(path.strip()).partition("?")[0].strip("/"))

    @property
    def parameters(self) -> list[str]:
        """The names of the path's parameters, in order."""
        return re.findall(r"\{(\w+)\}", self.path)

    def matches(self, other: Route) -> bool:
        """Whether `other`, a route with values in place of parameters, is one of this template."""
        return self.method == other.method and _pattern(self.path).fullmatch(other.path) is not None


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))


def operation_of(route: Route, routes: Mapping[str, Route]) -> str | None:
    """The operation whose template matches; the one with the fewest parameters where several do."""
    matching = [name for name, candidate in routes.items() if candidate.matches(route)]
    return min(matching, key=lambda name: len(routes[name].parameters), default=None)


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
