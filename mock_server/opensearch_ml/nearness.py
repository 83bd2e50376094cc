"""How near two names are to each other: what OpenSearch's "did you mean" goes by."""

from __future__ import annotations


def nearness(one: str, other: str) -> float:
    """1 for equal names, 0 for names with nothing in common: 1 - edits / length of the longer one.

    An edit puts in, takes out or replaces a character (Lucene's LevenshteinDistance).
    """
    if not one or not other:
        return float(one == other)
    row = list(range(len(other) + 1))
    for number, character in enumerate(one, 1):
        before, row[0] = row[0], number
        for column, against in enumerate(other, 1):
            kept = before + (character != against)
            before = row[column]
            row[column] = min(row[column] + 1, row[column - 1] + 1, kept)
    return 1 - row[-1] / max(len(one), len(other))
