"""The order of a search's hits: what a body asks for, which fields have it, and what is told of it."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from mlconform.mock_server.opensearch_ml.bodies.document import Document
from mlconform.mock_server.opensearch_ml.bodies.fields import text_of, token_of
from mlconform.mock_server.opensearch_ml.errors import ApiError, illegal_argument, parsing_error
from mlconform.mock_server.opensearch_ml.search.mappings import Kind, Mapping
from mlconform.mock_server.opensearch_ml.search.values import ShardError, values_of
from mlconform.mock_server.opensearch_ml.store import JsonObject

_MEMBERS = frozenset({"order", "missing", "unmapped_type", "mode", "numeric_type", "nested"})
_NATURAL = frozenset({"_score", "_doc", "_id"})
_BITS = {Kind.INTEGER: 31, Kind.BOOLEAN: 31}


class Hit(Struct):
    """One document that was found; `sorted_by` are the values that its place comes from."""

    key: str
    source: JsonObject
    score: float
    sorted_by: list[Any] = field(default_factory=list)


class Order(Struct, frozen=True):
    """One criterion. Documents without a value come last, unless `first` is set."""

    name: str
    descending: bool = False
    first: bool = False
    unmapped: str | None = None

    def require(self, mapping: Mapping) -> None:
        """Raises ShardError for a field that hits can't be sorted by."""
        kind = mapping.kind(self.name)
        if self.name in _NATURAL or (kind is None and self.unmapped is not None):
            return
        if kind is None:
            raise ShardError(
                "query_shard_exception", f"No mapping found for [{self.name}] in order to sort on"
            )
        reason = None
        if kind is Kind.TEXT:
            reason = (
                "Text fields are not optimised for operations that require per-document field data like "
                "aggregations and sorting, so these operations are disabled by default. Please use a keyword "
                f"field instead. Alternatively, set fielddata=true on [{self.name}] in order to load field "
                "data by uninverting the inverted index. Note that this can use significant memory."
            )
        elif kind is Kind.FLAT:
            reason = f"Field [{self.name}] of type [{kind}] does not support doc_value in root field"
        if reason is not None:
            raise ShardError("illegal_argument_exception", reason, bad_value=reason, of_query=False)

    def sort(self, hits: list[Hit], mapping: Mapping) -> None:
        """Bring hits into this order; equals keep the order that they are in."""
        if self.name == "_doc":
            return
        present = [hit for hit in hits if self._value(hit, mapping) is not None]
        absent = [hit for hit in hits if self._value(hit, mapping) is None]
        present.sort(key=lambda hit: self._value(hit, mapping), reverse=self.descending)
        hits[:] = [*absent, *present] if self.first else [*present, *absent]

    def _value(self, hit: Hit, mapping: Mapping) -> Any:
        if self.name == "_score":
            return hit.score
        values = values_of(self.name, mapping, hit.key, hit.source)
        return (max(values) if self.descending else min(values)) if values else None

    def told(self, hit: Hit, mapping: Mapping, number: int) -> Any:
        """The value as an answer shows it; a number that is missing is the farthest that there can be."""
        if self.name == "_doc":
            return number
        value, kind = self._value(hit, mapping), mapping.kind(self.name)
        if value is not None:
            return int(value) if isinstance(value, bool) else value
        if self.name in _NATURAL or kind is Kind.KEYWORD or (kind is None and self.unmapped == "keyword"):
            return None
        farthest = 2 ** _BITS.get(kind, 63) if kind is not None else 2**63
        return farthest - 1 if self.descending == self.first else -farthest


def read_orders(document: Document, value: Any) -> list[Order]:
    """The criteria of a body. Raises ApiError 400 for what is malformed."""
    orders = []
    items = value if isinstance(value, list) else [value]
    for index, item in enumerate(items):
        inner = ("sort", index) if isinstance(value, list) else ("sort",)
        if isinstance(item, dict):
            for name, asked in item.items():
                orders.append(_order(document, (*inner, name), name, asked))
        elif isinstance(item, str) or not isinstance(value, list):
            orders.append(_named(text_of(item)))
        else:
            raise illegal_argument(
                "malformed sort format, within the sort array, an object, or an actual string are allowed"
            )
    # The score alone is the order that there is anyway.
    natural = [order.name for order in orders] == ["_score"] and orders[0].descending
    return [] if natural else orders


def _named(name: str, direction: str | None = None) -> Order:
    """A criterion; the best score comes first where nothing else is asked for."""
    if direction is None:
        return Order(name, descending=name == "_score")
    if direction.upper() not in ("ASC", "DESC"):
        raise illegal_argument(f"No enum constant org.opensearch.search.sort.SortOrder.{direction.upper()}")
    return Order(name, descending=direction.upper() == "DESC")


def _order(document: Document, path: tuple[Any, ...], name: str, asked: Any) -> Order:
    if not isinstance(asked, dict):
        if asked is None or isinstance(asked, list):
            raise parsing_error(f"Unknown key for a {token_of(asked)} in [{name}].", *document.place(path))
        return _named(name, text_of(asked))
    for member in asked:
        if member not in _MEMBERS:
            line, column = document.place_of_name((*path, member))
            reason = f"[{line}:{column}] [field_sort] unknown field [{member}]"
            raise ApiError(400, "x_content_parse_exception", reason)
    try:
        direction = asked.get("order")
        order = _named(name, None if direction is None else text_of(direction))
    except ApiError as error:
        line, column = document.place((*path, "order"))
        reason = f"[{line}:{column}] [field_sort] failed to parse field [order]"
        cause = {"type": error.type, "reason": error.reason}
        raise ApiError(400, "x_content_parse_exception", reason, caused_by=cause) from None
    return Order(order.name, order.descending, asked.get("missing") == "_first", asked.get("unmapped_type"))
