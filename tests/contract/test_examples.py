from __future__ import annotations

from typing import Any

import pytest

from mlconform.conformance.contract.examples import Block, classify, read_example, read_json, status_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}', {"a": 1}),
        ('{"a": 1, // why\n "b": 2}', {"a": 1, "b": 2}),
        ('{"a": [1, 2, ...]}', {"a": [1, 2]}),
        ('{"a": 1,}', {"a": 1}),
        ('{"a": """two\nlines"""}', {"a": "two\nlines"}),
        ('{"url": "http://x/#y", "dots": "..."}', {"url": "http://x/#y", "dots": "..."}),
        ('{"a": 1 # note\n}', {"a": 1}),
    ],
)
def test_json_is_read_as_documentation_writes_it(text: str, expected: Any) -> None:
    assert read_json(text) == expected


def test_request_line_headers_and_body_are_told_apart() -> None:
    example = read_example('```json\nPUT /a/b\nHeaders: {"X": "y"}\n{"c": 1}\n```')
    assert (example.method, example.path, example.body) == ("PUT", "/a/b", {"c": 1})


def test_a_request_without_a_body_has_none() -> None:
    assert not read_example("```\nGET /a\n```").has_body


def test_what_is_no_json_is_told_and_does_not_raise() -> None:
    assert read_example("```json\n{ nonsense\n```").problem


@pytest.mark.parametrize(
    ("block", "heading", "expected"),
    [
        ("POST /a/_b", "Endpoints", Block.ENDPOINT),
        ("POST /a/_b", "Path and HTTP methods", Block.ENDPOINT),
        ("POST /a/_b", "Example request", Block.REQUEST),
        ("GET /a\nPOST /a", "Anything", Block.ENDPOINT),
        ('PUT _cluster/settings\n{"persistent": {"a.b": 1}}', "Anything", Block.SETTINGS),
        ('{"a": 1}', "Example request: Without a line", Block.REQUEST),
        ('{"a": 1}', "Example response", Block.RESPONSE),
        ('{"error": {"type": "x"}, "status": 409}', "Checking", Block.ERROR),
        ("const x = 1;", "Example", Block.OTHER),
    ],
)
def test_a_block_is_known_by_content_and_heading(block: str, heading: str, expected: Block) -> None:
    assert classify(block, heading) is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [({"error": "x", "status": 404}, 404), ({"error": "x"}, 0), ({"a": 1}, None), (1, None)],
)
def test_only_an_error_body_has_a_status(body: Any, expected: int | None) -> None:
    assert status_of(body) == expected
