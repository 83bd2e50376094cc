"""What the user says about who the run is and how the target is trusted; a secret is never among it,
but in files, in the environment and in the values of headers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class AccessOptions:
    """The options of `run` and `sweep` that concern access to the target.

    `header` are `NAME: VALUE` or `NAME: @FILE` and show themselves nowhere.
    """

    credentials: str | None = None
    header: tuple[str, ...] = field(default=(), repr=False)
    ca_file: str | None = None
    server_name: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None

    @classmethod
    def taken_from(cls, get: Callable[[str], Any]) -> AccessOptions:
        """The options as `get` knows them by name."""
        return cls(
            credentials=get("credentials"),
            header=tuple(get("header")),
            ca_file=get("ca_file"),
            server_name=get("server_name"),
            client_certificate=get("client_certificate"),
            client_key=get("client_key"),
        )

    def arguments(self, prefix: str = "--") -> Iterator[str]:
        """These options on a command line, each in a word of its own, headers too."""
        for each in fields(self):
            name, value = f"{prefix}{each.name.replace('_', '-')}", getattr(self, each.name)
            values = value if each.name in REPEATABLE else [value] if value else []
            yield from (f"{name}={one}" for one in values)

    @property
    def repeated(self) -> tuple[str, ...]:
        """What a repetition of the run needs of them, without the values of headers."""
        return tuple(word for word in self.arguments() if not word.startswith("--header="))


REPEATABLE: Final = ("header",)
HELP: Final = {
    "credentials": "YAML file with username and password, token, api_key or client_certificate",
    "header": "'NAME: VALUE' or 'NAME: @FILE', sent with every request, for a gateway; repeatable",
    "ca_file": "certificates (PEM) of the authority that signed the target's",
    "server_name": "name that the target's certificate is for, where the address is another",
    "client_certificate": "certificate (PEM) that the run shows",
    "client_key": "its key (PEM), where it is in a file of its own",
}
