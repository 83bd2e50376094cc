"""Where node and mock do not get the same verdict, and the table in ARCHITECTURE.md that says why.

The table is the one place: `make real` accepts what it lists and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlconform.conformance.report.verdicts import Kind

PAGE = Path(__file__).parents[1] / "ARCHITECTURE.md"
_HEAD = ["requirement", "cluster", "node", "mock", "why"]
_CHOICE = " or "


@dataclass(frozen=True, slots=True)
class Difference:
    """A row of the table: the verdicts that the node and the mock may get where they are on their own."""

    requirement: str
    clusters: frozenset[str]
    node: frozenset[Kind]
    mock: frozenset[Kind]
    why: str

    def accepts(self, node: Kind, mock: Kind) -> bool:
        return node in self.node and mock in self.mock


def listed(page: Path = PAGE) -> tuple[Difference, ...]:
    """The rows of the table. Raises `ValueError` where there is none or a row cannot be understood."""
    rows = list(_rows(page.read_text().splitlines()))
    if not rows:
        raise ValueError(f"expected a table headed {' | '.join(_HEAD)} in {page.name}, but there is none")
    return tuple(_read(row) for row in rows)


def unlisted(
    cluster: str, node: Mapping[str, Kind], mock: Mapping[str, Kind], rows: Sequence[Difference]
) -> list[str]:
    """A line for each requirement that both decided, where they differ and no row says so, or where a row
    says that they differ and they do not."""
    found = {row.requirement: row for row in rows if cluster in row.clusters}
    told = []
    for name in sorted(node.keys() & mock.keys()):
        row = found.get(name)
        pair = f"{name} is {node[name]} on the node and {mock[name]} on the mock"
        if row is None and node[name] is not mock[name]:
            told.append(pair)
        elif row is not None and not row.accepts(node[name], mock[name]):
            told.append(f"{pair}, which is not what {PAGE.name} lists")
    return told


def _rows(lines: Sequence[str]) -> Iterator[list[str]]:
    """The cells of the rows below the head."""
    inside = False
    for line in lines:
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells == _HEAD:
            inside = True
        elif not cells:
            inside = False
        elif inside and not set("".join(cells)) <= set("-: "):
            yield cells


def _read(cells: list[str]) -> Difference:
    if len(cells) != len(_HEAD) or not all(cells):
        raise ValueError(f"expected {len(_HEAD)} cells in a row of {PAGE.name}, got {cells}")
    requirement, clusters, node, mock, why = cells
    return Difference(
        requirement.strip("`"), frozenset(clusters.split(", ")), _kinds(node), _kinds(mock), why
    )


def _kinds(cell: str) -> frozenset[Kind]:
    return frozenset(Kind(name) for name in cell.split(_CHOICE))
