"""Rules over several pages, and examples against what was built of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mlconform.conformance.contract.across_rules import across
from mlconform.conformance.contract.facts import Facts
from mlconform.conformance.contract.pages import read_page

from .conftest import PAGE, Project

SETTING = """# Settings

## Interval

### Setting

```yaml
things.interval: 3
```

### Values

- Default value: `3`
"""
PROSE = """# Stop

## By itself

The default interval is 10 seconds. To change it:

```json
PUT /_cluster/settings
{ "persistent": { "things.interval": 10 } }
```
"""
STATES = """

## Valid thing states

Thing state | Description
:--- | :---
`BEGUN` | It goes.
"""
Find = Callable[..., list[str]]


@pytest.fixture
def find(project: Project) -> Find:
    """The ids of what the rules find on pages with these ids."""

    def found(**texts: str) -> list[str]:
        base = project.facts()
        entries = tuple(replace(base.overlay.pages[0], id=name) for name in texts)
        pages = {name: read_page(name, base.version, text) for name, text in texts.items()}
        facts = Facts(replace(base.overlay, pages=entries), base.version, pages)
        return sorted(finding.id for finding in across(facts))

    return found


def test_pages_that_agree_have_no_finding(find: Find) -> None:
    assert find(start=PAGE, settings=SETTING, stop=PROSE.replace("10 seconds", "3 seconds")) == []


def test_a_default_that_differs_between_pages(find: Find) -> None:
    assert find(start=PAGE, settings=SETTING, stop=PROSE) == ["settings/default/things.interval"]


def test_a_default_after_another_heading_is_of_another_thing(find: Find) -> None:
    assert (
        find(start=PAGE, settings=SETTING, stop=PROSE.replace("To change", "\n\n## Else\n\nTo change")) == []
    )


def test_a_value_that_the_list_of_values_lacks(find: Find) -> None:
    stated = PAGE.replace('"status": "STARTED"', '"thing_state": "STARTED"')
    assert find(start=stated + STATES) == ["start/unlisted-value/thing_state/STARTED"]
    assert find(start=stated.replace("STARTED", "BEGUN") + STATES) == []


def test_an_answer_that_is_not_as_its_table(find: Find) -> None:
    table = "\n## Response body fields\n\nField | Data type\n:--- | :---\n`at` | String\n"
    found = find(start=PAGE + table)
    assert "start/answer-member/at" in found
    assert "start/invalid-example/example-response" in found


@pytest.mark.parametrize(
    "body",
    ['{ "speed": 4, ... }', '{ "speed": 4 } // slowly', '{ "mode": """a""" }'],
    ids=["gap", "note", "quotes"],
)
def test_a_body_that_is_not_json(find: Find, body: str) -> None:
    changed = PAGE.replace('{ "speed": 4, "mode": { "unit": "A" } }', body)
    assert "start/not-json/example-request/starting-slowly" in find(start=changed)


def test_an_example_that_does_not_fit_its_schema(find: Find) -> None:
    changed = PAGE.replace('"speed": 4', '"speed": "4"')
    assert find(start=changed) == ["start/invalid-example/example-request/starting-slowly"]
