"""The table of operations by user: who was let in to what, and whether that was right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mlconform.conformance.report.events import AccessSeen
from mlconform.conformance.report.verdicts import Judgement

# Those who may least come first; others follow in the order in which they were met.
_ORDER: Final = ("no credentials", "wrong password", "nobody", "reader", "stranger", "peer", "owner", "admin")


@dataclass(frozen=True, slots=True)
class AccessRow:
    """What each user met at one operation on one kind of thing, which is empty for the operation at all."""

    operation: str
    thing: str
    cells: Mapping[str, AccessSeen]

    @property
    def wrong(self) -> bool:
        """Whether somebody was let in or refused who should not have been."""
        return any(cell.wrong for cell in self.cells.values())

    def told(self, user: str) -> str:
        """What the user met, with a mark where that was wrong; empty where nobody asked."""
        cell = self.cells.get(user)
        return "" if cell is None else f"{cell.told or cell.status}{' ✕' if cell.wrong else ''}"


@dataclass(frozen=True, slots=True)
class AccessTable:
    """`users` are the columns, from who may least."""

    users: tuple[str, ...]
    rows: tuple[AccessRow, ...]


def access_table(judgement: Judgement) -> AccessTable:
    """What all checks saw of access; of several answers to one user the wrong one is shown."""
    seen = [each for check in judgement.run.checks for each in check.access]
    cells: dict[tuple[str, str], dict[str, AccessSeen]] = {}
    for each in seen:
        row = cells.setdefault((each.operation, each.thing), {})
        if each.user not in row or each.wrong:
            row[each.user] = each
    users = sorted(dict.fromkeys(each.user for each in seen), key=_place)
    rows = (AccessRow(operation, thing, row) for (operation, thing), row in sorted(cells.items(), key=_key))
    return AccessTable(tuple(users), tuple(rows))


def _place(user: str) -> int:
    return _ORDER.index(user) if user in _ORDER else len(_ORDER)


def _key(item: tuple[tuple[str, str], Mapping[str, AccessSeen]]) -> tuple[str, str, str]:
    """By path, then by method, so that what concerns one thing stands together."""
    (operation, thing), _ = item
    method, _, path = operation.partition(" ")
    return path, method, thing
