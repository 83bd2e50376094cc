from __future__ import annotations

import pytest

from mlconform.conformance.contract.sentences import split


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Since 2.14 it runs. It stops.", ["Since 2.14 it runs.", "It stops."]),
        ("Use some, e.g. One, or i.e. Two.", ["Use some, e.g. One, or i.e. Two."]),
        ("Set `a. B`. Then go.", ["Set `a. B`.", "Then go."]),
        ("It is `x`. `y` follows.", ["It is `x`.", "`y` follows."]),
        ("See [here](http://a.b/C. D). Go on.", ["See [here](http://a.b/C. D).", "Go on."]),
        ("First\nline ends. Second\nline.", ["First\nline ends.", "Second\nline."]),
        ("   ", []),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected
