"""Which known names are near to one that is not known: OpenSearch's "did you mean"."""

from __future__ import annotations

from collections.abc import Iterable

_NEAR = 0.5


def nearness(one: str, other: str) -> float:
    """1 for equal names, 0 for names too far apart to be near: 1 - edits / length of the longer one.

    An edit puts in, takes out or replaces a character (Lucene's LevenshteinDistance).
    """
    if not one or not other:
        return float(one == other)
    if min(len(one), len(other)) < _NEAR * max(len(one), len(other)):
        # Too far apart to be near: what a client sends may be of any length.
        return 0.0
    row = list(range(len(other) + 1))
    for number, character in enumerate(one, 1):
        before, row[0] = row[0], number
        for column, against in enumerate(other, 1):
            replaced = before + (character != against)
            before = row[column]
            row[column] = min(row[column] + 1, row[column - 1] + 1, replaced)
    return 1 - row[-1] / max(len(one), len(other))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The question that offers every near name, the nearest first, or an empty text where none is near."""
    near = sorted((-value, other) for other in known if (value := nearness(name, other)) > _NEAR)
    told = ", ".join(other for _, other in near)
    return f"did you mean {'any of ' if len(near) > 1 else ''}[{told}]?" if near else ""


def within(one: str, other: str) -> bool:
    """Whether two words are as near as `AUTO` allows: no edit up to 2 characters, one up to 5, else two."""
    allowed = 0 if len(one) < 3 else 1 if len(one) < 6 else 2
    return abs(len(one) - len(other)) <= allowed and _edits(one, other) <= allowed


def _edits(one: str, other: str) -> int:
    """The fewest characters put in, taken out, replaced or exchanged with their neighbour."""
    rows = [list(range(len(other) + 1))]
    for at, character in enumerate(one, 1):
        row = [at]
        for column, against in enumerate(other, 1):
            cost = min(rows[-1][column] + 1, row[-1] + 1, rows[-1][column - 1] + (character != against))
            if at > 1 and column > 1 and character == other[column - 2] and one[at - 2] == against:
                cost = min(cost, rows[-2][column - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]
