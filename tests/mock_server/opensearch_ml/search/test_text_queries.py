"""Words of texts: how far apart they may be, and how many of them must be there."""

from __future__ import annotations

from typing import Any

import pytest

from mlconform.mock_server.opensearch_ml.search.text_queries import needed


@pytest.mark.parametrize(
    ("phrase", "slop", "is_found"),
    [
        ("one two", 0, True),
        ("one three", 0, False),
        ("one three", 1, True),
        ("one three five", 1, False),
        ("one three five", 2, True),
        ("two one", 1, False),
    ],
)
def test_a_phrase_may_have_so_many_other_words_in_it(ml: Any, phrase: str, slop: int, is_found: bool) -> None:
    ml.model(description="one two three four five")
    query = {"match_phrase": {"description": {"query": phrase, "slop": slop}}}
    found = ml.post("~/models/_search", {"query": query}).body["hits"]["total"]["value"]
    assert found == is_found


@pytest.mark.parametrize(
    ("wanted", "least"),
    [(3, 3), ("3", 3), (-1, 3), ("50%", 2), ("75%", 3), ("60%", 2), ("-25%", 3), ("-30%", 3), ("x", 1)],
)
def test_so_many_of_four_are_needed(wanted: Any, least: int) -> None:
    assert needed(wanted, 4) == least
