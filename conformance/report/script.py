"""Requests as a shell script for any target: an id that an answer gives is carried into the next requests."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence

from mlconform.conformance.report.events import ExchangeRecord

# The members that name what a request made; shorter values are words that may stand anywhere.
_NAMES = re.compile(r"_?([a-z]+_)*id")
_ID = re.compile(r"[A-Za-z0-9_-]{16,}")
# A body that is no text; nothing that a server sent looks so from its beginning.
_PIPED = re.compile(r"printf %s [A-Za-z0-9+/=]+ \| base64 -d \| (?=curl )")
# The whole of a word: what a server sent never gets here, where a shell would carry it out.
_SECRET = re.compile(r"(?:[\w-]+: )?(?:\w+ )?(?:\$MLCONFORM_[A-Z0-9_]+:?)+")


def commands(exchanges: Sequence[ExchangeRecord], named: Mapping[str, str] | None = None) -> list[str]:
    """A command, or a few lines, for each exchange; what was made before them keeps its id.

    With `named`, texts that have a variable, such as the target's address, the commands are calls of the
    function `ask` instead of `curl`.
    """
    variables: dict[str, str] = dict(named or {})
    scripted = []
    for number, exchange in enumerate(exchanges):
        piped = _PIPED.match(exchange.curl)
        body, call = (piped[0], exchange.curl[piped.end() :]) if piped else ("", exchange.curl)
        command = _carried(call, variables) or f"# {exchange.method} {exchange.url}"
        if named is not None:
            command = re.sub(r"^curl( -sS)?(?= )", "ask", command)
        command = body + command
        made = _made(exchange, exchanges[number + 1 :], variables)
        variables |= made
        scripted.append("\n".join(_kept(command, exchange, made)) if made else command)
    return scripted


def _made(
    exchange: ExchangeRecord, later: Sequence[ExchangeRecord], known: Mapping[str, str]
) -> dict[str, str]:
    """The ids that this answer is the first to tell and that later requests carry, with their variables."""
    made: dict[str, str] = {}
    for member, value in _told(exchange).items():
        new = value not in known and value not in exchange.curl
        if new and any(value in request.curl for request in later):
            taken = [*known.values(), *made.values()]
            made[value] = _variable(member, taken)
    return made


def _told(exchange: ExchangeRecord) -> dict[str, str]:
    try:
        answer = json.loads(exchange.response_body or "")
    except (ValueError, RecursionError):
        return {}
    members = answer.items() if isinstance(answer, dict) else ()
    return {
        name: value
        for name, value in members
        if isinstance(value, str) and _NAMES.fullmatch(name) and _ID.fullmatch(value)
    }


def _variable(member: str, taken: Sequence[str]) -> str:
    name = member.lstrip("_")
    number = 2
    while (chosen := name if name not in taken else f"{name}_{number}") in taken:
        number += 1
    return chosen


def _carried(command: str, variables: Mapping[str, str]) -> str:
    """The command with variables in the place of the ids; its words are quoted anew."""
    used = [value for value in variables if value in command]
    if not used:
        return command
    ids = re.compile(f"({'|'.join(map(re.escape, used))})")
    try:
        words = shlex.split(command)
    except ValueError:  # a stream of somebody else's: its commands are shown as they are
        return command
    return " ".join(_word(word, ids, variables) for word in words)


def _word(word: str, ids: re.Pattern[str], variables: Mapping[str, str]) -> str:
    if _SECRET.fullmatch(word):
        return f'"{word}"'
    parts = [part for part in ids.split(word) if part] or [""]
    return "".join(f'"${variables[part]}"' if part in variables else shlex.quote(part) for part in parts)


def _kept(command: str, exchange: ExchangeRecord, made: Mapping[str, str]) -> list[str]:
    """The command, its answer shown, and its ids in variables."""
    members = {value: name for name, value in _told(exchange).items()}
    return [
        f"answer=$({command}); printf '%s\\n' \"$answer\"",
        *(
            rf"""{variable}=$(printf %s "$answer" | sed -n 's/.*"{members[value]}" *: *"\([^"]*\)".*/\1/p')"""
            for value, variable in made.items()
        ),
    ]
