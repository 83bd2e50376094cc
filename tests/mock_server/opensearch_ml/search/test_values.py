"""What a search compares: bounds, and times relative to now."""

from __future__ import annotations

from typing import Any

import pytest

HOUR = 3600


@pytest.fixture
def created(ml: Any) -> Any:
    """Finds, of models made two hours, half an hour and no time ago, those in a range of their creation."""
    times = []
    for number, pause in enumerate((1.5 * HOUR, 0.5 * HOUR, 0)):
        times.append(ml.get(f"~/models/{ml.model(name=str(number))}").body["created_time"])
        ml.time.now += pause

    def search(**bounds: Any) -> set[int]:
        limits = {bound: times[limit] if isinstance(limit, int) else limit for bound, limit in bounds.items()}
        hits = ml.post("~/models/_search", {"query": {"range": {"created_time": limits}}}).body["hits"][
            "hits"
        ]
        return {int(hit["_source"]["name"]) for hit in hits}

    return search


@pytest.mark.parametrize(
    ("bounds", "names"),
    [
        ({"gte": 1}, {1, 2}),
        ({"gt": 1}, {2}),
        ({"lte": 1}, {0, 1}),
        ({"lt": 1}, {0}),
        ({"from": 1, "to": 1}, {1}),
        ({"gt": 0, "lt": 2}, {1}),
        ({"gte": None, "lt": 1}, {0}),
    ],
)
def test_a_bound_is_in_its_range_or_not(created: Any, bounds: Any, names: set[int]) -> None:
    assert created(**bounds) == names


@pytest.mark.parametrize(
    ("bounds", "names"),
    [
        ({"gte": "now-1h"}, {1, 2}),
        ({"lt": "now-1h"}, {0}),
        ({"gte": "now-10m"}, {2}),
        ({"gte": "now-3H"}, {0, 1, 2}),
        ({"gte": "now+1d"}, set()),
        ({"lte": "now+1d", "gt": "now-1d"}, {0, 1, 2}),
    ],
)
def test_a_time_may_be_relative_to_now(created: Any, bounds: Any, names: set[int]) -> None:
    assert created(**bounds) == names
