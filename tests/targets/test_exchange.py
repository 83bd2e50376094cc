"""One request and its answer as evidence."""

from __future__ import annotations

import shlex
import subprocess
from typing import Any

import pytest

from mlconform.conformance.outcomes import BrokenAnswer
from mlconform.conformance.targets.exchange import Answer, Exchange, OutgoingRequest


def exchange(body: bytes = b"{}", *, request: OutgoingRequest | None = None, whole: bool = True) -> Exchange:
    answer = Answer(200, {"content-type": "application/json"}, body) if whole else None
    return Exchange(
        request or OutgoingRequest("GET", "/a"),
        answer,
        1.23456,
        "http://h:1",
        "osml.wire.json",
        problem=None if whole else "cut off",
    )


@pytest.mark.parametrize(
    ("body", "value"), [(b'{"a": [1, null]}', {"a": [1, None]}), (b'"text"', "text"), (b"\n3 ", 3)]
)
def test_the_decoded_body(body: bytes, value: Any) -> None:
    assert exchange(body).json == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{}{}",
        b"<html>",
        b'{"a": NaN}',
        b"Infinity",
        b'"\xff"',
        '"x"'.encode("utf-16"),
        b"[" * 200_000,
    ],
    ids=["empty", "unended", "two", "html", "nan", "infinity", "not utf-8", "utf-16", "too deep"],
)
def test_a_body_that_is_no_json_is_the_targets_fault(body: bytes) -> None:
    with pytest.raises(BrokenAnswer) as caught:
        _ = exchange(body).json
    assert caught.value.requirement == "osml.wire.json"


@pytest.mark.parametrize("look", ["status", "json", "text", "content_type"])
def test_what_is_not_whole_cannot_be_looked_at(look: str) -> None:
    with pytest.raises(BrokenAnswer, match="cut off"):
        getattr(exchange(whole=False), look)


def test_a_member_by_its_path() -> None:
    body = b'{"error": {"reason": "x"}, "list": [1]}'
    assert exchange(body).member("error", "reason") == "x"
    assert exchange(body).member("error", "absent", "deeper") is None
    assert exchange(body).member("list", "0") is None


def test_the_summary_of_what_is_not_whole_tells_the_problem() -> None:
    assert exchange(whole=False).summary == "no whole answer (cut off)"


def test_curl_does_the_request_again() -> None:
    body = b"""{"name": "it's $HOME `id`"}"""
    request = OutgoingRequest("PUT", "/a b?x='1'&y", {"content-type": "application/json"}, body)
    words = shlex.split(exchange(request=request).curl)
    assert words[:5] == ["curl", "-sS", "-X", "PUT", "http://h:1/a b?x='1'&y"]
    assert words[5:] == ["-H", "content-type: application/json", "--data-raw", body.decode()]


@pytest.mark.parametrize("body", [b"PK\x03\0it's", b"\xff\xfe", "caf\u00e9 \\x00".encode()])
def test_curl_sends_every_byte(body: bytes) -> None:
    told = exchange(request=OutgoingRequest("POST", "/a", {}, body)).curl
    curl = 'curl() { case "$5" in --data-raw) printf %s "$6";; *) cat;; esac; }'
    sent = subprocess.run(["sh", "-euc", f"{curl}\n{told}"], capture_output=True, check=True).stdout
    assert sent == body


def test_a_secret_among_bytes_is_hidden_all_the_same() -> None:
    told = exchange(request=OutgoingRequest("POST", "/a", {}, b'\0{"password": "some words"}')).curl
    assert "base64" not in told
    assert "some words" not in told


def test_curl_keeps_the_credentials_to_itself() -> None:
    request = OutgoingRequest("GET", "/a", {"authorization": "Bearer secret"})
    told = exchange(request=request).curl
    assert "secret" not in told
    assert "Authorization: $MLCONFORM_AUTHORIZATION" in told


def test_the_record_has_both_sides() -> None:
    request = OutgoingRequest("POST", "/a", {"content-type": "application/json"}, b"\xff")
    record = exchange(b'{"b": 1}', request=request).record()
    assert (record.method, record.url, record.at) == ("POST", "http://h:1/a", 1.235)
    assert (record.request_body, record.request_content_type) == ("\\xff", "application/json")
    assert (record.status, record.response_body) == (200, '{"b": 1}')


def test_the_record_of_what_is_not_whole_says_so() -> None:
    record = exchange(whole=False).record()
    assert (record.status, record.response_body, record.problem) == (None, None, "cut off")
