"""Where people read a source: the published page at its section, and the lines of the page's text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlconform.conformance.contract.model import Contract, PageRecord, Source
from mlconform.conformance.contract.overlay import Overlay, PageEntry
from mlconform.conformance.contract.pages import Kind, Page

_RFC = re.compile(r"RFC (?P<number>\d+)(?:, (?:section )?(?P<section>\d+(?:\.\d+)*))?")


@dataclass(frozen=True, slots=True)
class Address:
    """Of one source; empty is what there is not."""

    published: str = ""
    repository: str = ""


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


def address(contract: Contract, source: Source) -> Address:
    """Where a source is to be read; a recording lies in this project alone and has no address."""
    if source.reference is not None:
        found = _RFC.search(source.reference)
        return Address(published=_rfc(found)) if found else Address()
    page = next((each for each in contract.pages if each.id == source.page), None)
    if page is None or source.lines is None:
        return Address()
    first, last = source.lines
    passed = [name for line, name in page.anchors if line <= first]
    return Address(
        published=(page.published or "") + (f"#{passed[-1]}" if passed else ""),
        repository=f"{page.repository}?plain=1#L{first}-L{last}" if page.repository else "",
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


def _rfc(found: re.Match[str]) -> str:
    section = f"#section-{found['section']}" if found["section"] else ""
    return f"https://www.rfc-editor.org/rfc/rfc{found['number']}{section}"
