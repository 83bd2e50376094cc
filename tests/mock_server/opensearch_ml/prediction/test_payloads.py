"""What may stand in the body of a call to a remote endpoint."""

from __future__ import annotations

import pytest

from mlconform.mock_server.opensearch_ml.prediction.payloads import escaped, is_json


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"q": hello}', True),
        ("{q: 'a b'}", True),
        ("[1]", True),
        ('{"q": hello world}', False),
        ('{"q": ${parameters.q}}', False),
        ('{"q": }', False),
        ('{"q": 1, "q": 2}', False),
        ('{"q": 1} x', False),
        ("5", False),
        ("", False),
    ],
)
def test_what_a_node_takes_for_json(text: str, expected: bool) -> None:
    assert is_json(text) is expected


def test_a_text_is_escaped_for_the_inside_of_a_string() -> None:
    assert escaped('a/"b"\n\u00e9\U0001f600') == 'a\\/\\"b\\"\\n\\u00E9\\uD83D\\uDE00'
