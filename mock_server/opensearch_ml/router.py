"""Operations, and finding one by method and path."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct, field

from mlconform.mock_server.opensearch_ml.cluster import Call, Handler
from mlconform.mock_server.opensearch_ml.security.roles import ACTIONS


class Route(Struct, frozen=True):
    """One operation; names in braces are path parameters, and `query` its own query parameters.

    `parse_refusal` is type and reason of the refusal of a body that is no JSON, where the operation puts them
    around what the parser says. One that came `later` is there only where the rule `agents_can_be_updated`
    says so. A `raw` one takes the bytes of a body as they are.

    On a secured cluster `action` is what a role of the caller must allow, None where the handler asks; the
    names of ML Commons' own begin alike and are told without that. `form` reads the body of somebody who may
    not, as far as a node does before it asks. One that `is_open` takes no credentials.
    """

    method: str
    template: str
    handler: Handler
    action: str | None
    query: frozenset[str] = frozenset()
    parse_refusal: tuple[str, str] | None = None
    later: bool = False
    raw: bool = False
    form: Callable[[Call], object] | None = None
    is_open: bool = False

    @property
    def permission(self) -> str | None:
        """The whole name of the action."""
        own = self.action is not None and ":" not in self.action
        return f"{ACTIONS}/{self.action}" if own else self.action

    @property
    def reads_body(self) -> bool:
        """Whether a body is read at all; where it is not, anything may be sent."""
        if self.method in ("POST", "PUT"):
            return not self.template.endswith(("/_refresh", "/_cancel_batch"))
        read = self.template.endswith("/_search") or "/profile" in self.template or "/stats" in self.template
        return read and self.method == "GET"


class _Branch(Struct):
    literals: dict[str, _Branch] = field(default_factory=dict)
    parameter: _Branch | None = None
    routes: dict[str, Route] = field(default_factory=dict)


class Match(Struct, frozen=True):
    """A route, and the values of its path parameters."""

    route: Route
    parameters: dict[str, str]


class Router:
    """Finds routes in a tree of path segments.

    A literal segment hides a parameter: a path that ends with it has the methods of the literal alone.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Branch()
        for route in routes:
            branch = self._root
            for segment in _segments(route.template):
                if segment.startswith("{"):
                    branch.parameter = branch.parameter or _Branch()
                    branch = branch.parameter
                else:
                    branch = branch.literals.setdefault(segment, _Branch())
            branch.routes[route.method] = route

    def find(self, method: str, segments: list[str]) -> tuple[Match | None, list[str]]:
        """The route for a method and the segments of a path, or else the methods that the path does have."""
        branch = self._end(self._root, segments, 0)
        if branch is None:
            return None, []
        route = branch.routes.get(method)
        if route is None:
            return None, list(branch.routes)
        return Match(route, _parameters(route, segments)), []

    def _end(self, branch: _Branch, segments: list[str], depth: int) -> _Branch | None:
        if depth == len(segments):
            return branch if branch.routes else None
        for below in (branch.literals.get(segments[depth]), branch.parameter):
            if below is not None and (end := self._end(below, segments, depth + 1)) is not None:
                return end
        return None


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def _parameters(route: Route, segments: list[str]) -> dict[str, str]:
    names = _segments(route.template)
    return {name[1:-1]: value for name, value in zip(names, segments, strict=True) if name.startswith("{")}
