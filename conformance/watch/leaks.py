"""What an error tells beside the error: how the server is built, and what a client entrusted to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from mlconform.conformance.watch.envelopes import member
from mlconform.conformance.watch.observation import Held, Observation, Seen, held

# How a server written in Java tells of itself: frames of a stack, classes of its own, files. Each comes with
# a text that is found sooner, and without which it does not match.
_BUILT: Final = (
    ("at ", re.compile(r"\bat [\w.$/]+\([\w.]+(?:\.java)?:\d+\)")),
    ("org.", re.compile(r"\borg\.(?:opensearch|elasticsearch|apache)(?:\.[a-z_]\w*)+\.[A-Z]\w+")),
    *((path, re.compile(rf"{path}[\w./-]+")) for path in ("/usr/share/", "/home/", "/var/", "/opt/")),
)
_NO_FRAME: Final = "an error without a stack trace, a class or a path of the server"
_NO_SECRET: Final = "an error without the credential of a connector"
# A shorter text comes by chance.
_SHORTEST_SECRET = 12


class Leaks:
    """Remembers the credentials that connectors were made with, and looks for them in every error."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def __call__(self, seen: Seen) -> Iterator[Observation | Held]:
        if isinstance(seen.sent, dict):
            self._secrets |= set(_entrusted(seen.sent)) | set(_entrusted(seen.sent.get("connector")))
        if not isinstance(seen.body, dict) or seen.succeeded:
            return
        text = seen.exchange.text
        found = _built(text)
        if found is not None:
            yield Observation("osml.wire.no-leak", False, _NO_FRAME, f"{found}: {seen.exchange.summary}")
        if any(secret in text for secret in self._secrets):
            yield Observation("osml.wire.no-leak", False, _NO_SECRET, seen.exchange)
        yield held("osml.wire.no-leak")


def _built(text: str) -> str | None:
    """The first that tells how the server is built."""
    for sign, pattern in _BUILT:
        if sign in text and (match := pattern.search(text)):
            return match.group()
    return "stack_trace" if '"stack_trace"' in text else None


def _entrusted(sent: Any) -> Iterator[str]:
    """The values of a connector's credential."""
    credential = member(sent, "credential")
    for value in credential.values() if isinstance(credential, dict) else ():
        if isinstance(value, str) and len(value) >= _SHORTEST_SECRET:
            yield value
