"""Who a request comes from. Secrets live here alone, and nothing here shows them.

Whatever leaves the process (an event, a report, a curl line, a message, an exception) is made from
what `presentable` returns: every secret that this process ever held is replaced in it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar
from urllib.parse import quote

HIDDEN: Final = "•••"
# The environment variable that a curl line reads the value of the Authorization header from.
AUTHORIZATION: Final = "MLCONFORM_AUTHORIZATION"
# What is shorter is found in ordinary words: only its encoded forms are hidden.
_SHORTEST = 6
# Members of answers and settings that hold a secret of somebody, by the end of their names. The special
# tokens of a tokenizer are none.
_TELLING = re.compile(
    r"""(?P<before>"(?!(?:unk|pad|cls|sep|mask|bos|eos)_token")(?:[^"\\]*[._-])?(?:password|passwd|secret|secret_key|access_key|api_key|(?:session_|access_|auth_)?token)"\s*:\s*)"""
    r'"(?!\$\{)(?:[^"\\]|\\.)+"',
    re.IGNORECASE,
)
_held: set[str] = set()
T = TypeVar("T")


class Secret:
    """A text that never shows itself; `reveal` is for the transport alone."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text
        if len(text) >= _SHORTEST:
            _held.update({text, quote(text, safe=""), json.dumps(text)[1:-1]})

    def reveal(self) -> str:
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """Files in PEM; `key` may be in the file of the certificate."""

    certificate: Path
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """One user of the target: headers that tell who it is, or a client certificate.

    `name` is what people may read: the user's name, or of what kind the credentials are. `identity` is
    what the run knows the user as, empty for its own account.
    """

    name: str
    headers: Mapping[str, Secret] = field(default_factory=dict, hash=False)
    certificate: ClientCertificate | None = None
    identity: str = ""

    @property
    def curl(self) -> list[str]:
        """Words of a curl command that read the secrets from environment variables."""
        suffix = f"_{self.identity.replace('-', '_').upper()}" if self.identity else ""
        words = []
        for name in self.headers:
            own = AUTHORIZATION if name == "authorization" else f"MLCONFORM_{name.replace('-', '_').upper()}"
            words.append(f'-H "{name.title()}: ${own}{suffix}"')
        if self.certificate is not None:
            words.append(f'--cert "$MLCONFORM_CLIENT_CERTIFICATE{suffix}"')
        return words

    @property
    def lane(self) -> tuple[object, ...]:
        """What must be the same for two requests to share a connection."""
        return (frozenset(self.headers.items()), self.certificate)


def basic(user: str, password: str) -> Credentials:
    """Basic authentication (RFC 7617)."""
    Secret(password)
    value = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    return Credentials(user, {"authorization": _with_scheme(value)})


def bearer(token: str, name: str = "a bearer token") -> Credentials:
    """A bearer token (RFC 6750)."""
    return Credentials(name, {"authorization": _with_scheme(f"Bearer {token}")})


def api_key(header: str, value: str) -> Credentials:
    """A key in a header of its own."""
    return Credentials(f"a key in {header}", {header.lower(): Secret(value)})


def presentable(text: str) -> str:
    """The text without any secret: neither one that was given to this process, nor one in a member
    whose name says that it is one (a password in an answer or a setting)."""
    # Members first: a secret may be a part of their names.
    text = _TELLING.sub(rf'\g<before>"{HIDDEN}"', text)
    for secret in sorted(_held, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def all_presentable(value: T) -> T:
    """A value made of texts, collections and dataclasses, each text in it as `presentable` returns it."""
    found: Any = value
    if isinstance(value, str):
        # A member of an enumeration is a word of ours.
        found = presentable(value) if type(value) is str else value
    elif isinstance(value, tuple):
        found = tuple(all_presentable(each) for each in value)
    elif isinstance(value, dict):
        found = {all_presentable(name): all_presentable(each) for name, each in value.items()}
    elif is_dataclass(value) and not isinstance(value, type):
        changed = {each.name: all_presentable(getattr(value, each.name)) for each in fields(value)}
        found = replace(value, **changed)
    return found  # type: ignore[no-any-return]


def _with_scheme(value: str) -> Secret:
    """A value of the Authorization header, whose second part is a secret of its own."""
    Secret(value.partition(" ")[2])
    return Secret(value)
