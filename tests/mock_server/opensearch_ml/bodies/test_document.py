from __future__ import annotations

from typing import Any

import pytest

from mlconform.mock_server.opensearch_ml.bodies.document import MAX_DEPTH, locate, read_json
from mlconform.mock_server.opensearch_ml.errors import ApiError

WHERE = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {}, column: {}]"


@pytest.mark.parametrize(
    ("path", "value"),
    [((), "{"), (("a",), "1"), (("b", "c"), "["), (("b", "c", 1), "3"), (("e",), "null")],
)
def test_a_value_is_located_by_its_path(path: tuple[str | int, ...], value: str) -> None:
    text = '{"a": 1, "b": {"x": "{[,", "c": [ {"a": 2} , 3]}, "e" : null}'
    assert text[locate(text, path) :].startswith(value)


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (
            "{",
            "json_e_o_f_exception",
            "Unexpected end-of-input: expected close marker for Object (start marker at "
            f"{WHERE.format(1, 1)})\n at {WHERE.format(1, 2)}",
        ),
        (
            '{"a":\n [1',
            "json_e_o_f_exception",
            "Unexpected end-of-input: expected close marker for Array (start marker at "
            f"{WHERE.format(2, 2)})\n at {WHERE.format(2, 4)}",
        ),
        (
            "nonsense",
            "json_parse_exception",
            "Unrecognized token 'nonsense': was expecting (JSON String, Number, Array, Object or token "
            f"'null', 'true' or 'false')\n at {WHERE.format(1, 9)}",
        ),
        ('{"a": 1, "a": 2}', "json_parse_exception", f"Duplicate field 'a'\n at {WHERE.format(1, 13)}"),
        ('{"b": {"a": 1},\n"a": {"a": 2, "c": 1, "c": 3}}', "json_parse_exception", "Duplicate field 'c'"),
        ('{"a', "json_e_o_f_exception", "Unexpected end-of-input in field name"),
        ('{"a":', "json_e_o_f_exception", "Unexpected end-of-input within/between Object entries"),
        ('{"a": 1,', "json_parse_exception", "Unexpected end-of-input within/between Object entries"),
        (
            "{a: 1}",
            "json_parse_exception",
            "Unexpected character ('a' (code 97)): was expecting double-quote to start field name\n"
            f" at {WHERE.format(1, 2)}",
        ),
        (
            '{"a" 1}',
            "json_parse_exception",
            "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value",
        ),
        (
            '{"a": 1 "b": 2}',
            "json_parse_exception",
            "Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries",
        ),
        ('{"a": }', "json_parse_exception", "Unexpected character ('}' (code 125)): expected a value"),
        ('{"a": @}', "json_parse_exception", "Unexpected character ('@' (code 64)): expected a valid value"),
        ('{"a": +1}', "json_parse_exception", "Unexpected character ('+' (code 43)) in numeric value"),
        ('{"a": 01}', "json_parse_exception", "Invalid numeric value: Leading zeroes not allowed"),
        ('{"a": -}', "json_parse_exception", "Unexpected character ('}' (code 125)) in numeric value"),
        (
            '{"a":tru}',
            "json_parse_exception",
            "Unrecognized token 'tru': was expecting (JSON String, Number, Array, Object or token "
            f"'null', 'true' or 'false')\n at {WHERE.format(1, 10)}",
        ),
        (
            '{"é": tru}',
            "json_parse_exception",
            "Unrecognized token 'tru': was expecting (JSON String, Number, Array, Object or token "
            f"'null', 'true' or 'false')\n at {WHERE.format(1, 12)}",
        ),
        (
            '{"a":"\\u12"}',
            "json_parse_exception",
            "Unexpected character ('\"' (code 34)): expected a hex-digit",
        ),
        ('{"a"\x00:1}', "json_parse_exception", "Illegal character ((CTRL-CHAR, code 0))"),
        ("}", "json_parse_exception", "Unexpected close marker '}': expected ']' (for root starting at"),
        (
            '{"a": [1}',
            "json_parse_exception",
            "Unexpected close marker '}': expected ']' (for Array starting at " + WHERE.format(1, 7),
        ),
        (
            '{"a": "x\ny"}',
            "json_parse_exception",
            "Illegal unquoted character ((CTRL-CHAR, code 10)): has to be escaped",
        ),
        ('{"a": "\\q"}', "json_parse_exception", "Unrecognized character escape 'q' (code 113)"),
        ('{"a": "b', "json_e_o_f_exception", "Unexpected end-of-input in VALUE_STRING"),
        ("1e999", "input_coercion_exception", "A number is out of the range"),
        ("NaN", "json_parse_exception", "Non-standard token 'NaN'"),
        ("[" * (MAX_DEPTH + 1), "x_content_parse_exception", "The body is nested deeper than"),
    ],
)
def test_what_is_no_json_is_refused_in_the_words_of_the_real_parser(
    body: str, kind: str, reason: str
) -> None:
    with pytest.raises(ApiError) as raised:
        read_json(body.encode())
    assert (raised.value.status, raised.value.type) == (400, kind)
    assert raised.value.reason.startswith(reason)


def test_what_follows_the_first_value_is_not_read() -> None:
    assert read_json(b' {"a": 1} x').value == {"a": 1}


def test_a_body_may_be_as_deep_as_is_allowed() -> None:
    assert read_json(("[" * MAX_DEPTH + "]" * MAX_DEPTH + "[").encode()).value


def test_brackets_within_strings_are_no_depth() -> None:
    assert read_json(('"' + "[" * 200 + '"').encode()).value == "[" * 200


@pytest.mark.parametrize("body", [b"", b" \n\t"])
def test_a_blank_body_is_empty(body: bytes) -> None:
    assert read_json(body).empty


def test_a_number_that_is_taken_for_a_text_stays_as_it_is_written(ml: Any) -> None:
    body = b'{"name": 1.50e1, "function_name": "remote", "connector_id": "%s"}' % ml.connector().encode()
    model_id = ml.post("~/models/_register", body).body["model_id"]
    assert ml.get(f"~/models/{model_id}").body["name"] == "1.50e1"


def test_columns_count_bytes() -> None:
    assert read_json('{"a": "é",\n"é": "ü", "b": 1}'.encode()).place(("b",)) == (2, 18)
