"""What a contract keeps of a page, so that its sources have addresses."""

from __future__ import annotations

import re

from mlconform.conformance.contract.model import PageRecord
from mlconform.conformance.contract.overlay import Overlay, PageEntry
from mlconform.conformance.contract.pages import Kind, Page


def record(overlay: Overlay, entry: PageEntry, page: Page) -> PageRecord:
    """The page as the contract keeps it, with its addresses and the names of its sections."""
    file, commit = overlay.file_of(entry, page.version), overlay.commits.get(page.version)
    if entry.published is not None or overlay.published is None:
        return PageRecord(entry.id, file, entry.own, published=entry.published or None)
    repository = None
    if overlay.repository is not None and commit is not None:
        repository = overlay.repository.format(commit=commit, file=entry.file)
    return PageRecord(
        id=entry.id,
        file=file,
        own=entry.own,
        published=overlay.published.format(version=page.version, path=_path(entry.file)),
        repository=repository,
        anchors=_anchors(page),
    )


def _path(file: str) -> str:
    """The path of a published page: that of its file, without what only the site's generator needs."""
    return file.removeprefix("_").removesuffix(".md")


def _anchors(page: Page) -> tuple[tuple[int, str], ...]:
    """The names that kramdown gives to headings; one that is there already gets a number."""
    found: list[tuple[int, str]] = []
    seen: dict[str, int] = {}
    for unit in page.units:
        if unit.kind is Kind.HEADING and unit.level:
            name = re.sub(r"[^\w\- ]", "", unit.heading.lower()).strip().replace(" ", "-")
            number = seen.get(name, 0)
            seen[name] = number + 1
            found.append((unit.lines[0], f"{name}-{number}" if number else name))
    return tuple(found)
