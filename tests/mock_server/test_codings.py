"""Content codings, as recorded nodes read and write them."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest

from mlconform.mock_server import MockServer, Request

BODY = b'{"query": {"bogus": {}}}'
SEARCH = "/_plugins/_ml/models/_search"
_DEFLATED = zlib.compress(BODY)


def _search(coding: str, body: bytes) -> Any:
    headers = {"content-type": "application/json", "content-encoding": coding}
    return MockServer().handle(Request("POST", SEARCH, "", headers, body))


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(BODY, mtime=0)),
        ("GZIP", gzip.compress(BODY, mtime=0)),
        ("x-gzip", gzip.compress(BODY, mtime=0)),
        ("gzip", gzip.compress(BODY[:9], mtime=0) + gzip.compress(BODY[9:], mtime=0)),
        ("deflate", _DEFLATED),
        ("deflate", _DEFLATED[2:-4]),
        ("identity", BODY),
        ("br", BODY),
    ],
)
def test_a_body_is_read_as_its_coding_says_and_an_unknown_coding_is_none(coding: str, body: bytes) -> None:
    assert b"unknown query [bogus]" in _search(coding, body).body


def test_of_a_body_that_ends_too_early_what_there_is_is_read() -> None:
    assert b"json_e_o_f_exception" in _search("gzip", gzip.compress(BODY, mtime=0)[:-12]).body


@pytest.mark.parametrize("body", [b"not gzip", gzip.compress(BODY, mtime=0)[:-6] + b"123456"])
def test_bytes_that_are_no_such_coding_end_the_connection(body: bytes) -> None:
    answer = _search("gzip", body)
    assert (answer.status, answer.body) == (400, b"")
    assert answer.fault is not None
    assert answer.fault.reset


def test_a_body_that_grows_beyond_the_limit_is_refused() -> None:
    deflater = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = b"".join(deflater.compress(bytes(1024 * 1024)) for _ in range(101)) + deflater.flush()
    assert _search("gzip", body).status == 413


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (None, None),
        ("gzip", "gzip"),
        ("gzip, deflate, br", "gzip"),
        ("deflate", "deflate"),
        ("deflate;q=0.5, gzip;q=0", "deflate"),
        ("*", "gzip"),
        ("br", None),
        ("identity", None),
        ("gzip;q=x", None),
    ],
)
def test_an_answer_has_the_coding_that_is_accepted(accepted: str | None, coding: str | None) -> None:
    headers = {} if accepted is None else {"accept-encoding": accepted}
    answer = MockServer().handle(Request("GET", "/", "", headers))
    assert dict(answer.headers).get("content-encoding") == coding
    plain = {"gzip": gzip.decompress, "deflate": zlib.decompress}.get(coding or "", bytes)(answer.body)
    assert b"cluster_name" in plain


def test_the_journal_has_the_body_as_it_was() -> None:
    server = MockServer()
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    server.handle(Request("POST", SEARCH, "", headers, gzip.compress(BODY, mtime=0)))
    (entry,) = server.space().journal.find()
    assert entry.body == {"query": {"bogus": {}}}
