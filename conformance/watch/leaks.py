"""What an error tells beside the error: how the server is built, and what a client entrusted to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from mlconform.conformance.watch.envelopes import member
from mlconform.conformance.watch.observation import Observation, Seen

# How a server written in Java tells of itself: frames of a stack, classes of its own, files.
_BUILT: Final = (
    re.compile(r"\bat [\w.$/]+\([\w.]+(?:\.java)?:\d+\)"),
    re.compile(r"\borg\.(?:opensearch|elasticsearch|apache)(?:\.[a-z_]\w*)+\.[A-Z]\w+"),
    re.compile(r"(?:/usr/share|/home|/var|/opt)/[\w./-]+"),
)
# A shorter text comes by chance.
_SHORTEST_SECRET = 12


class Leaks:
    """Remembers the credentials that connectors were made with, and looks for them in every error."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def __call__(self, seen: Seen) -> Iterator[Observation]:
        if isinstance(seen.sent, dict):
            self._secrets |= set(_entrusted(seen.sent)) | set(_entrusted(seen.sent.get("connector")))
        if not isinstance(seen.body, dict) or seen.succeeded:
            return
        text = seen.exchange.text
        found = next((match.group() for each in _BUILT if (match := each.search(text))), None)
        if found is None and '"stack_trace"' in text:
            found = "stack_trace"
        yield Observation(
            "osml.wire.no-leak",
            found is None,
            "an error without a stack trace, a class or a path of the server",
            "" if found is None else f"{found}: {seen.exchange.summary}",
        )
        if self._secrets:
            yield Observation(
                "osml.wire.no-leak",
                not any(secret in text for secret in self._secrets),
                "an error without the credential of a connector",
                seen.exchange,
            )


def _entrusted(sent: Any) -> Iterator[str]:
    """The values of a connector's credential."""
    credential = member(sent, "credential")
    for value in credential.values() if isinstance(credential, dict) else ():
        if isinstance(value, str) and len(value) >= _SHORTEST_SECRET:
            yield value
