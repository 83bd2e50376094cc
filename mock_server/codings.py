"""Content codings: bodies that come compressed, and answers that are compressed on demand, as a node does it.

A node reads gzip and deflate (with zlib's frame or without), takes a coding that it does not know for none,
reads what there is of a body that ends too early, and closes the connection where the bytes are not what
their coding says; no body may be longer than 100 MiB once it is read (`http.max_content_length`). It also
writes zstd and snappy, which the mock does not: whoever accepts those alone is answered without a coding.
"""

from __future__ import annotations

import zlib
from functools import lru_cache

from msgspec.structs import replace

from mlconform.mock_server.core import Request, Response, WireFault

MAX_CONTENT = 100 * 1024 * 1024
TOO_LARGE = Response(413, (), b"")

_LEVEL = 3
_GZIP, _ZLIB, _RAW = 31, 15, -15


class CodingError(Exception):
    """A body that can't be read as what its header says; `answer` is what the client gets."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


def decoded(request: Request) -> Request:
    """The request with its body as it was before it was compressed. Raises CodingError."""
    if len(request.body) > MAX_CONTENT:
        raise CodingError(TOO_LARGE)
    coding = request.headers.get("content-encoding", "").lower().removeprefix("x-")
    if coding not in ("gzip", "deflate") or not request.body:
        return request
    try:
        body = _inflated(request.body, _frame(coding, request.body))
    except zlib.error:
        raise CodingError(Response(400, (), b"", WireFault(reset=True))) from None
    return replace(request, body=body)


def _frame(coding: str, body: bytes) -> int:
    if coding == "gzip":
        return _GZIP
    # RFC 1950: the low half of the first byte is 8, and the first two are a multiple of 31.
    has_frame = body[0] & 15 == 8 and int.from_bytes(body[:2]) % 31 == 0
    return _ZLIB if has_frame else _RAW


def _inflated(body: bytes, frame: int) -> bytes:
    """All members of a body, one after the other."""
    read = b""
    while body:
        member = zlib.decompressobj(frame)
        read += member.decompress(body, MAX_CONTENT + 1 - len(read))
        if len(read) > MAX_CONTENT:
            raise CodingError(TOO_LARGE)
        body = member.unused_data
    return read


def encoded(request: Request, response: Response) -> Response:
    """The answer in the coding that the request accepts; that to HEAD has the length alone."""
    if request.method == "HEAD":
        length = ("content-length", str(len(response.body)))
        return replace(response, headers=(*response.headers, length), body=b"")
    accepted = request.headers.get("accept-encoding")
    plain = accepted is None or not response.body or response.stream is not None
    coding = None if plain or accepted is None else _coding(accepted)
    if coding is None:
        return response
    deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP if coding == "gzip" else _ZLIB)
    body = deflater.compress(response.body) + deflater.flush()
    return replace(response, headers=(*response.headers, ("content-encoding", coding)), body=body)


@lru_cache(maxsize=100)
def _coding(accepted: str) -> str | None:
    """The better liked one of gzip and deflate, gzip where both are liked as much; None where neither is."""
    liked: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";q=")
        try:
            liked[name.strip()] = float(weight or 1)
        except ValueError:
            liked[name.strip()] = 0.0
    anything = liked.get("*", 0.0)
    weights = {name: liked.get(name, anything) for name in ("gzip", "deflate")}
    best = max(weights, key=lambda name: weights[name])
    return best if weights[best] > 0 else None
