"""Everything that was read from the pages of one version, in one value."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlconform.conformance.contract import fragment
from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.contract.fields import Field, Place, page_since, read_fields
from mlconform.conformance.contract.model import Source
from mlconform.conformance.contract.operations import Endpoint, Shown, endpoints, shown
from mlconform.conformance.contract.overlay import Citation, OperationEntry, Overlay, PageEntry, recordings
from mlconform.conformance.contract.pages import Kind, Page, Unit
from mlconform.conformance.contract.routes import Route, operation_of


@dataclass(frozen=True)
class Facts:
    """The pages of one version, and what they say of the operations of the overlay.

    `elsewhere` are the keys of the units of all versions: an entry may cite what only another version has.
    Where it is None, an entry may cite anything.
    """

    overlay: Overlay
    version: str
    pages: Mapping[str, Page]
    elsewhere: frozenset[str] | None = frozenset()

    @cached_property
    def units(self) -> dict[str, Unit]:
        """All units by key, in page order."""
        return {unit.key: unit for page in self.pages.values() for unit in page.units}

    @cached_property
    def entries(self) -> dict[str, PageEntry]:
        """What the overlay says of each page, by its id."""
        return {entry.id: entry for entry in self.overlay.pages}

    @cached_property
    def routes(self) -> dict[str, Route]:
        """The route of each operation by its id, those of other versions included."""
        return {operation.id: operation.route for operation in self.overlay.operations}

    @cached_property
    def operations(self) -> tuple[OperationEntry, ...]:
        """The operations that this version has: listed by a page, or by what they cite."""
        return tuple(
            operation
            for operation in self.overlay.operations
            if self.has(operation.cites, f"operation {operation.id}")
            and (operation.cites != Citation() or operation.id in self.listed)
        )

    @cached_property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The endpoints that the pages list."""
        return tuple(endpoint for page in self.pages.values() for endpoint in endpoints(page))

    @cached_property
    def fragments(self) -> dict[str, dict[str, Any]]:
        """The OpenAPI document of each page that has one, several on a page merged."""
        return {
            page.id: fragment.merged([fragment.read(text) for text in page.fragments])
            for page in self.pages.values()
            if page.fragments
        }

    @cached_property
    def shown(self) -> tuple[Shown, ...]:
        """What the examples of all pages show."""
        return tuple(entry for page in self.pages.values() for entry in shown(page, self.routes))

    @cached_property
    def fields(self) -> dict[str, tuple[Field, ...]]:
        """The fields that the tables of each operation's pages list: of its query, request and answer."""
        found: dict[str, tuple[Field, ...]] = {}
        for page in self.pages.values():
            operation = self.operation_of_page(page.id)
            if operation is not None:
                rows = read_fields(page, self.entries[page.id].nest)
                found[operation] = found.get(operation, ()) + rows
        return found

    def fields_at(self, operation: str, place: Place) -> tuple[Field, ...]:
        """The fields of an operation that lie in its query, its request or its answer."""
        return tuple(field for field in self.fields.get(operation, ()) if field.place is place)

    def operation_of_page(self, page_id: str) -> str | None:
        """The operation that the page is about: the one named for it, or that of its first endpoint."""
        named = self.entries[page_id].operation
        if named is not None:
            return named
        for endpoint in self.endpoints:
            if endpoint.unit.page == page_id:
                return operation_of(endpoint.route, self.routes)
        return None

    @cached_property
    def listed(self) -> dict[str, list[Unit]]:
        """The units that list each operation as an endpoint."""
        found: dict[str, list[Unit]] = {}
        for endpoint in self.endpoints:
            operation = operation_of(endpoint.route, self.routes)
            if operation is not None:
                found.setdefault(operation, []).append(endpoint.unit)
        return found

    def found(self, keys: Iterable[str], where: str) -> tuple[Unit, ...]:
        """The units of these keys that this version has.

        Raises ContractError that names the nearest keys for one that no version has.
        """
        keys = tuple(key for name in keys for key in self._named(name))
        for key in keys:
            if self.elsewhere is not None and key not in self.units and key not in self.elsewhere:
                near = difflib.get_close_matches(key, {*self.units, *self.elsewhere}, n=3, cutoff=0.5)
                hint = f" The nearest are: {'; '.join(near)}." if near else ""
                raise ContractError(
                    f"overlay of {self.overlay.profile}, {where}: no page has the unit {key!r}. Its text has "
                    f"changed or the key is misspelled: read the page again and correct the entry.{hint}"
                )
        return tuple(self.units[key] for key in keys if key in self.units)

    def _named(self, name: str) -> list[str]:
        """The keys that a name stands for: with `*` for its page, those of all pages that have the unit."""
        if not name.startswith("*/"):
            return [name]
        return [f"{page}{name[1:]}" for page in self.entries if f"{page}{name[1:]}" in self.units]

    def has(self, cites: Citation, where: str) -> bool:
        """Whether an entry that rests on this is one of this version: one of its units is, or it has none."""
        return not cites.units or bool(self.found(cites.units, where))

    def source(self, unit: Unit) -> Source:
        """The unit as a source: its lines and their hash."""
        page = self.pages[unit.page]
        return Source(page=unit.page, lines=unit.lines, sha256=page.sha256(unit.lines), version=page.version)

    def sources(self, cites: Citation, where: str) -> tuple[Source, ...]:
        """All sources of a citation: units, then recordings, then the standard."""
        found = [self.source(unit) for unit in self.found(cites.units, where)]
        found += recordings(cites, self.overlay)
        if cites.reference is not None:
            found.append(Source(reference=cites.reference))
        return tuple(dict.fromkeys(found))

    def since(self, units: Iterable[Unit]) -> str | None:
        """The version of the page's own label, where all units are of one page that has one."""
        versions = {page_since(self.pages[unit.page]) for unit in units}
        return versions.pop() if len(versions) == 1 else None

    def is_draft(self, unit: Unit) -> bool:
        """Whether the unit stands in the part of its page that is a draft."""
        entry = self.entries[unit.page]
        if entry.draft_from is None:
            return False
        headings = [
            heading
            for heading in self.pages[unit.page].units
            if heading.kind is Kind.HEADING and heading.section == entry.draft_from
        ]
        return bool(headings) and unit.start >= headings[0].start
