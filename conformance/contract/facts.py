"""Everything that was read from the pages of one version, in one value."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from conformance.contract import fragment
from conformance.contract.errors import ContractError
from conformance.contract.fields import Field, page_since, read_fields
from conformance.contract.model import Source
from conformance.contract.operations import Endpoint, Route, Shown, endpoints, operation_of, shown
from conformance.contract.overlay import Citation, Overlay, recordings
from conformance.contract.pages import Kind, Page, Unit


@dataclass(frozen=True)
class Facts:
    """The pages of one overlay, and what they say of its operations."""

    overlay: Overlay
    pages: Mapping[str, Page]

    @cached_property
    def units(self) -> dict[str, Unit]:
        """All units by key, in page order."""
        return {unit.key: unit for page in self.pages.values() for unit in page.units}

    @cached_property
    def routes(self) -> dict[str, Route]:
        """The route of each operation by its id."""
        return {operation.id: operation.route for operation in self.overlay.operations}

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
        """The fields that each operation's page lists in its tables of request fields."""
        found: dict[str, tuple[Field, ...]] = {}
        for page in self.pages.values():
            operation = self.operation_of_page(page.id)
            if operation is not None:
                rows = tuple(row for row in read_fields(page) if "response" not in row.unit.section)
                found[operation] = found.get(operation, ()) + rows
        return found

    def operation_of_page(self, page_id: str) -> str | None:
        """The operation that the page is about: that of the first endpoint it lists."""
        for endpoint in self.endpoints:
            if endpoint.unit.page == page_id:
                return operation_of(endpoint.route, self.routes)
        return None

    def listed(self, operation: str) -> list[Unit]:
        """The units that list the operation as an endpoint."""
        return [
            endpoint.unit
            for endpoint in self.endpoints
            if operation_of(endpoint.route, self.routes) == operation
        ]

    def unit(self, key: str, where: str) -> Unit:
        """The unit of this key. Raises ContractError that names the nearest keys where there is none."""
        if key in self.units:
            return self.units[key]
        near = difflib.get_close_matches(key, self.units, n=3, cutoff=0.5)
        hint = f" The nearest are: {'; '.join(near)}." if near else ""
        raise ContractError(
            f"overlay of {self.overlay.profile}, {where}: no page has the unit {key!r}. Its text has changed "
            f"or the key is misspelled: read the page again and correct the entry.{hint}"
        )

    def source(self, unit: Unit) -> Source:
        """The unit as a source: its lines and their hash."""
        page = self.pages[unit.page]
        return Source(page=unit.page, lines=unit.lines, sha256=page.sha256(unit.lines), version=page.version)

    def sources(self, cites: Citation, where: str) -> tuple[Source, ...]:
        """All sources of a citation: units, then recordings, then the standard."""
        found = [self.source(self.unit(key, where)) for key in cites.units]
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
        entry = next(entry for entry in self.overlay.pages if entry.id == unit.page)
        if entry.draft_from is None:
            return False
        headings = [
            heading
            for heading in self.pages[unit.page].units
            if heading.kind is Kind.HEADING and heading.section == entry.draft_from
        ]
        return bool(headings) and unit.start >= headings[0].start
