"""Operations of pages: endpoints, and which request or answer of an operation each example shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mlconform.conformance.contract import examples
from mlconform.conformance.contract.examples import Example, read_example, request_lines
from mlconform.conformance.contract.pages import Kind, Page, Unit
from mlconform.conformance.contract.routes import Route, operation_of

EXAMPLES = {Kind.SETTINGS, Kind.EXAMPLE_REQUEST, Kind.EXAMPLE_RESPONSE, Kind.ERROR_BODY}


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
