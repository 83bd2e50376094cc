"""Operations of pages: endpoints, and which request or answer of an operation each example shows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from mlconform.conformance.contract import examples
from mlconform.conformance.contract.examples import Example, read_example, request_lines
from mlconform.conformance.contract.pages import Kind, Page, Unit, template

EXAMPLES = {Kind.SETTINGS, Kind.EXAMPLE_REQUEST, Kind.EXAMPLE_RESPONSE, Kind.ERROR_BODY}


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


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A route that a page lists, and the unit that lists it."""

    route: Route
    unit: Unit


@dataclass(frozen=True, slots=True)
class Shown:
    """What an example shows of an operation: its request (`status` None) or an answer with that status."""

    operation: str | None
    status: int | None
    unit: Unit
    example: Example


def endpoints(page: Page) -> list[Endpoint]:
    """The endpoints that a page lists, in a block of endpoints or as an operation of an OpenAPI document."""
    found = []
    operations: set[tuple[str, ...]] = set()
    for unit in page.units:
        if unit.kind is Kind.ENDPOINT:
            found += [Endpoint(route, unit) for route in routes_of(unit)]
        elif unit.path[:1] == ("paths",) and len(unit.path) > 2 and unit.path[:3] not in operations:
            operations.add(unit.path[:3])
            found.append(Endpoint(Route.parse(f"{unit.path[2]} {unit.path[1]}"), unit))
    return found


def operation_of(route: Route, routes: Mapping[str, Route]) -> str | None:
    """The operation whose template matches; the one with the fewest parameters where several do."""
    matching = [name for name, candidate in routes.items() if candidate.matches(route)]
    return min(matching, key=lambda name: len(routes[name].parameters), default=None)


def shown(page: Page, routes: Mapping[str, Route]) -> Iterator[Shown]:
    """What the examples of a page show. An answer belongs to the request before it; a request without
    a request line to the operation of the one before it."""
    current: str | None = None
    for unit in page.units:
        if unit.kind is Kind.ENDPOINT:
            current = operation_of(routes_of(unit)[0], routes)
        if unit.kind not in EXAMPLES:
            continue
        example = read_example(unit.text)
        if example.method and example.path:
            current = operation_of(Route.parse(f"{example.method} {example.path}"), routes)
        status = None
        if unit.kind is Kind.ERROR_BODY:
            status = examples.status_of(example.body) or 0
        elif unit.kind is Kind.EXAMPLE_RESPONSE:
            status = 200
        yield Shown(current, status, unit, example)


def routes_of(unit: Unit) -> list[Route]:
    """The routes of one block of endpoints."""
    lines = unit.text.split("\n")
    return [Route.parse(lines[number]) for number in request_lines(unit.text)]
