"""Where people read a source: the published page at its section, and the lines of the page's text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlconform.conformance.contract.model import Contract, Source

_RFC = re.compile(r"RFC (?P<number>\d+)(?:, (?:section )?(?P<section>\d+(?:\.\d+)*))?")


@dataclass(frozen=True, slots=True)
class Address:
    """Of one source; empty is what there is not."""

    published: str = ""
    repository: str = ""


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


def _rfc(found: re.Match[str]) -> str:
    section = f"#section-{found['section']}" if found["section"] else ""
    return f"https://www.rfc-editor.org/rfc/rfc{found['number']}{section}"
