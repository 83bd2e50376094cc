"""What every clause of a query is read with: its field, its values, and the refusals of a node."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from mlconform.mock_server.opensearch_ml.bodies.document import Document, Step
from mlconform.mock_server.opensearch_ml.errors import ApiError, illegal_argument, parsing_error
from mlconform.mock_server.opensearch_ml.search import values
from mlconform.mock_server.opensearch_ml.search.mappings import Mapping
from mlconform.mock_server.opensearch_ml.search.values import ShardError, Value
from mlconform.mock_server.opensearch_ml.store import JsonObject

Path = tuple[Step, ...]
Score = float | None
Clause = Callable[[str, JsonObject], Score]

COMMON = frozenset({"boost", "_name"})
NAMELESS = "field name is null or empty"


class Reader(Struct):
    """Reads the clauses of one body, for the fields of one index at one time.

    What is wrong with a value shows only on the shard: `refused` keeps the first such failure. `at` is where
    the parser stood when it refused a clause.
    """

    document: Document
    mapping: Mapping
    now: float
    refused: ShardError | None = None
    at: tuple[int, int] = (1, 1)

    def refuse(self, error: ShardError) -> None:
        """The search will fail with this, unless it does with another already."""
        self.refused = self.refused or error

    def values(self, name: str, key: str, source: JsonObject) -> list[Any]:
        """What a document is found by in a field."""
        return values.values_of(name, self.mapping, key, source)

    def wrong(self, reason: str, path: Path, *, end: bool = False) -> ApiError:
        """A token of the wrong kind or name, at a value or at its end."""
        self.at = self.document.place_of_end(path) if end else self.document.place(path)
        return parsing_error(reason, *self.at)

    def strict(self, body: JsonObject, path: Path, known: Iterable[str]) -> None:
        """What the parsers that are made of declared fields say of another one."""
        for name in body:
            if name not in known and name not in COMMON:
                line, column = self.document.place_of_name((*path, name))
                reason = f"[{line}:{column}] [{path[-1]}] unknown field [{name}]"
                cause = {"type": "x_content_parse_exception", "reason": reason}
                self.at = self.document.place((*path, name))
                raise parsing_error(reason, *self.at, cause)

    def field_of(self, body: JsonObject, path: Path, *known: str) -> tuple[str, JsonObject]:
        """The one field of a clause with its members; a plain value counts as the first of `known`."""
        found: tuple[str, JsonObject] | None = None
        for name, value in body.items():
            if name in COMMON and not isinstance(value, dict):
                continue
            if found is not None:
                reason = (
                    f"[{path[-1]}] query doesn't support multiple fields, found [{found[0]}] and [{name}]"
                )
                raise self.wrong(reason, (*path, name))
            if isinstance(value, dict):
                for member in value:
                    if member not in known and member not in COMMON:
                        raise self.wrong(
                            f"[{path[-1]}] query does not support [{member}]", (*path, name, member)
                        )
                found = name, value
            else:
                found = name, {known[0]: value}
        if found is None:
            raise illegal_argument(NAMELESS)
        return found

    def single(self, body: JsonObject, path: Path, *known: str) -> tuple[str, Any, JsonObject]:
        """The field of a clause about one value, that value, and the members beside it."""
        for name, value in body.items():
            if isinstance(value, list):
                raise self.wrong(f"[{path[-1]}] query does not support array of values", (*path, name))
        name, members = self.field_of(body, path, *known)
        if not name or (body[name] is None):
            raise illegal_argument(NAMELESS)
        value = next((members[one] for one in known if one in members), None)
        if value is None:
            raise illegal_argument("value cannot be null")
        return name, value, members

    def read(self, name: str, value: Any) -> Value | None:
        """The value as the field reads it; None, which finds nothing, where the search will fail."""
        try:
            return values.read(name, self.mapping, value, self.now)
        except ShardError as error:
            self.refuse(error)
            return None

    def holding(self, name: str, holds: Callable[[Any], bool]) -> Clause:
        """Finds the documents that have a value in a field which `holds`."""

        def clause(key: str, source: JsonObject) -> Score:
            return 1.0 if any(holds(value) for value in self.values(name, key, source)) else None

        return clause
