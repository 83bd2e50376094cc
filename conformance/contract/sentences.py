"""Where the sentences of a paragraph begin and end, so that each can be accounted for on its own."""

from __future__ import annotations

import re

# Inside these a full stop ends no sentence: code spans, link targets, Liquid output, bare URLs.
_OPAQUE = re.compile(r"`[^`]*`|\]\([^)]*\)|\{\{.*?\}\}|https?://[^\s)]*[^\s).]")
_END = re.compile(r"(?<!e\.g)(?<!i\.e)(?<!etc)(?<!vs)(?<!cf)[.!?][)\"*_”]*(?=\s+[\"“(*_\[]*[A-Z])")


def split(text: str) -> list[tuple[int, int]]:
    """Start and end offsets of the sentences of `text`, in order, white space between them left out.

    Every character that is not white space lies in exactly one of the ranges. A code span may begin
    a sentence; a sentence may run over several lines.
    """
    masked = _OPAQUE.sub(lambda match: "X" * len(match.group()), text)
    ends = [match.end() for match in _END.finditer(masked)] + [len(text)]
    ranges = []
    start = 0
    for end in ends:
        chunk = text[start:end]
        if chunk.strip():
            left = start + len(chunk) - len(chunk.lstrip())
            ranges.append((left, left + len(chunk.strip())))
        start = end
    return ranges
